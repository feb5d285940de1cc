"""Pictures whose object is kept in a new scene: painted, and judged."""

from __future__ import annotations

from dataclasses import dataclass

import comfy.sample
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from ..attention.readout import ReadOut, read_out
from ..attention.threshold import METHODS, Threshold
from ..demo import judge
from ..demo.captions import prompt
from ..demo.model import load
from ..demo.scenes import SIZE, Thing
from ..patches.probe import ProbeSettings, probe
from ..patches.run.track import track_phrases
from ..patches.run.window import Window
from .keep_cases import Case, drawn
from .paint import CFG, STEPS, encode, tagged

PLACE = 0.6  # the least common over covered area of a kept subject's cells
GROW = 8  # pixels by which a mask is wider than the object, as Grow Mask does it: a latent cell
BAND = 4  # pixels to both sides of the mask's edge
BATCH = 32
OTSU = Threshold("otsu", METHODS["otsu"])


@dataclass(frozen=True)
class Verdict:
    """How one picture did."""

    kept: bool
    """Shape and colour of each object are there, in its place."""
    scene: bool
    """The background is the one asked for."""
    alone: bool
    """Nothing else is in the picture."""
    edges: float
    """Mean gradient magnitude along the edge of the grown mask, per pixel."""


def judged(reader: judge.Judge, cases: list[Case], pictures: Tensor) -> list[Verdict]:
    """Verdicts on pictures (N, 128, 128, 3)."""
    found = []
    for case, picture, reading in zip(cases, pictures, judge.read(reader, pictures), strict=True):
        asked, masks = case.asked, drawn(case.asked)[1]
        shares = judge.coverage(masks.numpy())
        kept = all(_there(thing, share, reading) for thing, share in zip(asked.things, shares, strict=True))
        alone, whole = len(reading.things) == len(asked.things), grown(masks).amax(0)
        found.append(Verdict(kept, reading.background == asked.background, alone, edges(picture, whole)))
    return found


def _there(thing: Thing, share: np.ndarray, reading: judge.Reading) -> bool:
    """Whether an object is where its share of the cells (16, 16) is."""
    return any(judge.overlap(found.cells, share) >= PLACE for found in reading.of(thing.shape, thing.colour))


def grown(masks: Tensor) -> Tensor:
    """Masks (N, H, W), each wider by GROW pixels."""
    return max_pool2d(masks[None], 2 * GROW + 1, 1, GROW)[0]


def edges(picture: Tensor, mask: Tensor) -> float:
    """Mean gradient magnitude of a picture (H, W, 3) within BAND pixels of the mask's (H, W) edge."""
    hard, wide = (mask > 0.5).float()[None], {"kernel_size": 2 * BAND + 1, "stride": 1, "padding": BAND}
    band = max_pool2d(hard, **wide) + max_pool2d(1 - hard, **wide) > 1.5  # both inside and outside are near
    down, across = torch.gradient(picture, dim=(0, 1))
    return float((down**2 + across**2).sum(-1).sqrt()[band[0]].mean())


class Keeper:
    """TinyScenes before the cases: their latents, masks, encoded prompts and seeds."""

    def __init__(self, cases: list[Case], seed: int) -> None:
        self.cases, self.seed = cases, seed
        self.model, clip, self.vae = load()
        self.clip, self.reader = track_phrases(clip), judge.load()
        pairs = [case.draw() for case in cases]
        self.pictures, self.masks = (torch.stack(both) for both in zip(*pairs, strict=True))
        self.latents = self.vae.encode(self.pictures)
        self.empty = encode(self.clip, [""])

    def wanted(self) -> Tensor:
        """The pictures as they should be: drawn before the background asked for."""
        return torch.stack([drawn(case.asked)[0] for case in self.cases])

    def paint(self, patch, denoise: float, mask: Tensor | None = None, alone: bool = False) -> Tensor:
        """Pictures (N, 128, 128, 3) of what is asked for, from the drawn ones.

        patch(rows) -> the model for these cases. mask (N, H, W): for Set Latent Noise Mask. alone: one by one.
        """
        size, parts = 1 if alone else BATCH, []
        for i in range(0, len(self.cases), size):
            rows = slice(i, i + size)
            parts.append(self._paint(patch(rows), rows, denoise, None if mask is None else mask[rows, None]))
        return torch.cat(parts)

    def _paint(self, model, rows: slice, denoise: float, mask: Tensor | None) -> Tensor:
        texts, latents = [prompt(case.asked) for case in self.cases[rows]], self.latents[rows]
        positive = encode(self.clip, texts) if len(texts) > 1 else tagged(self.clip, texts[0])
        seeds = range(self.seed + rows.start, self.seed + rows.start + len(latents))
        noise = torch.cat([comfy.sample.prepare_noise(latents[:1], seed) for seed in seeds])
        given = (model, noise, STEPS, CFG, "dpmpp_2m", "karras", positive, self.empty, latents)
        out = comfy.sample.sample(*given, denoise=denoise, noise_mask=mask, seed=seeds[0], disable_pbar=True)
        return self.vae.decode(out)

    def seen(self, rows: slice) -> Tensor:
        """Masks (B, 128, 128) of Subject Mask from Attention, from the drawn pictures and their own captions."""
        return torch.cat([self._seen(i) for i in range(*rows.indices(len(self.cases)))])

    def _seen(self, number: int) -> Tensor:
        case, latent = self.cases[number], {"samples": self.latents[number : number + 1]}
        settings = ProbeSettings((case.phrase,), window=Window(0.6, 0.9))
        captured = probe(self.model, tagged(self.clip, prompt(case.scene)), latent, settings)
        return read_out(captured, (case.phrase,), (SIZE, SIZE), ReadOut(OTSU)).mask
