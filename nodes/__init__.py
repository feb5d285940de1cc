"""All nodes of the pack, grouped as in the menu."""

from . import (
    compare,
    concepts,
    edits,
    infusion,
    masks,
    phrases,
    region_attention,
    region_preview,
    regions,
    subject,
    text,
)

NODES = [
    *phrases.NODES,
    *masks.NODES,
    *regions.NODES,
    *region_preview.NODES,
    *region_attention.NODES,
    *subject.NODES,
    *infusion.NODES,
    *concepts.NODES,
    *edits.NODES,
    *text.NODES,
    *compare.NODES,
]
