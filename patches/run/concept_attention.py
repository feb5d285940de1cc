"""Where edit concepts look, for LEDITS++ masks."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...attention.probabilities import probabilities
from ...sampling.semantic import quantile
from ..models.site import Site
from .engine import AttentionEffect, Look
from .rows import Entry
from .run import Run
from .track import read_tag

CELLS = 256  # LEDITS++ reads the 16 x 16 layers of SD1.5: of all grids the nearest to them
UNSEEN = (
    "The model's attention to the concepts was never met, as another node skips or replaces it, so masks of kind "
    "'ledits' kept the largest of each edit only."
)


class ConceptAttention(AttentionEffect):
    """Attention of the picture to all words of each concept, of the present step."""

    node = "Semantic Guidance"

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.words: dict[tuple, tuple[int, ...]] = {}
        self.seen: dict[str, dict[tuple[int, int], list[Tensor]]] = {}
        self.run: Run | None = None
        self.asked = self.met = False

    def watch(self, run: Run, entries: dict[tuple, Entry]) -> None:
        """Looks for the concepts' words; ValueError: one does not know them, or never sees the whole picture."""
        self.run = run
        for key, entry in entries.items():
            tag = entry.tag or read_tag({})
            found = {piece.row for encoder in tag.encoders for piece in encoder.pieces if piece.row is not None}
            self.words[key] = tuple(sorted(row for row in found if row < entry.tokens))
            if not self.words[key]:
                raise ValueError("An edit concept without words has no attention; write its text, or use another mask.")
        if {entry.name for entry in entries.values() if entry.area is None} != set(self.names):
            raise ValueError(
                "Masks of kind 'ledits' are read where a prompt sees the whole picture, but every positive prompt has "
                "an area; combine them with one that has none, or use another mask."
            )

    def step(self, run: Run) -> None:
        self.seen = {}

    def wants(self, site: Site) -> bool:
        return not site.self_attention and self.run is not None and self.run.calls == 1

    def look(self, look: Look) -> None:
        name = look.entry.name
        if name not in self.names or look.entry.area is not None:
            return
        self.met = True
        seen = probabilities(look.q, look.k, [self.words[look.entry.key]])
        grid = look.site.grid
        self.seen.setdefault(name, {}).setdefault(grid, []).append(
            seen[:, 0].unflatten(1, (look.site.frames, *grid)).mean(1)
        )

    def idle(self, run: Run) -> str:
        return UNSEEN if self.asked and not self.met else ""

    def mask(self, name: str, threshold: float, psi: Tensor) -> Tensor | float:
        """(B, 1, ..., h, w): the pixels whose smoothed attention is among the largest (SOURCES 2.7)."""
        self.asked = True
        grids = self.seen.get(name)
        if not grids:
            return 1.0
        grid = min(grids, key=lambda found: abs(math.log(found[0] * found[1] / CELLS)))
        attention = _smooth(torch.stack(grids[grid]).mean(0)[:, None])
        cut = quantile(attention.flatten(2), threshold)[..., None, None]
        mask = F.interpolate((attention >= cut).to(psi), size=psi.shape[-2:], mode="nearest")
        return mask.reshape(len(psi), *[1] * (psi.ndim - 3), *psi.shape[-2:])


def _smooth(maps: Tensor) -> Tensor:
    """3 x 3 Gaussian as LEDITS++ has it, exp(-(d / (2 * 0.5))^2), over a mirrored edge; a lone cell is its mirror."""
    line = torch.exp(-(torch.tensor([-1.0, 0.0, 1.0], device=maps.device) ** 2))
    kernel = line[:, None] * line / line.sum() ** 2
    for sides, length in (((1, 1, 0, 0), maps.shape[3]), ((0, 0, 1, 1), maps.shape[2])):
        maps = F.pad(maps, sides, mode="reflect" if length > 1 else "replicate")
    return F.conv2d(maps, kernel[None, None].to(maps))
