"""Runs an API graph in this process, by the host's own executor and nodes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pack.demo.nodes import NODES as DEMO
from pack.nodes import NODES


class Nobody:
    """Stands for the server: no client listens."""

    client_id = None

    def send_sync(self, event: str, data: dict, client: str | None = None) -> None:
        pass


def register(monkeypatch, others: dict[str, type]) -> None:
    """Makes the host know its extra nodes, this pack's, and `others` by their ids; undone at the test's end."""
    import nodes

    if "PreviewAny" not in nodes.NODE_CLASS_MAPPINGS:
        asyncio.run(nodes.init_builtin_extra_nodes())
    own = {node.GET_SCHEMA().node_id: node for node in [*NODES, *DEMO]}
    for name, node in {**own, **others}.items():
        monkeypatch.setitem(nodes.NODE_CLASS_MAPPINGS, name, node)


def loader(like: type, *outputs: object) -> type:
    """A node with the inputs and output types of `like` that gives these outputs whatever it is asked for."""

    class Loader:
        INPUT_TYPES, RETURN_TYPES, FUNCTION = like.INPUT_TYPES, like.RETURN_TYPES, "load"

        def load(self, **inputs) -> tuple:
            return outputs

    return Loader


def run(graph: dict, folder: Path) -> dict[str, dict]:
    """Node id -> what it shows, of every output node; pictures go to `folder`. AssertionError: a node failed."""
    import execution
    import folder_paths

    folder_paths.set_output_directory(str(folder))
    folder_paths.set_temp_directory(str(folder))
    cache = {"lru": 0, "ram": 0, "ram_inactive": 0}
    executor = execution.PromptExecutor(Nobody(), execution.CacheType.CLASSIC, cache)
    executor.execute(graph, "test", {}, [node for node, entry in graph.items() if shows(entry["class_type"])])
    failed = [data for event, data in executor.status_messages if event == "execution_error"]
    assert not failed, f"{failed[0]['node_type']}: {failed[0]['exception_message']}"
    return executor.history_result["outputs"]


def shows(kind: str) -> bool:
    import nodes

    return bool(getattr(nodes.NODE_CLASS_MAPPINGS[kind], "OUTPUT_NODE", False))
