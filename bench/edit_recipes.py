"""What the host's own nodes make of an edit, and Semantic Guidance with words to keep."""

from __future__ import annotations

import torch
from torch import Tensor

from ..demo.captions import phrase
from ..patches.run.concepts import Concept
from ..patches.run.track import track_phrases
from ..patches.run.window import Window
from ..patches.semantic import SemanticSettings, guide
from .edit_cases import Case
from .editing import Editor, Recipe
from .paint import CFG, STEPS, encode, noise_of, paint, tagged

KEEPS = ("background", "object")
"""Kinds of edit that leave the object alone."""
EARLY = 0.15
"""Where these begin: what is kept allows for it."""


def timestep(editor: Editor, cases: list[Case], seeds: list[int], at: float) -> Tensor:
    """The plain prompt until `at` of the schedule, then the rewritten one (two Conditioning Set Timestep Range)."""
    from nodes import ConditioningCombine, ConditioningSetTimestepRange

    sides = (([case.text for case in cases], 0.0, at), ([case.sentence for case in cases], at, 1.0))
    parts = [ConditioningSetTimestepRange().set_range(encode(editor.clip, text), *when)[0] for text, *when in sides]
    return paint(editor.model, editor.vae, ConditioningCombine().combine(*parts)[0], encode(editor.clip, [""]), seeds)


def average(editor: Editor, cases: list[Case], seeds: list[int], strength: float) -> Tensor:
    """Conditioning Average of the rewritten prompt (strength) and the plain one."""
    from nodes import ConditioningAverage

    plain, rewritten = (encode(editor.clip, [getattr(case, name) for case in cases]) for name in ("text", "sentence"))
    mixed = ConditioningAverage().addWeighted(rewritten, plain, strength)[0]
    return paint(editor.model, editor.vae, mixed, encode(editor.clip, [""]), seeds)


def keeping(editor: Editor, cases: list[Case], seeds: list[int], recipe: Recipe) -> Tensor:
    """A picture at a time, as each has its own words to keep: the object's, where the edit leaves it alone."""
    clip, empty, pictures = track_phrases(editor.clip), encode(editor.clip, [""]), []

    for case, seed in zip(cases, seeds, strict=True):
        keep = (phrase(case.scene.things[0]),) if case.kind in KEEPS else ()
        window = Window(EARLY if keep else recipe.start, 1.0)
        concept = Concept(tagged(clip, getattr(case, recipe.text)), False, recipe.scale, window, recipe.threshold)
        settings = SemanticSettings(mask=recipe.mask, against="auto", keep=keep)
        model, _ = guide(editor.model, (concept,), settings)
        pictures.append(paint(model, editor.vae, tagged(clip, case.text), empty, [seed]))
    return torch.cat(pictures)


def perp_neg(editor: Editor, texts: list[str], words: list[str], seeds: list[int]) -> Tensor:
    """Perp-Neg with the words as negative prompt, at the node's neg_scale."""
    import comfy.samplers
    from comfy_extras.nodes_perpneg import PerpNegGuider

    positive, negative, empty = (encode(editor.clip, side) for side in (texts, words, [""]))
    guider = PerpNegGuider.execute(editor.model, positive, negative, empty, CFG, 1.0)[0]
    latent = torch.zeros(len(seeds), 4, 16, 16)
    noise = noise_of(latent, seeds)
    sigmas = comfy.samplers.calculate_sigmas(editor.model.get_model_object("model_sampling"), "karras", STEPS)
    sampler = comfy.samplers.sampler_object("dpmpp_2m")
    return editor.vae.decode(guider.sample(noise, latent, sampler, sigmas, disable_pbar=True, seed=seeds[0]))


def nag(editor: Editor, texts: list[str], words: list[str], seeds: list[int]) -> Tensor:
    """Normalized Attention Guidance at the node's defaults, with the words as negative prompt."""
    from comfy_extras.nodes_nag import NAGuidance

    return editor.paint(texts, seeds, words, NAGuidance.execute(editor.model, 5.0, 0.5, 1.5)[0])
