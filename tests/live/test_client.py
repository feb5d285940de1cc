"""Graphs of stock nodes on a real host, and what its refusals read like."""

import io

import pytest

pytest.importorskip("PIL", reason="Pillow is not installed: run tests/run.py")
from pack.tools.client import Client  # noqa: E402
from PIL import Image  # noqa: E402

RED = 0xFF0000


def picture_graph(color: int = RED) -> dict:
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 40, "height": 24, "batch_size": 2, "color": color}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "red"}},
    }


def test_pictures_come_back(client):
    result = client.run(picture_graph())
    assert result.errors == [] and list(result.images) == ["2"]
    pictures = [Image.open(io.BytesIO(data)) for data in result.images["2"]]
    assert [picture.size for picture in pictures] == [(40, 24)] * 2
    assert pictures[0].getpixel((3, 3)) == (255, 0, 0)


def test_pictures_come_back_without_aiohttp(client, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "aiohttp", None)  # importing it raises ImportError
    result = client.run(picture_graph(0x00FF00))
    assert result.errors == [] and len(result.images["2"]) == 2


def test_texts_come_back(client):
    graph = {
        "1": {"class_type": "PrimitiveString", "inputs": {"value": "a red circle"}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }
    assert client.run(graph).texts == {"2": ["a red circle"]}


def test_an_uploaded_picture_is_an_input(client, tmp_path):
    path = tmp_path / "blue é.png"
    Image.new("RGB", (16, 8), "blue").save(path)
    name = client.upload(path)
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": name}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    result = client.run(graph)
    assert result.errors == []
    picture = Image.open(io.BytesIO(result.images["2"][0]))
    assert picture.size == (16, 8) and picture.getpixel((1, 1))[:3] == (0, 0, 255)


def changed(node: str, **inputs: object) -> dict:
    graph = picture_graph()
    graph[node]["inputs"].update(inputs)
    return graph


@pytest.mark.parametrize(
    ("graph", "line"),
    [
        (changed("1", width=0), "node 1 (EmptyImage), input 'width': Value 0 smaller than min of 1; it got 0"),
        (
            changed("1", width="wide"),
            "node 1 (EmptyImage), input 'width': Failed to convert an input value to a INT value; it got \"wide\"",
        ),
        (changed("2", images=["1", 7]), "node 2 (SaveImage): a link asks for an output that its node does not have"),
        (changed("2", images=["7", 0]), "node 2 (SaveImage): a link leads to node '7', which is not in the graph"),
        (
            {"9": {"class_type": "LM_NotThere", "inputs": {}}},
            "node 9 (LM_NotThere): Node 'LM_NotThere' not found. The custom node may not be installed.",
        ),
        ({"1": picture_graph()["1"]}, "Prompt has no outputs"),
    ],
)
def test_a_refused_graph_gives_readable_lines(client, graph, line):
    result = client.run(graph)
    assert (result.images, result.errors) == ({}, [line])


def test_the_part_of_a_graph_that_is_right_runs(client):
    graph = {**picture_graph(), "8": {"class_type": "PreviewImage", "inputs": {}}}
    result = client.run(graph)
    assert result.errors == ["node 8 (PreviewImage), input 'images': Required input is missing"]
    assert len(result.images["2"]) == 2


def test_an_error_at_run_time_names_its_node(client, tmp_path):
    path = tmp_path / "broken.png"
    path.write_text("no picture")
    graph = {
        "4": {"class_type": "LoadImage", "inputs": {"image": client.upload(path)}},
        "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
    }
    first, place = client.run(graph).errors
    assert first.startswith("node 4 (LoadImage): ")
    assert place.startswith("    File ") and "\n" not in place


def test_a_host_that_is_gone_is_an_error():
    from pack.tools.server import free_port

    with pytest.raises(OSError):
        Client(f"http://127.0.0.1:{free_port()}").run(picture_graph())
