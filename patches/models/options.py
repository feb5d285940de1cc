"""Adding to transformer_options, whose lists and dicts belong to all nodes: new ones take their place."""

from __future__ import annotations

from collections.abc import Callable


def append_patches(options: dict, **ours: Callable) -> None:
    """Puts a patch behind those of other nodes, by the host's name for its place."""
    theirs = options.get("patches", {})
    options["patches"] = {**theirs, **{name: [*theirs.get(name, []), patch] for name, patch in ours.items()}}


def replaced_blocks(options: dict, kind: str) -> dict[tuple, Callable]:
    """What stands in the place of blocks, or of their attention, by the host's kind of replacement."""
    return options.get("patches_replace", {}).get(kind, {})


def replace_blocks(options: dict, kind: str, ours: dict[tuple, Callable]) -> None:
    options["patches_replace"] = {**options.get("patches_replace", {}), kind: replaced_blocks(options, kind) | ours}
