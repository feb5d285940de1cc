"""Graphs that need more than one node's inputs to be wrong: name -> (graph, whether a finite result is right too)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pack.tests.trust.building import PHRASE, Graph, Linked, around, latent, regions


def patched(g: Graph, effect: str, height: int = 8, width: int = 8) -> list:
    """A MODEL with one of our effects, from the start of the schedule on."""
    early = {"start_percent": 0.0, "end_percent": 1.0}
    picture = {"latent": Linked(latent(height, width, seed=5))}
    if effect in ("inject", "phrase"):
        where = {"phrase": PHRASE} if effect == "phrase" else {"mask": Linked(torch.tril(torch.ones(1, 16, 16)))}
        return g.own("LM_LatentCacheInject", {**early, **picture, **where}, model=g.model)
    if effect == "infuse":
        return g.own("LM_InfusionBias", picture, model=g.model)
    if effect == "regions":
        return g.own("LM_RegionAttention", {}, model=g.model, regions=regions(g, {}))
    concept = g.own("LM_EditConcept", {"start_percent": 0.0, "threshold": 0.5}, conditioning=g.text("at sunset"))
    return g.own("LM_SemanticGuidance", {"mask_mode": effect}, model=g.model, concepts=concept)


def custom(effect: str, sampler: str, given: dict, sigmas: list[float]) -> dict:
    """SamplerCustom with these noise levels."""
    g = Graph()
    how = dict(add_noise=True, noise_seed=1, cfg=4.0, positive=g.positive, negative=g.negative)
    links = dict(sampler=g.add(sampler, **given), sigmas=g.give(torch.tensor(sigmas)), latent_image=g.give(latent()))
    g.keep(g.add("SamplerCustom", model=patched(g, effect), **how, **links), "picture")
    return g.nodes


def upscaling(effect: str) -> dict:
    given = dict(scale_ratio=2.0, scale_steps=-1, upscale_method="bislerp")
    return custom(effect, "SamplerLCMUpscale", given, [14.6, 6.0, 2.0, 0.5, 0.0])


def repeated(effect: str) -> dict:
    return custom(effect, "KSamplerSelect", {"sampler_name": "euler"}, [5.0, 5.0, 0.0])


def narrow(effect: str) -> dict:
    g = Graph()
    g.sample(patched(g, effect, 1, 8), size=g.give(latent(1, 8)))
    return g.nodes


def timed() -> dict:
    """The prompt does not act where the node looks."""
    g = Graph()
    g.positive = g.add("ConditioningSetTimestepRange", conditioning=g.positive, start=0.0, end=0.3)
    inputs = dict(model=g.model, conditioning=g.positive, latent=g.give(latent(seed=1)), phrase=PHRASE)
    g.keep(g.own("LM_SubjectMaskFromAttention", {}, **inputs), "mask")
    return g.nodes


def foreign_maps(reader: str) -> dict:
    """The maps of another node than the one that is read."""
    g = Graph()
    maker = "inject" if reader != "LM_InjectedMasks" else "sega"
    made = patched(g, maker)
    g.keep(g.own(reader, {}, maps=[made[0], 1], latent=g.sample(made)), "out")
    return g.nodes


def unsampled(reader: str) -> dict:
    """Maps are read before any run."""
    g = Graph()
    made = g.own("LM_AttentionCapture", {}, model=g.model, phrase=PHRASE)
    g.keep(g.own(reader, {}, maps=[made[0], 1], latent=g.give(latent())), "out")
    return g.nodes


def negative_at_cfg_1() -> dict:
    return around("LM_RegionAttention", {"apply_to": "negative"}, cfg=1.0)


EFFECTS = ("inject", "phrase", "infuse", "sega", "ledits", "regions")
READERS = ("LM_MaskFromAttentionMaps", "LM_InjectedMasks", "LM_EditMapsToImage", "LM_SaveGuidance")
NESTED = "(" * 2000 + "red" + ")" * 2000
PHOTOGRAPH = (2, 2048, 2048, 3)
CASES: dict[str, tuple[Callable[[], dict], bool]] = {
    **{f"a sampler that changes the size, {e}": (lambda e=e: upscaling(e), True) for e in EFFECTS},
    **{f"a noise level twice, {e}": (lambda e=e: repeated(e), True) for e in EFFECTS},
    **{f"a latent one cell high, {e}": (lambda e=e: narrow(e), True) for e in EFFECTS},
    **{f"{reader} reads another node's maps": (lambda r=reader: foreign_maps(r), False) for reader in READERS},
    **{f"{reader} reads before a run": (lambda r=reader: unsampled(r), False) for reader in READERS},
    "a timed prompt at Subject Mask": (timed, False),
    "a region on the negative at CFG 1": (negative_at_cfg_1, False),
    "pictures of one pixel": (
        lambda: around("LM_SubjectMaskFromAttention", {"image": Linked(torch.rand(1, 1, 1, 3))}),
        True,
    ),
    "nested brackets in a phrase": (lambda: around("LM_PhraseRegion", {"phrase": NESTED}), True),
    "no region": (lambda: around("LM_RegionAttention", {"regions": Linked(())}), True),
    "nested brackets at Split": (
        lambda: around("LM_SplitSubjectScene", {"text": NESTED}),
        True,
    ),
    "a colour map of a photograph": (
        lambda: around(
            "LM_RegionsFromColorMap",
            {"image": Linked(torch.rand(PHOTOGRAPH, generator=torch.Generator().manual_seed(0))), "phrases": PHRASE},
        ),
        True,
    ),
}
