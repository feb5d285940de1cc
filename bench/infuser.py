"""TinyScenes behind Infusion Bias: cases, pictures biased by them, and what is seen in those."""

from __future__ import annotations

import statistics
from contextlib import contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

FIRST, SEED, STEPS = (
    70_000,
    6000,
    5,
)  # held-out scenes from number FIRST on; settings were chosen on those from 60,000 on
BATCH, ALIKE = 48, 4  # pictures in a batch; of one concept
SHARE = {"preset": "all", "mix": "share", "input": "noised"}  # the node's own


@dataclass(frozen=True)
class Case:
    """Biasing scenes with one background, and the shape that a prompt asks for, which none of them shows."""

    scenes: tuple
    shape: str

    @property
    def prompt(self) -> str:
        return f"a {self.shape}"


def case(number: int) -> Case:
    import numpy as np
    from pack.demo.scenes import SHAPES, random_scene
    from pack.demo.train.data import TEST_SEED

    rng = np.random.default_rng((TEST_SEED, FIRST + number))
    shape, scenes = str(rng.choice(SHAPES)), []
    while len(scenes) < ALIKE:
        scene = replace(random_scene(rng, 1), style="")
        if scene.things[0].shape != shape:
            scenes.append(replace(scene, background=scenes[0].background if scenes else scene.background))
    return Case(tuple(scenes), shape)


@contextmanager
def own_pictures(count: int):
    """Every row of a batch is biased by its own `count` pictures, as so many runs of one row each would be.

    Row i's are the latents i, i + rows, i + 2 rows, ...; `check` compares it to a run of one row.
    """
    from pack.patches import share
    from pack.patches.run import record

    def logits(weight, shares, where):
        own = (shares * len(shares) / count).unflatten(0, (count, -1)).transpose(0, 1).flatten(1)
        return (weight * own).log()[:, None, None]

    tokens = patch.object(
        share, "side_by_side", lambda t: t.unflatten(0, (count, -1)).permute(1, 2, 0, 3, 4).flatten(2, 3)
    )
    features = patch.object(record, "mean_over_images", lambda h, weights: h.unflatten(0, (count, -1)).mean(0))
    with features, tokens, patch.object(share, "column_logits", logits):
        yield


class Infuser:
    """TinyScenes behind Infusion Bias."""

    def __init__(self, cases: list[Case]) -> None:
        import torch
        from pack.demo import judge
        from pack.demo.model import load
        from pack.demo.scenes import render

        (self.model, self.clip, self.vae), self.reader, self.cases = load(), judge.load(), cases
        self.drawn = [torch.stack([torch.from_numpy(render(scene)[0]) for scene in c.scenes]) for c in cases]
        self.latents = [self.vae.encode(pictures) for pictures in self.drawn]

    def paint(self, first: int, last: int, how: dict, weight: float, count: int = 1):
        """Pictures of the cases from first to last - 1, each biased by its first `count` scenes; how: settings."""
        import torch
        from pack.bench.paint import encode, paint
        from pack.patches.infuse import InfuseSettings, infuse

        biasing = torch.cat([z[i : i + 1] for i in range(count) for z in self.latents[first:last]])
        everywhere = torch.ones(last - first, 1, 1)  # of as many pictures as rows: none of them serves all
        model = infuse(self.model, biasing, everywhere, InfuseSettings(weight, **how))
        prompts = encode(self.clip, [case.prompt for case in self.cases[first:last]])
        seeds = [SEED + i for i in range(first, last)]
        return paint(model, self.vae, prompts, encode(self.clip, [""]), seeds, steps=STEPS)

    def every(self, how: dict, weight: float, count: int = 1):
        import torch

        with own_pictures(count):
            parts = [self.paint(i, i + BATCH, how, weight, count) for i in range(0, len(self.cases), BATCH)]
        return torch.cat(parts)

    def check(self) -> None:
        """The batch is what the node does with one picture after the other."""
        for count in (1, ALIKE):
            for how, weight in (({"preset": "all"}, 0.1), (SHARE, 3.0)):
                alone = self.paint(0, 1, how, weight, count)
                with own_pictures(count):
                    beside = self.paint(0, 3, how, weight, count)[:1]
                assert (alone - beside).abs().max() < 1e-3

    def score(self, pictures) -> dict[str, float]:
        """Means over the cases: what the judge sees, and the share of pixels at an end of their range."""
        from pack.demo import judge

        found = list(zip(judge.read(self.reader, pictures), self.cases, strict=True))
        seen = {
            "background": [reading.backgrounds[c.scenes[0].background] for reading, c in found],
            "kept": [any(thing.shape == c.shape for thing in reading.things) for reading, c in found],
            "colour": [any(t.colour == c.scenes[0].things[0].colour for t in r.things) for r, c in found],
            "carried": [any(t.shape == c.scenes[0].things[0].shape for t in r.things) for r, c in found],
        }
        clipped = float(((pictures < 0.01) | (pictures > 0.99)).float().mean())
        return {name: statistics.mean(values) for name, values in seen.items()} | {"clipped": clipped}
