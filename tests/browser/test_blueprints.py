"""The blueprints: served by the host, found by the node search, and at work in a user's graph; one browser for all."""

import io
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from pack.demo import judge
from pack.tools import blueprint
from pack.tools.browser import find_chromium, playwright, program
from pack.tools.client import Client
from pack.tools.host import SetupError
from pack.tools.template import read as read_json

SCRIPT = Path(__file__).with_name("blueprints.mjs")
STAR = "a red star on a beach"
BOXES = [
    {"phrase": "red circle", "box": [0.56, 0.3, 0.38, 0.4]},
    {"phrase": "blue star", "box": [0.06, 0.3, 0.38, 0.4]},
]
ALL = {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "image": ["8", 0]}


def plain(text: str) -> dict:
    """A user's graph; its picture is of node 7, a mask would be of node 11."""
    made = {
        "1": ("LM_LoadTinyScenes", {}),
        "2": ("CLIPTextEncode", {"clip": ["1", 1], "text": text}),
        "3": ("CLIPTextEncode", {"clip": ["1", 1], "text": ""}),
        "4": ("EmptyLatentImage", {"width": 128, "height": 128, "batch_size": 1}),
        "5": ("KSampler", {"model": ["1", 0], "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0]}),
        "6": ("VAEDecode", {"samples": ["5", 0], "vae": ["1", 2]}),
        "7": ("SaveImage", {"images": ["6", 0], "filename_prefix": "blueprint"}),
        "8": ("LoadImage", {"image": "star.png"}),
        "9": ("LM_RegionCanvas", {"drawing": json.dumps({"regions": BOXES}), "width": 128, "height": 128}),
    }
    made["5"][1].update(seed=1, steps=16, cfg=5.0, sampler_name="dpmpp_2m", scheduler="karras", denoise=1.0)
    return {node: {"class_type": kind, "inputs": inputs} for node, (kind, inputs) in made.items()}


def case(text: str, needs: str, gives: dict, **values: object) -> dict:
    into = {name: ALL[name] for name in needs.split()}
    return {"api": plain(text), "values": values, "into": into, "from": gives}


SAMPLED = {"model": ["5", "model"], "positive": ["5", "positive"]}
CASES = {
    "Regions": case("", "model clip", SAMPLED, prompt="a red circle and a blue star in the snow"),
    "Keep my subject": case(
        "", "model clip vae image", {**SAMPLED, "latent": ["5", "latent_image"]}, subject="red star"
    ),
    "Mask a phrase": case(STAR, "model clip vae image", {"mask": ["10", "mask"]}, phrase="red star"),
    "Add or remove a concept": case(STAR, "model clip", {"model": ["5", "model"]}, concept="at sunset", threshold=0.5),
    "Style slider": case(STAR, "clip", {"positive": ["5", "positive"]}, prompt=STAR, style="at sunset", strength=0.6),
    "Bias with pictures": case("a green square", "model vae", {"model": ["5", "model"]}, weight=3.0),
}
CASES["Regions"]["into"]["regions"] = ["9", 0]
CASES["Keep my subject"]["values"]["prompt"] = "a red star in front of a brick wall"
CASES["Bias with pictures"]["into"]["images"] = ALL["image"]
CASES["Mask a phrase"]["api"] |= {
    "10": {"class_type": "MaskToImage", "inputs": {}},
    "11": {"class_type": "SaveImage", "inputs": {"images": ["10", 0], "filename_prefix": "blueprint"}},
}


def painted(client: Client, api: dict, node: str = "7") -> torch.Tensor:
    """The picture (1, 128, 128, 3), 0..1, that a node saved."""
    from PIL import Image

    result = client.run(api)
    assert result.errors == []
    return torch.from_numpy(np.asarray(Image.open(io.BytesIO(result.images[node][0])).convert("RGB")) / 255.0)[None]


def read(picture: torch.Tensor) -> judge.Reading:
    return judge.read(judge.load(), picture)[0]


def cells(picture: torch.Tensor, shape: str, colour: str) -> np.ndarray:
    (thing,) = [thing for thing in read(picture).things if (thing.shape, thing.colour) == (shape, colour)]
    return thing.cells


@pytest.fixture(scope="module")
def star(client, tmp_path_factory) -> torch.Tensor:
    """A picture of a red star on a beach, which is then among the host's inputs."""
    from PIL import Image

    picture = painted(client, plain(STAR))
    path = tmp_path_factory.mktemp("pictures") / "star.png"
    Image.fromarray((picture[0].numpy() * 255).round().astype("uint8")).save(path)
    assert client.upload(path) == "star.png"
    return picture


@pytest.fixture(scope="module")
def found(server, star) -> dict[str, dict]:
    """Name -> its widgets, and the API graph with it."""
    try:
        job = {"url": server.url, "chromium": find_chromium(), "modules": str(playwright()), "vue": False}
        command = [program("node"), str(SCRIPT)]
    except SetupError as error:
        pytest.skip(str(error))
    job["cases"] = [{"name": name, **one} for name, one in CASES.items()]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_the_host_serves_them_under_their_names(client):
    served = json.loads(client.fetch("/global_subgraphs")).values()
    ours = {entry["name"] for entry in served if entry["info"]["node_pack"].endswith("latent-manipulation")}
    assert ours == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_file_holds_what_the_tool_was_told(name):
    spec, made = blueprint.SPECS[name], read_json(blueprint.FOLDER / f"{name}.json")
    (part,) = made["definitions"]["subgraphs"]
    assert {str(node["id"]): node["type"] for node in part["nodes"]} == {
        key: node["class_type"] for key, node in spec["nodes"].items()
    }
    assert [slot["name"] for slot in part["inputs"] + part["outputs"]] == [*spec["inputs"], *spec["outputs"]]
    assert made["extra"] == {"BlueprintDescription": spec["description"]}


def test_nothing_went_wrong_in_the_page(found):
    assert {name: one["errors"] for name, one in found.items()} == dict.fromkeys(CASES, [])


def test_regions_are_where_they_were_drawn(client, found):
    picture = painted(client, found["Regions"]["api"])
    assert not cells(picture, "circle", "red")[:, :8].any()
    assert not cells(picture, "star", "blue")[:, 8:].any()


def test_the_subject_stays_and_the_scene_is_new(client, found, star):
    picture = painted(client, found["Keep my subject"]["api"])
    before, after = cells(star, "star", "red"), cells(picture, "star", "red")
    assert (before & after).sum() / (before | after).sum() > 0.6
    assert (read(star).background, read(picture).background) == ("beach", "brick wall")


def test_the_mask_lies_on_the_thing(client, found, star):
    mask = painted(client, found["Mask a phrase"]["api"], "11")[0, ..., 0] > 0.5
    red = (star[0, ..., 0] > 0.7) & (star[0, ..., 1:].amax(-1) < 0.3)
    assert (mask & red).sum() / (mask | red).sum() > 0.6


@pytest.mark.parametrize("name", ["Add or remove a concept", "Style slider"])
def test_a_concept_and_a_style_come_in_and_the_rest_stays(client, found, star, name):
    before, after = read(star), read(painted(client, found[name]["api"]))
    assert (before.style, after.style) == ("", "at sunset")
    assert after.background == "beach" and after.has("star", "red")


def test_the_pictures_background_comes_in(client, found):
    api = found["Bias with pictures"]["api"]
    before, after = read(painted(client, plain(api["2"]["inputs"]["text"]))), read(painted(client, api))
    assert before.background != "beach" and after.background == "beach" and after.has("square", "green")


OFF = {"Add or remove a concept": "scale", "Style slider": "theta", "Bias with pictures": "weight"}


@pytest.mark.parametrize("name", OFF)
def test_at_zero_a_box_changes_nothing(client, found, name):
    api = found[name]["api"]
    without = painted(client, plain(api["2"]["inputs"]["text"]))
    for node in api.values():
        if node["class_type"].startswith("LM_") and OFF[name] in node["inputs"]:
            node["inputs"][OFF[name]] = 0
    assert torch.equal(painted(client, api), without)
