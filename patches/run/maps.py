"""The handle on a graph edge that keeps what finished runs looked at."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from ...attention.captured import Captured
from ...sampling.moving import Move
from .latents import video_part

KEPT = 256  # finished runs a handle remembers
BYTES = 256 * 2**20  # and what they may hold together; the last run is kept whatever its size


@dataclass(frozen=True)
class Cuts:
    """The masks that one finished run of LatentCacheInject used, on the CPU."""

    masks: Tensor
    """(cuts * B, h, w) in 0..1 on the latent's grid, all pictures of the first cut first."""
    samples: Tensor
    ratio: int
    moves: tuple[Move, ...] = ()
    """Of the picture put back: one for all, or one for each of the batch; (): it stayed."""


@dataclass(frozen=True)
class Edits:
    """What one finished run of SemanticGuidance edited, on the CPU."""

    names: tuple[str, ...]
    """The concepts, by their words where those are known."""
    maps: Tensor
    """(B, concepts, h, w) in 0..1: the share of steps and channels in which a cell was edited."""
    sigmas: tuple[float, ...]
    edits: Tensor
    """(steps, B, C, ..., h, w) in eps units, one for each of the sigmas."""
    samples: Tensor
    ratio: int


Record = Captured | Cuts | Edits
MAKERS = {Captured: "Attention Capture", Cuts: "Latent Cache Inject", Edits: "Semantic Guidance"}
EMPTY = {
    Captured: "Attention Capture has no maps yet",
    Cuts: "Latent Cache Inject has not run yet",
    Edits: "Semantic Guidance has edited nothing yet",
}


class Maps:
    """LM_MAPS: the handle between a patched MODEL and the nodes that read its maps."""

    def __init__(self) -> None:
        self.runs: list[Record] = []
        self.gone = 0
        """Runs that had to make room."""

    def add(self, record: Record) -> None:
        self.runs = [*self.runs, record]
        while len(self.runs) > KEPT or (len(self.runs) > 1 and sum(map(size, self.runs)) > BYTES):
            self.runs, self.gone = self.runs[1:], self.gone + 1

    def fit(self, samples: Tensor, kind: type = Captured) -> Record:
        """The last run that made this latent, or all its pictures in any order; ValueError if there is none."""
        samples = video_part(samples)
        if not self.runs:
            raise ValueError(f"{EMPTY[kind]}; connect its MODEL to the sampler whose LATENT this is, and run again.")
        if not isinstance(self.runs[-1], kind):
            raise ValueError(f"These maps do not come from {MAKERS[kind]}; connect the maps of that node.")
        for run in reversed(self.runs):
            rows = _rows(run.samples, samples)
            if rows:
                return run if rows == list(range(len(run.samples))) else picked(run, rows)
        raise ValueError(self._unknown(samples, kind))

    def _unknown(self, samples: Tensor, kind: type) -> str:
        gone = ""
        if self.gone:
            gone = (
                f", or its run is one of the first {self.gone}, which made room ({KEPT} runs and {BYTES // 2**20} MB "
            )
            gone += "are kept; sample fewer at a time)"
        sizes = list(dict.fromkeys(str(list(run.samples.shape)) for run in self.runs))
        if str(list(samples.shape)) not in sizes:
            return (
                f"No captured run has this LATENT's size {list(samples.shape)}{gone}; those captured are "
                f"{', '.join(sizes)}: connect the LATENT of the sampler that used the captured MODEL."
            )
        return (
            f"This LATENT was not made by a run of the {MAKERS[kind]} model: it was changed since, or comes from "
            f"elsewhere{gone}; connect the sampler's own LATENT (not its denoised_output)."
        )


def size(record: Record) -> int:
    """Bytes of its tensors."""
    values = [getattr(record, field.name) for field in fields(record)]
    tensors = [tensor for value in values for tensor in (value.values() if isinstance(value, dict) else [value])]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors if torch.is_tensor(tensor))


def picked(record: Record, rows: list[int]) -> Record:
    """The same for some of the run's pictures."""
    samples = record.samples[rows]
    if isinstance(record, Edits):
        return replace(record, maps=record.maps[rows], edits=record.edits[:, rows], samples=samples)
    if isinstance(record, Cuts):
        batch = len(record.samples)
        masks = record.masks.unflatten(0, (len(record.masks) // batch, batch))
        moves = tuple(record.moves[i] for i in rows) if len(record.moves) > 1 else record.moves
        return replace(record, masks=masks[:, rows].flatten(0, 1), samples=samples, moves=moves)
    layers = {block: layer[rows] for block, layer in record.layers.items()}
    selves = None if record.self_attention is None else record.self_attention[rows]
    return replace(record, layers=layers, self_attention=selves, samples=samples)


def _rows(own: Tensor, samples: Tensor) -> list[int]:
    """Which picture of a run each of these is; [] if one is none of them. The host may round what it passes on."""
    if own.shape[1:] != samples.shape[1:]:
        return []
    own, samples = own.to(samples.dtype), samples.cpu()
    if torch.equal(own, samples):
        return list(range(len(own)))
    found = [next((i for i, one in enumerate(own) if torch.equal(one, item)), None) for item in samples]
    return [] if None in found else found
