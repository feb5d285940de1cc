"""Inputs that cannot work, by node: (what it is, node, inputs, what the sentence must hold).

What is `Linked` comes past the host's own checks.
"""

from __future__ import annotations

import torch
from pack.tests.trust.building import Linked, latent
from torch import Tensor

NAN, INFINITE = float("nan"), float("inf")


def filled(value: float) -> Linked:
    return Linked({"samples": torch.full((1, 4, 8, 8), value)})


def mask(*shape: int) -> Linked:
    return Linked(torch.ones(shape))


def text(width: int, **options: object) -> Linked:
    return Linked([[torch.randn(1, 77, width, generator=torch.Generator().manual_seed(0)), options]])


REVERSED = {"start_percent": 0.8, "end_percent": 0.2}
BLOCKS = ["in.0-30000000", f"in.{'9' * 5000}", "in.1-", "🦆", "in.-1", "in.5-3", "in.77"]
SITES = ["in.0-30000000", "in.1:1e400", "in.1:nan", "mid.0-999999999999", "0 " * 12, "1,2", "elsewhere.1:0.3"]
WEIGHTS = ["1e400", "nan", "inf", "1e308", "1 2 3", "heavy"]
WINDOWED = ["LM_RegionAttention", "LM_AttentionCapture", "LM_LatentCacheInject", "LM_InfusionBias", "LM_EditConcept"]
WINDOWED += ["LM_ClipSlerpAugment", "LM_SubjectMaskFromAttention"]
FILES = ["missing.safetensors", "../outside.safetensors", "/etc/passwd", "//host/share/x.safetensors", "plain.txt", ""]
SPOILT = ["scalar.safetensors", "ranks.safetensors", "nan.safetensors", "broken.safetensors", "keys.safetensors"]
MANY = "\n".join(f"word{i}" for i in range(10_000))
LONG = "word " * 16_000

PHRASES = {
    "not in the prompt": ("green star", "green star"),
    "empty": ("", ""),
    "80,000 characters": (LONG, ""),
}
WORDED = ["LM_PhraseRegion", "LM_AttentionCapture", "LM_SubjectMaskFromAttention"]

NOTHING = {"conditioning": Linked([[torch.full((1, 77, 128), NAN), {}]]), "start_percent": 0.0}

