"""The places in a U-Net where features of other pictures can enter, and their weights."""

from __future__ import annotations

import re

from comfy.ldm.modules.diffusionmodules.openaimodel import Downsample, UNetModel, Upsample
from comfy.model_patcher import ModelPatcher

PRESETS = {
    "all": ("in", "mid", "out", "skip"),
    "down path": ("in",),
    "middle": ("mid",),
    "up path": ("out",),
    "skips": ("skip",),
}
"""in: the end of every resolution on the way down, mid, out: of every resolution on the way up, skip: every skip."""
SOURCE = (
    [["in.3"], ["in.6"], ["in.9"], ["in.11"], ["mid.0"], ["out.2"], ["out.5"], ["out.8"], ["out.11"]]
    + [["skip.1", "skip.2", "skip.3"], ["skip.4", "skip.5", "skip.6"], ["skip.7", "skip.8", "skip.9"]]
    + [["skip.10", "skip.11"]]
)
"""Source 001's 13 weights (SOURCES 1.1), in its order, as the host numbers SD1's blocks."""
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_PART = re.compile(rf"(in|mid|out|skip)(?:\.(\d+)(?:\s*-\s*(\d+))?)?\s*(?::\s*({NUMBER}))?")


def unet_of(model: ModelPatcher) -> UNetModel:
    """The U-Net; ValueError for other kinds of model."""
    network = model.get_model_object("diffusion_model")
    if not isinstance(network, UNetModel):
        raise ValueError(
            f"Infusion Bias needs a U-Net, but this model is of the kind {type(network).__name__}; use one of SD1, "
            "SD2 and SDXL."
        )
    return network


def site_weights(text: str, preset: str, network: UNetModel) -> dict[str, float]:
    """Site -> weight: 'in.3:0.1, mid:0.05, out.5-8:0.2, skip.4:0.1', 13 numbers, or all sites of a preset at 1.

    in.N and out.N are what blocks hand on, mid what the middle does, skip.N what input block N hands over to the
    output side. A part without a number has weight 1. ValueError: a part that is no site, listing those there are.
    """
    real = {
        "in": len(network.input_blocks),
        "mid": 1,
        "out": len(network.output_blocks),
        "skip": len(network.input_blocks),
    }
    words = text.replace(",", " ").lower().split()
    if not words:
        return {f"{kind}.{i}": 1.0 for kind in PRESETS[preset] for i in _preset(kind, network)}
    if all(re.fullmatch(NUMBER, word) for word in words):
        return _thirteen(list(map(float, words)), real)
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.lower().replace("\n", ",").split(","))):
        weights |= _sites(part, real)
    return {site: weight for site, weight in weights.items() if weight}


def _preset(kind: str, network: UNetModel) -> list[int]:
    """Source 001's places, in any U-Net: after the blocks that change the resolution, and at each path's end."""
    if kind == "mid":
        return [0]
    blocks, change = (network.output_blocks, Upsample) if kind == "out" else (network.input_blocks, Downsample)
    last = len(blocks) - 1
    if kind == "skip":
        return list(range(1, last + 1))
    return [i for i, block in enumerate(blocks) if i == last or any(isinstance(layer, change) for layer in block)]


def _first(kind: str) -> int:
    """The first input block only brings the latent in; source 001 never infuses it."""
    return 1 if kind in ("in", "skip") else 0


def _thirteen(numbers: list[float], real: dict[str, int]) -> dict[str, float]:
    if len(numbers) != 13 or real["in"] != 12:
        raise ValueError(
            f"{len(numbers)} numbers were given as site weights; source 001's list has 13, for models of SD1's 12 "
            "input blocks: give 13 there, else name the sites, such as 'in.3:0.1, mid:0.05'."
        )
    pairs = zip(SOURCE, numbers, strict=True)
    return {site: weight for sites, weight in pairs for site in sites if weight}


def _sites(part: str, real: dict[str, int]) -> dict[str, float]:
    found = _PART.fullmatch(part)
    kind, first, last, weight = found.groups() if found else (None,) * 4
    numbers = range(int(first), int(last or first) + 1) if first else range(_first(kind or ""), real.get(kind, 0))
    if not numbers or numbers[-1] >= real.get(kind, 0):
        known = ", ".join(f"{name}.0-{count - 1}" if count > 1 else name for name, count in real.items())
        raise ValueError(f"'{part}' is no site of this model; it has {known}, each with a weight as in 'in.3:0.1'.")
    return {f"{kind}.{i}": float(weight or 1) for i in numbers}
