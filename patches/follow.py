"""Phrases that find their own place: where the model begins to paint them in the first steps of a run."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ..attention.captured import Captured
from ..attention.owners import owned
from ..attention.parts import strongest
from ..attention.quote import listed
from ..attention.readout import ReadOut, read_out
from ..attention.regions import Region
from ..attention.threshold import Threshold
from .capture import Capture, CaptureSettings
from .models.site import Site
from .run.engine import UNSEEN, Look
from .run.run import Run
from .run.window import Window

READ = ReadOut(Threshold("otsu"), combine="each", always=True)
"""Also of a phrase that the model forgets so far: it gets the place that looks at it most."""


class Seeker:
    """Reads where phrases are looked at, until their place is settled; then it is held until the run's end."""

    def __init__(self, regions: tuple[Region, ...], until: float, blocks: frozenset[str], node: str) -> None:
        """until: percent of the noise schedule; one step is read at least."""
        self.phrases = tuple(dict.fromkeys(region.phrase for region in regions if region.mask is None))
        self.rest = Window(until, 1.0)
        self.reader = Capture(CaptureSettings(self.phrases, node=node), blocks, lambda read: None)
        self.masks: dict[str, Tensor] = {}
        """Phrase -> (B, h, w) in 0..1, on the latent's grid; empty until they are settled."""
        self.acted = False
        """Whether a step in which regions act came after that."""

    def start(self, run: Run) -> None:
        self.reader.start(run)

    def prepare(self, run: Run) -> None:
        self.reader.prepare(run)

    def settles(self, run: Run) -> bool:
        """Before a step: whether the places were settled just now."""
        self.reader.step(run)
        late = self.rest.contains(run.sigma, run.sampling)
        captured = self.reader.take(run.video(run.given["noise"])) if late and not self.masks else None
        if captured is None:
            self.reader.forget()
            return False
        self.masks = dict(zip(self.phrases, places(captured, self.phrases), strict=True))
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
            f"and those until find_until {self.rest.start:g}, so they did nothing; lower find_until, raise "
            "end_percent, or take more steps."
        )


def places(captured: Captured, phrases: tuple[str, ...]) -> Tensor:
    """(phrases, B, h, w) of 0 and 1 on the latent's grid: where each phrase is looked at, in one part, and no rival's.

    What is looked at alike from everywhere has no place of its own; it gets the whole picture.
    """
    size = tuple(captured.samples.shape[-2:])
    read = read_out(captured, phrases, size, READ)
    masks, maps = (flat.unflatten(0, (len(phrases), -1)).transpose(0, 1) for flat in (read.mask, read.heat))
    pairs = [[other in captured.rivals[phrase] for other in phrases] for phrase in phrases]
    masks = masks * owned(maps, torch.tensor(pairs).expand(len(maps), -1, -1))
    parts = strongest(masks.flatten(0, 1), maps.flatten(0, 1))
    return parts.where(parts.flatten(1).any(1)[:, None, None], 1.0).unflatten(0, masks.shape[:2]).transpose(0, 1)
