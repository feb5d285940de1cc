"""All nodes of the pack, grouped as in the menu."""

from . import (
    compare,
    concepts,
    edits,
    even_steps,
    infusion,
    injected,
    masks,
    phrases,
    region_attention,
    region_boxes,
    region_canvas,
    region_preview,
    regions,
    subject,
    text,
)

NODES = [
    *phrases.NODES,
    *masks.NODES,
    *regions.NODES,
    *region_canvas.NODES,
    *region_boxes.NODES,
    *region_preview.NODES,
    *region_attention.NODES,
    *subject.NODES,
    *injected.NODES,
    *infusion.NODES,
    *concepts.NODES,
    *edits.NODES,
    *text.NODES,
    *compare.NODES,
    *even_steps.NODES,
]
