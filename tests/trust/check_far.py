"""All of the pack on a pretended second device, where mixing devices raises as it does on a GPU."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import torch
from pack.tests.tiny_models import FAMILIES
from pack.tests.trust import far_host
from pack.tests.trust.effects import EFFECTS, Scene, built, scene
from pack.tests.trust.tally import Check, Tally

FOLDER = Path(__file__).parents[2] / "workflows" / "api"
TEMPLATES = sorted(path.stem for path in FOLDER.glob("*.json"))
STEPS = 4
FITS = ("all of the weights", "half of the weights")


def run(tally: Tally) -> None:
    import comfy.model_management as management

    near = {name: {} for name in FAMILIES}
    cases = [("template", name) for name in TEMPLATES] + list(product(FITS, FAMILIES))
    mine = tally.share(cases, quick=6)
    for kind, name in mine:
        if kind != "template":
            with tally.case(f"{name} on the CPU"):
                near[name] = near[name] or on_cpu(name)
    management.unload_all_models()  # else the host takes them for loaded on the far device
    far_host.use()
    for kind, name in mine:
        if kind == "template":
            template(tally, name)
        else:
            family(tally, name, near[name], kind)


def on_cpu(name: str) -> dict[str, torch.Tensor]:
    """Effect -> picture, before there is a second device."""
    return {effect: add(scene(name, batch=2), True).draw() for effect, add in EFFECTS.items()}


def family(tally: Tally, name: str, near: dict[str, torch.Tensor], fits: str) -> None:
    """Every effect of a family, with the model on the far device, against its picture on the CPU."""
    import comfy.model_management as management
    from comfy.model_patcher import ModelPatcher

    plain = scene(name, batch=2)
    patcher = ModelPatcher(built(name).model().model, far_host.device(), torch.device("cpu"))
    half = patcher.model_size() // 2
    far_host.memory(int(management.minimum_inference_memory()) + half if fits != FITS[0] else far_host.PLENTY)
    for effect, expected in near.items():
        where = f"{name}, {effect}, {fits} loaded"
        management.unload_all_models()  # else a clone is given the free memory on top of what is loaded
        with tally.case(where):
            got = EFFECTS[effect](replace(plain, model=patcher), True)
            loaded(tally, where, got, expected, fits)
    management.unload_all_models()
    far_host.memory(far_host.PLENTY)


def loaded(tally: Tally, where: str, drawn: Scene, expected: torch.Tensor, fits: str) -> None:
    devices = set()

    def look(module, *_: object) -> None:
        devices.update(weight.device.type for weight in module.parameters())

    hook = drawn.model.model.diffusion_model.register_forward_pre_hook(look)
    try:
        got = drawn.draw()
    finally:
        hook.remove()
    wanted = {"far"} if fits == FITS[0] else {"far", "cpu"}
    tally.expect(devices == wanted, where, f"weights lay on {devices}")
    off = float((got - expected).abs().max() / expected.abs().max())
    tally.expect(got.device.type == "cpu" and off <= 1e-5, where, f"{got.device}, {off:.2g} from the CPU's picture")


def template(tally: Tally, name: str) -> None:
    from pack.tests.trust.executor import finite
    from pack.tests.trust.executor import run as execute

    graph = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    if any(node["class_type"] == "CheckpointLoaderSimple" for node in graph.values()):
        tally.notes.append(f"template {name} needs a checkpoint file and was not run on the far device")
        return
    if any(node["class_type"].startswith("IPAdapter") for node in graph.values()):
        tally.notes.append(f"template {name} needs ComfyUI_IPAdapter_plus and was not run on the far device")
        return
    counted = any(node["class_type"] == "LM_InjectedMasks" for node in graph.values())  # a label for each injection
    for node in graph.values():
        if "steps" in node["inputs"] and not counted:
            node["inputs"]["steps"] = STEPS
    with tally.case(f"template {name}"):
        outcome = execute(graph, seconds=300)
        tally.expect(outcome.kind == "ok" and finite(outcome.kept), f"template {name}", outcome.sentence())


CHECK = Check(
    "Devices are never mixed",
    f"on a pretended second device: {len(TEMPLATES)} templates at {STEPS} steps; every effect x {len(FAMILIES)} "
    "families with all of the weights loaded and with half of them left on the CPU, against the CPU's pictures",
    run,
    parts=2,
)
