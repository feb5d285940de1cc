"""A kept picture and its mask, moved to where the subject shall stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...sampling.moving import WHOLE, Move, box_of, move_to
from .masks import check_count


@dataclass(frozen=True)
class Place:
    """Where the subject comes to: into a box, and then aside and scaled."""

    x: float = 0.0
    """To the right, in widths of the picture."""
    y: float = 0.0
    """Down, in heights of the picture."""
    scale: float = 1.0
    """About the middle of the subject."""
    region: Tensor | None = field(default=None, repr=False)
    """(B or 1, H, W): the subject goes into the box around this mask."""

    @property
    def stays(self) -> bool:
        return (self.x, self.y, self.scale, self.region) == (0, 0, 1, None)

    def moves(self, mask: Tensor | None, batch: int, cells: tuple[int, int]) -> tuple[Move, ...]:
        """One for all pictures, or one for each; mask: (B or 1, H, W), None if the whole picture is kept."""
        if self.region is not None:
            check_count(self.region, batch, "The mask of place")
        masks, regions = ([None] if given is None else list(given) for given in (mask, self.region))
        count = max(len(masks), len(regions))
        return tuple(self._move(*(each[i % len(each)] for each in (masks, regions)), cells) for i in range(count))

    def _move(self, mask: Tensor | None, region: Tensor | None, cells: tuple[int, int]) -> Move:
        own, place = WHOLE if mask is None else box_of(mask), None if region is None else box_of(region)
        return move_to(cells, own, place, self.x, self.y, self.scale)


def check_place(place: Place, follows: bool) -> None:
    """ValueError: a place that cannot be reached; follows: the mask is that of a phrase."""
    if follows and not place.stays:
        raise ValueError(
            "A phrase finds the subject where the new picture has it, so it cannot be moved from there; give a mask "
            "(Subject Mask from Attention finds one by a phrase), or set move_x and move_y to 0 and scale to 1, and "
            "connect no place."
        )
    if place.region is not None and not place.region.flatten(1).any(1).all():
        raise ValueError(
            "The first region of place is black, so there is no box for the subject; draw one, or disconnect place."
        )


def moved(samples: Tensor, mask: Tensor, moves: tuple[Move, ...]) -> tuple[Tensor, Tensor]:
    """Latents (B or 1, ..., h, w) and masks of them, at their new place; one for each move if there are several.

    ValueError: no cell of a mask keeps half of its greatest value.
    """
    there = _each(Move.mask, moves, mask)
    if (there.flatten(1).amax(1) < mask.flatten(1).amax(1) / 2).any():
        raise ValueError(
            "move_x, move_y, scale or place take the subject out of the picture, or make it smaller than a cell of the "
            "latent; choose smaller moves, or a larger scale."
        )
    return _each(Move.picture, moves, samples), there


def moved_pictures(image: Tensor, moves: tuple[Move, ...]) -> Tensor:
    """IMAGE (B, H, W, C) as its latent was moved; one picture and several moves give as many.

    ValueError: other counts.
    """
    if not moves:
        return image
    if len(image) > 1 and len(moves) not in (1, len(image)):
        raise ValueError(
            f"The image holds {len(image)} pictures, but {len(moves)} were moved, each in its own way; give one, or as "
            "many."
        )
    return _each(Move.picture, moves, image.movedim(-1, 1)).movedim(1, -1)


def _each(how: Callable[[Move, Tensor], Tensor], moves: tuple[Move, ...], items: Tensor) -> Tensor:
    """Items (B, ...) by one move for all or one for each; a single one by each of the moves."""
    count = max(len(moves), len(items))
    return torch.cat([how(moves[i % len(moves)], items[i % len(items)][None]) for i in range(count)])
