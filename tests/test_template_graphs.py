"""Templates that need model files are run in tiny form: every node is the real one, only what loaders give is tiny."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("comfy.model_patcher", reason="no ComfyUI found: set COMFYUI_PATH or run tests/run.py")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from pack.tests import graphs, tiny, tiny_adapter, tiny_control, tiny_families, tiny_unet  # noqa: E402
from PIL import Image  # noqa: E402

FOLDER = Path(__file__).parent.parent / "workflows" / "api"
SMALL = {"width": 256, "height": 256}
SIZED = ("EmptyLatentImage", "ImageScale", "LM_RegionCanvas")
FEW = {"KSampler": {"steps": 1}, **{kind: SMALL for kind in SIZED}}  # 512 takes 16 times as long


def graph(name: str, **changes: dict) -> dict:
    """A template's graph, small and with few steps. changes: class -> inputs to exchange."""
    given = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for node in given.values():
        node["inputs"] |= {**FEW, **changes}.get(node["class_type"], {})
    return given


def painted(given: dict, folder: Path) -> np.ndarray:
    """The picture that a graph saves, (256, 256, 3) in 0..255."""
    picture = sheet(given, folder)
    assert picture.shape == (256, 256, 3)
    return picture


def sheet(given: dict, folder: Path) -> np.ndarray:
    """What a graph saves, (H, W, 3) in 0..255."""
    shown = graphs.run(given, folder)
    (saved,) = [shown[node]["images"][0] for node, entry in given.items() if entry["class_type"] == "SaveImage"]
    return np.asarray(Image.open(folder / saved["filename"]), dtype=float)


@pytest.fixture
def host(comfy, monkeypatch, tmp_path):
    """Registers loaders of tiny models, and puts the host's example picture where LoadImage looks."""
    import folder_paths
    from pack.demo.model import load

    import nodes

    example = Path(folder_paths.base_path) / "input" / "example.png"
    if not example.is_file():
        pytest.skip(f"the host's example picture is not at {example}")
    shutil.copy(example, tmp_path)
    for name in ("input", "output", "temp"):  # put back at the end, as `graphs.run` sets the last two
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path))

    def register(model, others: dict[str, type], clip=None) -> Path:
        checkpoint = graphs.loader(nodes.CheckpointLoaderSimple, model, clip or tiny.sd1(), load()[2])
        graphs.register(monkeypatch, {"CheckpointLoaderSimple": checkpoint, **others})
        return tmp_path

    return register


OFF = {"LM_RegionAttention": {"end_percent": 0.0}}


def test_regions_with_controlnet(host):
    import nodes

    control = graphs.loader(nodes.ControlNetLoader, tiny_control.controlnet())
    folder = host(tiny_unet.sd1_unet(), {"ControlNetLoader": control})
    name, free = "Regions - with ControlNet (SD1.5)", {"ControlNetApplyAdvanced": {"strength": 0.0}}
    both, regions, edges = (painted(graph(name, **on), folder) for on in ({}, free, OFF))
    assert differ(both, regions, edges)


def test_regions_with_ip_adapter(host):
    pack = tiny_adapter.real_pack().NODE_CLASS_MAPPINGS
    model = tiny_families.sd15()
    with torch.inference_mode():  # in which the executor loads files, and the pack mixes them with weights made in it
        weights = tiny_adapter.weights(model)
    parts = {"ipadapter": weights, "clipvision": tiny_adapter.clip_vision(), "insightface": None}
    loaded = {part: {"model": made} for part, made in parts.items()}
    unified = graphs.loader(pack["IPAdapterUnifiedLoader"], model, loaded)
    folder = host(model, {**pack, "IPAdapterUnifiedLoader": unified})
    name, free = "Regions - with IP-Adapter (SD1.5)", {"IPAdapter": {"weight": 0.0}}
    both, regions, look = (painted(graph(name, **on), folder) for on in ({}, free, OFF))
    assert differ(both, regions, look)


def test_keep_my_subject(host):
    folder, name = host(tiny_unet.sd1_unet(), {}), "Keep my subject - own picture (SD1.5)"
    seen = {"LM_SubjectMaskFromAttention": {"always_mask": True}}  # random weights find nothing
    kept, free = (painted(graph(name, LM_LatentCacheInject={"strength": s}, **seen), folder) for s in (1.0, 0.0))
    assert differ(kept, free)


@pytest.fixture
def sdxl(host):
    """The folder of the pictures, where checkpoints are a tiny SDXL with its two text encoders."""
    return host(tiny_families.sdxl(tiny.CLIP_G["projection_dim"]), {}, tiny.sdxl())


@pytest.mark.parametrize(
    ("name", "columns", "off"),
    [
        ("Regions - each phrase in its place (SDXL)", 2, {"5": {"end_percent": 0.0}}),
        ("Concepts - add and remove (SDXL)", 2, {"5": {"scale": 0.0}, "6": {"scale": 0.0}}),
        ("Concepts - add and remove (SDXL)", 2, {"6": {"scale": 0.0}}),  # each of the two edits acts
        ("Concepts - add and remove (SDXL)", 2, {"5": {"scale": 0.0}}),
        ("Mask - a phrase in a picture (SDXL)", 3, {"4": {"phrase": "beach"}}),
        ("Bias - by pictures (SDXL)", 2, {"2": {"text": "a coral reef"}}),
        ("Slider - style strength (SDXL)", 3, {"4": {"text": "a lighthouse on a cliff, pencil drawing"}}),
    ],
)
def test_sdxl(sdxl, name, columns, off):
    """The first picture of the sheet is painted without the effect, the second one with it."""
    steps, all_over = {"steps": 3}, {"threshold": 0.0}  # one step lies in no edit's window; the edits are of few pixels
    given, changed = (graph(name, KSampler=steps, LM_EditConcept=all_over) for _ in range(2))
    for node, inputs in off.items():
        changed[node]["inputs"] |= inputs
    one, two = (np.array_split(sheet(made, sdxl)[:256], columns, axis=1) for made in (given, changed))
    assert np.array_equal(one[0], two[0])
    assert differ(one[1], two[1])


def differ(*pictures: np.ndarray) -> bool:
    """Whether no two pictures are alike: a level or more apart on average."""
    pairs = [(a, b) for i, a in enumerate(pictures) for b in pictures[:i]]
    return min(np.abs(a - b).mean() for a, b in pairs) >= 1
