"""How much of a picture the model and the sampler show an effect, in latent cells."""

from __future__ import annotations

from .rows import Entry


def check_whole(shape: tuple[int, ...], size: tuple[int, int], entries: list[Entry | None]) -> None:
    """ValueError: a model call of this shape shows a tile, not the sampler's picture (h, w) or an entry's area in it.

    A sampler may change the size of the whole picture, and a node inside the model that of its features.
    """
    for entry in filter(None, entries):
        expected = _part(size, entry.area)
        if shape[-2:] != expected:
            raise ValueError(
                f"This node cannot work in tiles, but another one shows the model {_sides(shape)} of "
                f"{_sides(expected)} latent cells; remove the tiling node or give it the unpatched model."
            )


def check_kept(shape: tuple[int, ...], first: tuple[int, ...]) -> None:
    """ValueError: the sampler's x has another shape than at the start of the run."""
    if shape != first:
        raise ValueError(
            f"The sampler changes the size while it samples, from {_sides(first)} to {_sides(shape)} latent cells; "
            "choose a sampler that keeps it."
        )


def _part(size: tuple[int, int], area: tuple[int, int, int, int] | None) -> tuple[int, int]:
    """(h, w) of an area (h, w, y, x), which the host cuts at the picture's edge."""
    if area is None:
        return size
    return min(area[0], size[0] - area[2]), min(area[1], size[1] - area[3])


def _sides(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape[-2:]))
