"""The demo command's own parts: which graphs it takes, how it names pictures, the contact sheet."""

import importlib.util
import io
import json
import sys
from pathlib import Path

import pytest
from pack.tools.client import Result

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: run tests/run.py")
FILE = Path(__file__).parents[2] / "demo" / "run.py"


@pytest.fixture(scope="module")
def run():
    """demo/run.py as a module; it changes sys.path[0] as a script may, so that is put back."""
    path = list(sys.path)
    spec = importlib.util.spec_from_file_location("demo_run", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


def test_a_graph_that_needs_a_checkpoint_is_left_out(run, tmp_path):
    (tmp_path / "b.json").write_text(json.dumps({"1": {"class_type": "LM_LoadTinyScenes", "inputs": {}}}))
    (tmp_path / "a.json").write_text(json.dumps({"1": {"class_type": "CheckpointLoaderSimple", "inputs": {}}}))
    assert list(run.load_graphs(tmp_path)) == ["b"]


def test_a_graph_with_nodes_of_a_pack_that_is_not_there_is_left_out(run, capsys):
    graphs = {"a": {"1": {"class_type": "Here"}}, "b": {"1": {"class_type": "Here"}, "2": {"class_type": "Elsewhere"}}}
    assert list(run.runnable(graphs, {"Here"})) == ["a"]
    assert capsys.readouterr().out == "b: left out, it needs Elsewhere of another pack\n"


def test_the_most_convincing_come_first(run):
    assert tuple(run.load_graphs())[: len(run.FIRST)] == run.FIRST


def picture(width: int, height: int, color: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), color).save(data, "PNG")
    return data.getvalue()


def test_pictures_are_numbered_in_the_order_of_the_nodes(run, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "OUT", tmp_path)
    result = Result(images={"10": [b"c"], "9": [b"a", b"b"], "8": [b"a node's preview"]})
    graph = {node: {"class_type": "SaveImage", "inputs": {}} for node in ("9", "10")}
    paths = run.save("slerp", {**graph, "8": {"class_type": "LM_LabelledGrid", "inputs": {}}}, result)
    assert [path.name for path in paths] == ["slerp-1.png", "slerp-2.png", "slerp-3.png"]
    assert [path.read_bytes() for path in paths] == [b"a", b"b", b"c"]


def sheet_of(run, folder: Path, pictures: list[bytes]):
    paths = [folder / f"{n}.png" for n in range(len(pictures))]
    for path, data in zip(paths, pictures, strict=True):
        path.write_bytes(data)
    return Image.open(io.BytesIO(run.contact_sheet(paths)))


def test_the_sheet_holds_every_picture_whole(run, tmp_path):
    """One that is wider than its place is made to fit, all keep their shape."""
    sizes = [(128, 128, "red"), (128, 64, "lime"), (2360, 200, "blue"), (64, 64, "yellow")]
    sheet = sheet_of(run, tmp_path, [picture(*size) for size in sizes])
    counts = {color: count for count, color in sheet.getcolors(sheet.width * sheet.height)}
    assert counts[(255, 0, 0)] == 128 * 128 and counts[(0, 255, 0)] == 128 * 64
    assert counts[(0, 0, 255)] == 380 * 32 and counts[(255, 255, 0)] == 64 * 64


def test_three_share_a_row(run, tmp_path):
    colors = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}
    sheet = sheet_of(run, tmp_path, [picture(380, 290, color) for color in colors])
    places = [(200, 150), (590, 150), (980, 150), (200, 150 + 318)]
    assert [sheet.getpixel(place) for place in places] == list(colors.values())


@pytest.mark.parametrize("count", [1, 16, 40])
def test_a_sheet_fits_a_screen_or_two(run, tmp_path, count):
    sheet = sheet_of(run, tmp_path, [picture(540, 600, "red")] * count)
    assert sheet.width == 3 * 390 + 10 and sheet.height <= 2000
