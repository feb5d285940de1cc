"""Re-spaces the values of a slider so that neighbouring pictures are equally far apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

CELLS = 16  # along the shorter side of a picture: what is finer is texture, which changes without a change to see


@dataclass(frozen=True)
class Probes:
    """Pictures of a slider, in the order of its values, which only rise or only fall."""

    values: tuple[float, ...]
    looks: Tensor
    """(K, F) in 0..1: the pictures' colours averaged in cells."""

    def part(self, first: int, last: int) -> Probes:
        """From picture `first` to `last`, both included."""
        return Probes(self.values[first : last + 1], self.looks[first : last + 1])

    @property
    def gaps(self) -> list[float]:
        """How far each picture is from the one before it: the root mean square of the colour differences, 0..1."""
        return [_far(one, two) for one, two in zip(self.looks[:-1], self.looks[1:], strict=True)]

    @property
    def path(self) -> list[float]:
        """The way from the first picture to each: the sum of the gaps."""
        return [0.0, *torch.tensor(self.gaps, dtype=torch.float64).cumsum(0).tolist()]


def probes(values: Sequence[float], pictures: Sequence[Tensor]) -> Probes:
    """values: K numbers. pictures: batches (B, H, W, C) in 0..1, K pictures of one size in all.

    ValueError: fewer than two pictures, other counts, other sizes, values that turn back or repeat.
    """
    values, count = tuple(values), sum(map(len, pictures))
    if count != len(values):
        raise ValueError(
            f"There are {_counted(len(values), 'value')} for {_counted(count, 'picture')}; connect the list of values "
            "that the pictures were made with, one for each."
        )
    if count < 2:
        raise ValueError("One picture has no neighbour to be compared with; make pictures of 2 values or more.")
    if len({batch.shape[1:] for batch in pictures}) > 1:
        raise ValueError("The pictures differ in size; make them all with one width and height.")
    if not _ordered(values):
        shown = ", ".join(f"{value:g}" for value in values[:8])
        raise ValueError(f"The values {shown} turn back or repeat; let them only rise or only fall, as Value Sweep's.")
    return Probes(values, torch.cat([_look(batch) for batch in pictures]))


def joined(earlier: Probes, new: Probes) -> Probes:
    """Both in one order; ValueError where a value that both hold has pictures further apart than any neighbours are."""
    if earlier.looks.shape[1:] != new.looks.shape[1:]:
        raise ValueError("The pictures have another shape than those before; make all with one width and height.")
    known = dict(zip(earlier.values, earlier.looks, strict=True))
    for value, look in zip(new.values, new.looks, strict=True):
        if value in known and _far(known[value], look) > max(earlier.gaps):
            raise ValueError(
                f"The picture of the value {value:g} is another one than before; make all pictures with the same "
                "prompt, seed, size and sampler."
            )
        known[value] = look
    falls = earlier.values[0] > earlier.values[-1]
    values = sorted(known, reverse=falls)
    return Probes(tuple(values), torch.stack([known[value] for value in values]))


def without_still_ends(given: Probes, still: float) -> Probes:
    """Without the first and last gaps smaller than `still` (0..1) times the largest."""
    gaps = given.gaps
    moving = [i for i, gap in enumerate(gaps) if gap >= still * max(gaps)]
    return given.part(moving[0], moving[-1] + 1)


def up_to(given: Probes, limit: float) -> Probes:
    """Up to the last picture before one that is further than `limit` from the first; 0 = all of them."""
    far = [i for i, look in enumerate(given.looks) if limit and _far(given.looks[0], look) > limit]
    if far and far[0] == 1:
        raise ValueError(
            f"The picture of the value {given.values[1]:g} is {_far(*given.looks[:2]):.3f} from the first one, beyond "
            f"the limit of {limit:g}; raise the limit, or make pictures of closer values."
        )
    return given.part(0, far[0] - 1) if far else given


def even_values(given: Probes, count: int) -> list[float]:
    """`count` (2 or more) values at equal steps of the path, straight between the probes; both ends exactly.

    ValueError: a path without length.
    """
    path, values = given.path, []
    if path[-1] == 0:
        raise ValueError(
            "All pictures are alike, so there is nothing to space evenly; widen the range of the values, or connect "
            "them to an input that changes the picture."
        )
    for step in range(1, count - 1):
        goal = path[-1] * step / (count - 1)
        at = max(i for i in range(len(path) - 1) if path[i] <= goal)
        share = (goal - path[at]) / (path[at + 1] - path[at])
        values.append(given.values[at] + share * (given.values[at + 1] - given.values[at]))
    return [given.values[0], *values, given.values[-1]]


def _look(batch: Tensor) -> Tensor:
    """(B, H, W, C) -> (B, F): colours averaged in CELLS cells along the shorter side, alpha left out."""
    colours = batch[..., :3].float().cpu().movedim(-1, 1)
    scale = min(1.0, CELLS / min(colours.shape[2:]))
    size = [max(1, round(side * scale)) for side in colours.shape[2:]]
    return interpolate(colours, size=size, mode="area").flatten(1)


def _far(one: Tensor, two: Tensor) -> float:
    return (one - two).square().mean().sqrt().item()


def _ordered(values: tuple[float, ...]) -> bool:
    steps = [after - before for before, after in zip(values[:-1], values[1:], strict=True)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
