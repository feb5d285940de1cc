"""The pictures that stand for the pack: what they are made of, and what the registry asks of them."""

import json

import pytest
from pack.tools import showcase
from pack.tools.host import ROOT

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: run tests/run.py")
from pack.tools import poster  # noqa: E402

GRAPH = json.loads(showcase.TEMPLATE.read_text(encoding="utf-8"))
REGIONS = [("a cat", (0.0, 0.5, 0.25, 0.5), "#ff0000")]


def test_the_prompt_and_the_boxes_are_the_templates():
    prompt, regions = showcase.shown(GRAPH)
    assert [phrase for phrase, _, _ in regions] == ["red circle", "blue star"]
    assert all(phrase in prompt for phrase, _, _ in regions)
    assert all(len(box) == 4 and box[0] + box[2] <= 1 and box[1] + box[3] <= 1 for _, box, _ in regions)


def test_a_run_saves_each_picture_alone_and_changes_nothing_else():
    graph = showcase.single(GRAPH, 5)
    changed = {node: graph[node]["class_type"] for node in GRAPH if graph[node] != GRAPH[node]}
    assert sorted(changed.values()) == ["EmptyLatentImage", "SaveImage"]
    assert showcase.only(graph, "EmptyLatentImage")["batch_size"] == 5
    assert graph[showcase.only(graph, "SaveImage")["images"][0]]["class_type"] == "VAEDecode"


def test_a_result_has_the_outline_where_the_region_is():
    framed = poster.framed(Image.new("RGB", (128, 128), "white"), REGIONS, 200)
    red = {(x, y) for x in range(200) for y in range(200) if framed.getpixel((x, y)) == (255, 0, 0)}
    assert {min(x for x, _ in red), min(y for _, y in red), max(x for x, _ in red)} == {0, 100, 50}
    assert framed.getpixel((25, 150)) == framed.getpixel((100, 50)) == (255, 255, 255)


def test_results_stand_in_two_rows():
    one, two = Image.new("RGB", (8, 8), "black"), Image.new("RGB", (8, 8), "lime")
    out = poster.rows([one] * 3, [two] * 3, [], 100, "black", "white")
    assert out.getpixel((50, out.height // 2 - 20)) == out.getpixel((out.width - 5, 60)) == (0, 0, 0)
    assert out.getpixel((50, out.height - 20)) == (0, 255, 0)


def test_words_wrap():
    assert poster.wrapped("a red circle and a star", 10) == ["a red", "circle and", "a star"]


def test_the_registry_takes_icon_and_banner():
    """A square of at most 400 pixels; 21:9. Both are what the code draws now, in size."""
    icon, banner = (Image.open(showcase.PICTURES / name) for name in ("icon.png", "banner.jpg"))
    assert icon.size == (400, 400) and icon.format == "PNG" and icon.getpixel((0, 0))[3] == 0
    assert banner.width * 9 == banner.height * 21
    assert max(path.stat().st_size for path in showcase.PICTURES.iterdir()) < 200_000


def test_the_icon_is_what_is_drawn():
    """A changed drawing is drawn again; a few levels are left to other versions of Pillow."""
    from PIL import ImageChops

    saved = Image.open(showcase.PICTURES / "icon.png")
    apart = ImageChops.difference(saved.convert("RGBA"), poster.icon())
    assert max(high for _, high in apart.getextrema()) < 40


def test_the_registry_can_read_what_is_published():
    """comfy-cli reads these; what depends on the owner is there to be filled in."""
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {"Repository", "Documentation", "Bug Tracker"} == set(project["project"]["urls"])
    assert {"PublisherId", "DisplayName", "Icon", "Banner", "requires-comfyui"} == set(project["tool"]["comfy"])
    kinds = [name for name in project["project"]["classifiers"] if name.startswith("Environment ::")]
    assert kinds == ["Environment :: GPU :: NVIDIA CUDA"]  # any other word here and comfy-cli drops them all
