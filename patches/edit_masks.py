"""Where the concepts of a run may edit: their masks, the largest changes, their words, all but what is kept."""

from __future__ import annotations

from math import ceil

from torch import Tensor
from torch.nn.functional import max_pool2d

from ..attention.readout import ReadOut, read_out
from ..attention.threshold import METHODS, Threshold
from ..sampling.semantic import largest
from .capture import Capture, CaptureSettings
from .models.reach import sites_of
from .run.ahead import look_ahead
from .run.concept_attention import ConceptAttention
from .run.concepts import Concept
from .run.masks import check_count, on_latent
from .run.rows import Entry
from .run.run import Run
from .run.window import Window

READ = ReadOut(Threshold("otsu", METHODS["otsu"]), refine=1, always=True)


class EditMasks:
    """Of one run of SemanticGuidance."""

    def __init__(self, kind: str, keep: tuple[str, ...], concepts: list[Concept], names: list[str], node: str) -> None:
        self.kind, self.keep, self.concepts, self.names, self.node = kind, keep, concepts, names, node
        self.drawn: list[Tensor | None] = []
        self.attention: ConceptAttention | None = None
        self.reader: Capture | None = None
        """Of the phrases to keep."""
        self.kept: Tensor | None = None
        """Their place, (B, h, w) in 0..1 on the latent's grid, once the first concept acts."""
        self.begins = Window(1.0, 1.0)

    def start(self, run: Run) -> None:
        if self.kind == "ledits":
            self.attention = ConceptAttention(self.names)
            run.effects.append(self.attention)
            self.attention.start(run)
        starts = [concept.window.start for concept in self.concepts if not concept.never]
        if self.keep and starts:
            blocks = frozenset(sites_of(run.guider.model_patcher).blocks)
            self.begins = Window(min(starts), 1.0)
            self.reader = Capture(CaptureSettings(self.keep, True, node=self.node), blocks, lambda captured: None)
            self.reader.start(run)

    def prepare(self, run: Run, entries: dict[tuple, Entry]) -> None:
        if self.reader:
            self.reader.prepare(run)
        self.drawn = [_on_latent(concept.mask, run) for concept in self.concepts]
        if self.attention:
            self.attention.watch(run, entries)

    def step(self, run: Run) -> None:
        if self.reader is None or self.kept is not None or not self.begins.contains(run.sigma, run.sampling):
            return
        look_ahead(run, self.reader)
        captured = self.reader.take(run.video(run.given["noise"]))
        if captured is not None:
            self.kept = _wider(read_out(captured, self.keep, run.noise_shape[-2:], READ).mask, captured.self_grid)

    def of(self, i: int, psi: Tensor) -> Tensor | float:
        """(B, C or 1, h, w) in 0..1 for the scaled difference psi (B, C, ..., h, w) of concept i."""
        threshold = self.concepts[i].threshold
        mask: Tensor | float = 1.0
        if self.kind != "none":
            mask = largest(psi, threshold, joint=self.kind != "sega")
        if self.attention:
            mask = mask * self.attention.mask(self.names[i], threshold, psi)
        if self.reader:
            mask = mask * self._free(psi)
        return mask if self.drawn[i] is None else mask * self.drawn[i].to(psi)

    def idle(self, run: Run) -> str:
        return " ".join(filter(None, (part.idle(run) for part in (self.attention, self.reader) if part)))

    def _free(self, psi: Tensor) -> Tensor | float:
        """All but the place of the kept phrases; nothing as long as that is not known."""
        if self.kept is None:
            return 0.0
        kept = self.kept.to(psi)
        return 1 - kept.reshape(len(kept), *[1] * (psi.ndim - 3), *kept.shape[-2:])


def _wider(mask: Tensor, grid: tuple[int, int]) -> Tensor:
    """(B, h, w) with a margin of one cell of the grid on which it was refined: outlines are no finer than that."""
    margin = [ceil(side / cells) if cells else 0 for side, cells in zip(mask.shape[-2:], grid, strict=True)]
    return max_pool2d(mask[:, None], [2 * side + 1 for side in margin], 1, margin)[:, 0]


def _on_latent(mask: Tensor | None, run: Run) -> Tensor | None:
    if mask is None:
        return None
    check_count(mask, run.noise_shape[0], "The mask of a concept")
    return on_latent(mask, run.noise_shape)
