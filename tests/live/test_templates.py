"""The templates, and graphs with the usual traps, in the real frontend: one browser for all of them."""

import io
import json
import urllib.parse
from pathlib import Path

import pytest
from pack.tests.tiny_adapter import ABSENT
from pack.tools import template
from pack.tools.browser import find_chromium, in_frontend, playwright, program
from pack.tools.host import SetupError
from pack.tools.server import NAME, direct

NAMES = sorted(path.stem for path in template.WORKFLOWS.glob("*.json"))
RUN = (  # the others run by `tools/template.py --check`, which takes longer
    "Mask - a phrase in a picture",
    "Regions - each phrase in its place",
)
EXACT = 2**53 - 1  # the largest seed that JavaScript keeps
TRAPS = {  # files that are not here, a widget with a link, a seed, several lines, two links from one output
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "not-here.safetensors"}},
    "2": {"class_type": "PrimitiveFloat", "inputs": {"value": 3.5}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"text": 'two\nlines, "quoted" é', "clip": ["1", 1]}},
    "4": {"class_type": "LoadImage", "inputs": {"image": "not-here.png"}},
    "5": {"class_type": "VAEEncode", "inputs": {"pixels": ["4", 0], "vae": ["1", 2]}},
    "6": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "positive": ["3", 0], "negative": ["3", 0]}},
    "7": {"class_type": "VAEDecode", "inputs": {"samples": ["6", 0], "vae": ["1", 2]}},
    "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "x"}},
}
TRAPS["6"]["inputs"] |= {"latent_image": ["5", 0], "seed": EXACT, "cfg": ["2", 0], "denoise": 0.5}
BEFORE = {**TRAPS, "6": {"class_type": "KSampler", "inputs": {**TRAPS["6"]["inputs"], "steps": 7}}}
BROKEN = {
    "1": {"class_type": "LM_NotThere", "inputs": {"a": 1}},
    "2": {"class_type": "EmptyImage", "inputs": {"width": 64, "colour": 3}},
    "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
}


@pytest.fixture(scope="module")
def answers(server) -> dict[str, dict]:
    """Name -> what the frontend made of it."""
    try:
        program("node"), find_chromium(), playwright()
    except SetupError as error:
        pytest.skip(str(error))
    graphs = [{**template.saved(name), "run": name in RUN} for name in NAMES]
    made = {"before": {"api": BEFORE}, "traps": {"api": TRAPS, "note": "Look *here*."}, "broken": {"api": BROKEN}}
    graphs += [{"name": name, **graph} for name, graph in made.items()]
    return {answer["name"]: answer for answer in in_frontend(server.url, graphs)}


@pytest.mark.parametrize("name", NAMES)
def test_a_template_opens_and_exports_its_twin(answers, name):
    if any(kind.startswith("IPAdapter") for kind in answers[name]["missing"]):
        pytest.skip(ABSENT)
    assert template.wrong(answers[name]) == []
    assert (
        template.differences(template.read(template.WORKFLOWS / "api" / f"{name}.json"), answers[name]["again"]) == []
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_template_opens_large_enough_to_read(answers, name):
    """At 1440 x 900 with the frontend's own settings; nothing lies on anything, nor after a run of those in RUN."""
    assert template.unseen(answers[name]) == []


def test_the_dialog_finds_every_template_and_its_picture(server):
    """At the addresses that the frontend asks for; names are titles, with spaces and brackets."""
    folder = f"{server.url}/api/workflow_templates"
    listed = json.load(direct.open(folder))[NAME]
    assert sorted(listed) == NAMES
    for name in listed:
        for end in ("json", "jpg"):
            served = direct.open(f"{folder}/{NAME}/{urllib.parse.quote(name)}.{end}").read()
            assert served == (template.WORKFLOWS / f"{name}.{end}").read_bytes()


def test_a_graph_is_kept_as_it_was_written(answers):
    answer = answers["traps"]
    assert template.wrong(answer) == []
    assert template.differences(TRAPS, answer["api"], extra=True) == []
    assert template.differences(answer["api"], answer["again"]) == []  # saved and opened again
    assert answer["api"]["6"]["inputs"]["steps"] == 20  # left out: the default, not the 7 of the graph before


def test_seeds_are_fixed_and_the_note_is_there(answers):
    nodes = {node["type"]: node for node in answers["traps"]["ui"]["nodes"]}
    assert nodes["KSampler"]["widgets_values"][:2] == [EXACT, "fixed"]
    assert nodes["MarkdownNote"]["widgets_values"] == ["Look *here*."]


def test_what_the_frontend_does_not_know_is_said(answers):
    answer = answers["broken"]
    assert template.wrong(answer) == ["the frontend does not know LM_NotThere"]
    lines = template.differences(BROKEN, answer["api"], extra=True)
    assert "node 2 (EmptyImage), input 'colour': 3 became nothing" in lines


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A workflows folder of our own."""
    (tmp_path / "api").mkdir()
    monkeypatch.setattr(template, "WORKFLOWS", tmp_path)
    return tmp_path


def test_files_are_written_only_where_nothing_was_changed(answers, folder, monkeypatch):
    monkeypatch.setattr(template, "in_frontend", lambda url, graphs, _: [answers[graph["name"]] for graph in graphs])
    for name, graph in {"traps": TRAPS, "broken": BROKEN}.items():
        (folder / "api" / f"{name}.json").write_text(json.dumps(graph), encoding="utf-8")
    assert template.make("", ["traps", "broken"], None) == 1
    assert [path.name for path in folder.glob("*.json")] == ["traps.json"]
    assert template.read(folder / "api" / "broken.json") == BROKEN
    twin = template.read(folder / "api" / "traps.json")
    assert template.differences(answers["traps"]["api"], twin) == []


def test_a_picture_is_the_graphs_own_square_at_most_512_wide(server, folder):
    from PIL import Image

    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 1600, "height": 400, "batch_size": 1, "color": 0xFF}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    (folder / "api" / "blue.json").write_text(json.dumps(graph))
    assert template.picture(server.url, ["blue"]) == 0
    picture = Image.open(io.BytesIO((folder / "blue.jpg").read_bytes()))
    assert picture.format == "JPEG" and picture.size == (512, 512)
    assert min(picture.getpixel((256, 150))) > 247  # white above it
    red, _, blue = picture.getpixel((256, 256))
    assert red < 8 and blue > 247
