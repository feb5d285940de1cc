"""All nodes of the pack, grouped as in the menu."""

from . import compare, phrases, text

NODES = [*phrases.NODES, *text.NODES, *compare.NODES]