CASES: list[tuple[str, str, dict, str]] = [
    *[(f"blocks {b[:20]}", "LM_RegionAttention", {"blocks": b}, "") for b in BLOCKS],
    *[(f"blocks {b[:20]}", "LM_AttentionCapture", {"blocks": b}, "") for b in BLOCKS],
    *[(f"sites {s[:20]}", "LM_InfusionBias", {"sites": s}, "") for s in SITES],
    *[(f"image_weights {w}", "LM_InfusionBias", {"image_weights": w}, "") for w in WEIGHTS],
    *[("start after end", node, REVERSED, "start_percent") for node in WINDOWED],
    *[(f"phrase {name}", node, {"phrase": p}, says) for node in WORDED for name, (p, says) in PHRASES.items()],
    *[("10,000 phrases", node, {"phrase": MANY}, "") for node in WORDED[1:]],
    ("10,000 phrases", "LM_RegionsFromMasks", {"phrases": MANY}, ""),
    *[(f"file {name}", "LM_LoadGuidance", {"file": name}, "") for name in FILES + SPOILT],
    *[("latent of NaN", n, {"latent": filled(NAN)}, "") for n in ("LM_InfusionBias", "LM_LatentCacheInject")],
    *[("infinite latent", n, {"latent": filled(INFINITE)}, "") for n in ("LM_InfusionBias", "LM_LatentCacheInject")],
    ("latent of NaN", "LM_SubjectMaskFromAttention", {"latent": filled(NAN)}, ""),
    *[
        ("latent of another model", node, {"latent": Linked(latent(channels=16, seed=1))}, "")
        for node in ("LM_InfusionBias", "LM_LatentCacheInject", "LM_SubjectMaskFromAttention")
    ],
    *[
        ("latent of another size", node, {"latent": Linked(latent(12, 8, seed=1))}, "")
        for node in ("LM_InfusionBias", "LM_LatentCacheInject", "LM_MaskFromAttentionMaps", "LM_InjectedMasks")
        + ("LM_EditMapsToImage", "LM_SaveGuidance")
    ],
    *[("latent that is none", n, {"latent": Linked({})}, "") for n in ("LM_InfusionBias", "LM_LatentCacheInject")],
    *[("latent that is a text", n, {"latent": Linked("x")}, "") for n in ("LM_InfusionBias", "LM_RegionPreview")],
    *[
        (f"mask of shape {s}", "LM_PhraseRegion", {"mask": mask(*s)}, "")
        for s in [(0, 16, 16), (3, 16, 16), (16, 0, 16)]
    ],
    ("mask of NaN", "LM_PhraseRegion", {"mask": Linked(torch.full((1, 16, 16), NAN))}, ""),
    ("mask of 5 axes", "LM_PhraseRegion", {"mask": mask(1, 1, 1, 8, 8)}, ""),
    ("mask that is a text", "LM_PhraseRegion", {"mask": Linked("left")}, ""),
    ("mask of NaN", "LM_LatentCacheInject", {"mask": Linked(torch.full((1, 16, 16), NAN))}, ""),
    ("mask of three pictures", "LM_LatentCacheInject", {"mask": mask(3, 16, 16)}, ""),
    ("mask of three pictures", "LM_InfusionBias", {"mask": mask(3, 16, 16)}, ""),
    ("mask of three pictures", "LM_EditConcept", {"mask": mask(3, 16, 16), "start_percent": 0.0}, ""),
    ("mask of NaN", "LM_EditConcept", {"mask": Linked(torch.full((1, 16, 16), NAN)), "start_percent": 0.0}, ""),
    ("two phrases, one mask", "LM_RegionsFromMasks", {"phrases": "red circle\nblue square"}, ""),
    ("a strength in words", "LM_RegionsFromMasks", {"phrases": "red circle | strong"}, ""),
    ("a strength of NaN", "LM_RegionsFromMasks", {"phrases": "red circle | nan"}, ""),
    ("no phrase", "LM_RegionsFromMasks", {"phrases": ""}, ""),
    ("no colour", "LM_RegionsFromColorMap", {"phrases": "red circle | 1 | 0 | #gggggg"}, ""),
    ("a background that is no colour", "LM_RegionsFromColorMap", {"background": "white-ish"}, ""),
    ("a colour that is not painted", "LM_RegionsFromColorMap", {"phrases": "red circle | 1 | 0 | #123456"}, ""),
    ("image of NaN", "LM_RegionsFromColorMap", {"image": Linked(torch.full((1, 16, 16, 3), NAN))}, ""),
    ("image of two axes", "LM_RegionsFromColorMap", {"image": mask(16, 16)}, ""),
    ("image of two axes", "LM_LabelledGrid", {"images": mask(16, 16)}, ""),
    ("image of two axes", "LM_EvenSteps", {"images": mask(16, 16)}, ""),
    ("one picture of two values", "LM_EvenSteps", {"images": Linked(torch.ones(1, 16, 16, 3))}, "2 values"),
    ("pictures that are all alike", "LM_EvenSteps", {"images": Linked(torch.ones(2, 16, 16, 3))}, "alike"),
    ("probes that are a text", "LM_EvenSteps", {"earlier": Linked("probes")}, "LM_PROBES"),
    ("no pairs", "LM_ClipSlerpAugment", {"direction": "mean of target - neutral"}, "neutral"),
    ("regions that are numbers", "LM_RegionAttention", {"regions": Linked([1, 2])}, ""),
    ("model that is a text", "LM_RegionAttention", {"model": Linked("sd15")}, ""),
    ("model that is a text", "LM_InfusionBias", {"model": Linked("sd15")}, ""),
    ("concept of another model", "LM_EditConcept", {"conditioning": text(768), "start_percent": 0.0}, ""),
    ("concept of NaN", "LM_EditConcept", NOTHING, ""),
    ("concept without text", "LM_EditConcept", {"conditioning": Linked([])}, ""),
    ("concept with an area", "LM_EditConcept", {"conditioning": text(128, area=(4, 4, 0, 0))}, ""),
    ("concept with a mask", "LM_EditConcept", {"conditioning": text(128, mask=torch.ones(1, 8, 8))}, ""),
    ("conditioning that is a number", "LM_EditConcept", {"conditioning": Linked(5)}, ""),
    ("concepts that are a text", "LM_SemanticGuidance", {"concepts": Linked("sunset")}, ""),
    ("target of another model", "LM_ClipSlerpAugment", {"target": text(768)}, ""),
    ("target without text", "LM_ClipSlerpAugment", {"target": Linked([])}, ""),
    ("norm_limit below 1", "LM_ClipSlerpAugment", {"norm_limit": 0.5}, "norm_limit"),
    ("no neutral", "LM_ClipSlerpAugment", {"direction": "target - neutral"}, "neutral"),
    ("maps that are a number", "LM_MaskFromAttentionMaps", {"maps": Linked(7)}, ""),
    ("untracked phrase", "LM_SubjectMaskFromAttention", {"conditioning": text(128)}, "Track Phrases"),
    ("prefix outside of the folder", "LM_SaveGuidance", {"filename_prefix": "../x"}, ""),
    ("prefix from the root", "LM_SaveGuidance", {"filename_prefix": "/tmp/x"}, ""),
    ("occurrence that is not there", "LM_PhraseRegion", {"occurrence": 9}, ""),
    ("clip that is a number", "LM_TrackPhrases", {"clip": Linked(5)}, ""),
]


def spoilt_files() -> dict[str, dict[str, Tensor] | bytes]:
    """Name -> what is in it, of the files in `SPOILT`; they lie in the input folder."""
    edits = torch.randn(3, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    return {
        "scalar.safetensors": {"sigmas": torch.tensor(1.0), "edits": edits},
        "ranks.safetensors": {"sigmas": torch.ones(3, 2), "edits": edits},
        "nan.safetensors": {"sigmas": torch.tensor([14.0, 5.0, 1.0]), "edits": torch.full_like(edits, NAN)},
        "broken.safetensors": b"no tensors",
        "keys.safetensors": {"other": edits},
    }
