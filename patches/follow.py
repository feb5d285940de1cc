"""Phrases that find their own place: where the model looks at them in the first steps of a run."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ..attention.captured import Captured
from ..attention.maps import aggregate
from ..attention.places import GRID, places
from ..attention.quote import listed
from ..attention.regions import Region
from .capture import Capture, CaptureSettings
from .models.site import Site
from .run.engine import UNSEEN, Look
from .run.run import Run
from .run.window import Window

UNTIL = 0.1
"""Of the noise schedule. While what a step sees decides little yet, a place can still change what takes shape."""


class Seeker:
    """Reads where phrases are looked at, until their places are settled; then they are held until the run's end.

    What counts is the last step before: the first ones see hardly more than noise.
    """

    def __init__(self, regions: tuple[Region, ...], blocks: frozenset[str], node: str) -> None:
        self.phrases = tuple(dict.fromkeys(region.phrase for region in regions if region.mask is None))
        self.reader = Capture(CaptureSettings(self.phrases, node=node), blocks, lambda read: None)
        self.masks: dict[str, Tensor] = {}
        """Phrase -> (B, h, w) of 0 and 1; empty until they are settled."""
        self.acted = False
        """Whether a step in which regions act came after that."""

    def start(self, run: Run) -> None:
        self.reader.start(run)

    def prepare(self, run: Run) -> None:
        self.reader.prepare(run)

    def settles(self, run: Run) -> bool:
        """Before a step: whether the places were settled just now."""
        self.reader.step(run)
        late = Window(UNTIL, 1.0).contains(run.sigma, run.sampling)
        captured = self.reader.take(run.video(run.given["noise"])) if late and not self.masks else None
        if captured is None:
            self.reader.forget()
            return False
        self.masks = dict(zip(self.phrases, found(captured, self.phrases), strict=True))
        return True

    def placed(self, region: Region) -> Region:
        return region if region.mask is not None else replace(region, mask=self.masks[region.phrase])

    def wants(self, site: Site) -> bool:
        return not self.masks and self.reader.wants(site)

    def look(self, look: Look) -> None:
        if self.wants(look.site):
            self.reader.look(look)

    def idle(self) -> str:
        """Why the phrases were not placed, or ''."""
        if self.acted:
            return ""
        if not self.masks and not self.reader.looked:
            return UNSEEN
        return (
            f"No step was left for '{listed(self.phrases)}' once their place was found, which takes one step at least "
            f"and those until {UNTIL:g} of the noise schedule, so they did nothing; raise end_percent, or take more "
            "steps."
        )


def found(captured: Captured, phrases: tuple[str, ...]) -> Tensor:
    """(phrases, B, h, w) of 0 and 1: a place for each; those that share words of the prompt may share it."""
    height, width = captured.samples.shape[-2:]
    cells = GRID / min(height, width)
    maps = aggregate(captured.layers, (round(height * cells), round(width * cells)))
    maps = maps[:, [captured.words.index(phrase) for phrase in phrases]]
    pairs = [[other in captured.rivals[phrase] for other in phrases] for phrase in phrases]
    return places(maps, torch.tensor(pairs)).transpose(0, 1)
