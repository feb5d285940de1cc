"""Ids that nodes of this pack had before: the host offers to replace them, in API graphs without asking.

The host knows old ids alone, so a node whose inputs change in a way that old graphs do not survive gets a new id. An
entry names every input that the new node must get, as what is not named is lost; an old optional input may only be
named where every old graph has it, as the host fails on an API graph that lacks one.
"""

from __future__ import annotations

from comfy_api.latest import ComfyAPI, io

REPLACED: list[io.NodeReplace] = []
"""Such as NodeReplace("LM_New", "LM_Old", ["the old widgets in order"], [{"new_id": "phrase", "old_id": "words"}])."""


async def offer_replacements() -> None:
    """For the extension's `on_load`."""
    for entry in REPLACED:
        await ComfyAPI().node_replacement.register(entry)
