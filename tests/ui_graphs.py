"""Reads the UI graphs of the templates as the frontend exports them, with what is in their subgraphs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "workflows"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
NOTES = ("MarkdownNote", "Note")  # not part of a prompt
INPUTS, OUTPUTS = -10, -20  # ids of a subgraph's two ends
CONTROL = "control_after_generate"
UNSENT = (CONTROL, "fixed", "upload")  # widgets of the frontend: what happens to a seed, an upload button


def ui_graph(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def api_graph(name: str) -> dict:
    return json.loads((FOLDER / "api" / f"{name}.json").read_text(encoding="utf-8"))


def without_titles(api: dict) -> dict:
    return {node: {"class_type": entry["class_type"], "inputs": entry["inputs"]} for node, entry in api.items()}


@dataclass(frozen=True)
class Part:
    """The whole graph, or a subgraph in the place of one of its nodes."""

    graph: dict
    kinds: dict[str, dict]  # id of a subgraph -> its definition
    outer: Part | None = None
    holder: dict = field(default_factory=dict)  # the node that stands for it

    def name(self, node: dict) -> str:
        return f"{self.holder['id']}:{node['id']}" if self.outer else str(node["id"])

    def links(self) -> dict[int, tuple]:
        """Link id -> (origin node, its output, target node, its input)."""
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
        rows = [[link[key] for key in keys] if isinstance(link, dict) else link for link in self.graph["links"]]
        return {link: tuple(ends[:4]) for link, *ends in rows}

    def inside(self, node: dict) -> Part:
        return Part(self.kinds[node["type"]], self.kinds, self, node)

    def source(self, link: int) -> list:
        """[node, output] that a link comes from, through the ends of subgraphs."""
        origin, slot, *_ = self.links()[link]
        if origin == INPUTS:
            return self.outer.source(self.holder["inputs"][slot]["link"])
        node = next(node for node in self.graph["nodes"] if node["id"] == origin)
        if node["type"] not in self.kinds:
            return [self.name(node), slot]
        part = self.inside(node)
        return part.source(next(link for link, (*_, end, at) in part.links().items() if (end, at) == (OUTPUTS, slot)))

    def nodes(self) -> Iterator[tuple[Part, dict]]:
        """Every node that is part of a prompt, and the part it is in."""
        for node in self.graph["nodes"]:
            if node["type"] in self.kinds:
                yield from self.inside(node).nodes()
            elif node["type"] not in NOTES:
                yield self, node


def whole(ui: dict) -> Part:
    return Part(ui, {part["id"]: part for part in ui.get("definitions", {}).get("subgraphs", [])})


def nodes_of(ui: dict) -> dict[str, dict]:
    """Name in a prompt -> node, without notes."""
    return {part.name(node): node for part, node in whole(ui).nodes()}


def to_api(ui: dict, widget_names: dict[str, list[str]]) -> dict:
    """The API graph of a saved UI graph. widget_names: node -> what its widgets_values are, in their order."""
    graph = {}
    for part, node in whole(ui).nodes():
        names, values = widget_names[part.name(node)], node.get("widgets_values", [])
        assert len(names) == len(values), f"{node['type']} has {len(values)} widget values for {names}"
        inputs = {name: value for name, value in zip(names, values, strict=True) if name not in UNSENT}
        linked = [slot for slot in node["inputs"] if slot.get("link") is not None]
        inputs |= {slot["name"]: part.source(slot["link"]) for slot in linked}
        graph[part.name(node)] = {"class_type": node["type"], "inputs": inputs}
    return graph
