"""What may stand beside our nodes: other nodes of the host, and an IP-Adapter double, on the model that each needs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from pack.tests import tiny_adapter, tiny_control
from pack.tests.trust.effects import Scene


@dataclass(frozen=True)
class Companion:
    model: str
    """Of `FAMILIES`."""
    add: Callable[[Scene], Scene]


def extra(module: str, name: str, **inputs: object) -> Callable[[Scene], Scene]:
    """A node of `comfy_extras` that takes and gives a MODEL."""

    def add(scene: Scene) -> Scene:
        node = getattr(importlib.import_module(f"comfy_extras.nodes_{module}"), name)
        made = node.execute(scene.model, **inputs)
        return scene.with_model((made if isinstance(made, tuple) else made.result)[0])

    return add


def control(scene: Scene) -> Scene:
    positive, negative = tiny_control.control(scene.positive, scene.negative)
    return replace(scene, positive=positive, negative=negative)


def lora_hooks(scene: Scene) -> Scene:
    return replace(scene, positive=tiny_control.hooked(scene.positive, tiny_control.lora_hooks(scene.model)))


def adapter(scene: Scene) -> Scene:
    return scene.with_model(tiny_adapter.double(scene.model, weight=0.8))


def lora(scene: Scene) -> Scene:
    return scene.with_model(tiny_control.with_lora(scene.model))


SKIPPED = {"scale": 2.0, "start_percent": 0.0, "end_percent": 1.0, "layers": "0"}
COMPANIONS = {
    "nothing": Companion("sd1", lambda scene: scene),
    "ControlNet": Companion("sd1", control),
    "IP-Adapter": Companion("sd15", adapter),
    "LoRA hooks": Companion("sd1", lora_hooks),
    "LoRA": Companion("sd1", lora),
    "PAG": Companion("sd1", extra("pag", "PerturbedAttentionGuidance", scale=3.0)),
    "NAG": Companion("sd1", extra("nag", "NAGuidance", nag_scale=5.0, nag_alpha=0.5, nag_tau=1.5)),
    "TCFG": Companion("sd1", extra("tcfg", "TCFG")),
    "CFGZeroStar": Companion("sd3", extra("cfg", "CFGZeroStar")),
    "SkipLayerGuidance": Companion("sd3", extra("sd3", "SkipLayerGuidanceSD3", **SKIPPED)),
}
