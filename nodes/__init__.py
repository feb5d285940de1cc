"""All nodes of the pack, grouped as in the menu."""

from . import compare, masks, phrases, region_attention, region_preview, regions, text

NODES = [
    *phrases.NODES,
    *masks.NODES,
    *regions.NODES,
    *region_preview.NODES,
    *region_attention.NODES,
    *text.NODES,
    *compare.NODES,
]
