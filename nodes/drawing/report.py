"""What regions amount to, in words and numbers."""

from __future__ import annotations

from torch import Tensor

from ...attention.cells import cells
from ...attention.phrases import Rows, Tag, positions
from ...attention.quote import short
from ...attention.regions import Region
from ...patches.run.track import read_tag

LEVELS = {1: "SD1.5", 2: "SD1.5, SDXL", 4: "SD1.5, SDXL", 8: "SD1.5"}
"""Latent cells per attention cell, and the models whose U-Net attends to text at that size."""

FOLLOWS = "finds its place while sampling"
NEUTRAL = "strength and outside are 0, so it changes nothing"

FEW = 4  # cells below which a phrase hardly finds its place


def covered(masks: Tensor) -> tuple[list[float], float, float]:
    """Shares of a picture: each region's, no region's, and two or more regions'; soft masks count as they are.

    masks: (regions, H, W) in 0..1.
    """
    strongest = masks.topk(min(2, len(masks)), dim=0).values.flatten(1).mean(1).tolist()  # [any, two or more]
    return masks.flatten(1).mean(1).tolist(), 1 - strongest[0], strongest[1] if len(strongest) > 1 else 0.0


def caption(region: Region, share: float) -> str:
    """One line for a legend."""
    outside = f", outside {region.outside:g}" if region.outside else ""
    where = FOLLOWS if region.mask is None else f"{share:.0%} of the picture"
    return f"{short(region.phrase)}: strength {region.strength:g}{outside}{_focus(region)}, {where}"


def describe(region: Region, share: float, latent: tuple[int, int], conditioning: list | None) -> list[str]:
    """Lines about one region; `latent` is (h, w), `share` the part of the picture that it covers, 0..1."""
    numbers = f"strength {region.strength:g}, outside {region.outside:g}{_focus(region)}"
    covers = FOLLOWS if region.mask is None else f"covers {share:.1%}"
    lines = [f"{short(region.phrase)}: {numbers}, {covers}"]
    if conditioning is not None:
        lines.append(f"tokens: {tokens(region, conditioning)}")
    if region.mask is None:
        return [*lines, *([f"warning: {NEUTRAL}"] if region.off else [])]
    counts = {level: (cell_count(region.mask, grid), grid) for level, grid in grids(latent).items()}
    written = (f"{count} of {h * w} at /{level}" for level, (count, (h, w)) in counts.items())
    which = ", in the picture with the fewest" if len(region.mask) > 1 else ""
    lines.append(f"cells: {', '.join(written)}{which}")
    few = [f"/{level} ({LEVELS[level]})" for level, (count, _) in counts.items() if count < FEW]
    return [*lines, *(f"warning: {warning}" for warning in _warnings(region, few))]


def _focus(region: Region) -> str:
    return f", focus {region.focus:g}" if region.focus else ""


def numbered(groups: list[list[str]]) -> list[str]:
    """Lines with a number before the first of each group, and the rest indented."""
    return [
        f"{n}. {line}" if i == 0 else f"   {line}" for n, group in enumerate(groups, 1) for i, line in enumerate(group)
    ]


def grids(latent: tuple[int, int]) -> dict[int, tuple[int, int]]:
    """(h, w) of the attention layers at each level; odd sizes round up, as the U-Net's strides do."""
    return {level: (-(-latent[0] // level), -(-latent[1] // level)) for level in LEVELS}


def cell_count(mask: Tensor, grid: tuple[int, int]) -> int:
    """Cells at least half covered; of several pictures the fewest. mask: (B, H, W)."""
    return int((cells(mask, grid) >= 0.5).flatten(1).sum(1).min())


def tokens(region: Region, conditioning: list) -> str:
    """The rows of a region's phrase in the first entry that has it, or why none has."""
    why = "the conditioning is empty"
    for _, options in conditioning:
        try:
            tag = read_tag(options)
            found = positions(region.phrase, tag)
        except ValueError as error:
            why = str(error)
            continue
        if region.occurrence <= len(found):
            chosen = found[region.occurrence - 1 :][:1] if region.occurrence else found
            return "; ".join(_pieces(rows, tag) for rows in chosen)
        why = f"the phrase stands {len(found)} times in the prompt, not {region.occurrence}"
    return why


def _pieces(rows: Rows, tag: Tag) -> str:
    texts = {piece.row: piece.text for encoder in reversed(tag.encoders) for piece in encoder.pieces}
    return ", ".join(f"{row} '{_printable(texts[row])}'" for row in rows)


def _printable(text: str) -> str:
    """A token may hold a part of a character."""
    return text.strip().encode("utf-8", "replace").decode()


def _warnings(region: Region, few: list[str]) -> list[str]:
    empty = int((region.mask.flatten(1).amax(1) == 0).sum())
    effect = "the phrase is pushed out of the whole picture" if region.outside else "the region does nothing there"
    where = f"in {empty} of {len(region.mask)} pictures" if len(region.mask) > 1 else "everywhere"
    return [
        *([NEUTRAL] if region.off and not empty else []),
        *([f"the mask is black {where}, so {effect}"] if empty else []),
        *(
            [f"fewer than {FEW} cells at {', '.join(few)}, too few for a thing to take shape"]
            if few and not (empty or region.off)
            else []
        ),
    ]
