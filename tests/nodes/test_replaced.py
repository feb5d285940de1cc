"""Old ids of nodes reach the host when it loads the pack, and name what there is."""

import asyncio
import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

ENTRY = Path(__file__).parents[2] / "__init__.py"


@pytest.fixture
def extension(comfy):
    """What the host gets from the pack's own entry point."""
    spec = importlib.util.spec_from_file_location("pack", ENTRY)  # not imported as `pack`, which tests have already
    module = importlib.util.module_from_spec(spec)
    module.__package__ = "pack"
    spec.loader.exec_module(module)
    return asyncio.run(module.comfy_entrypoint())


@pytest.fixture
def manager(comfy, monkeypatch):
    """The host's own, without its server."""
    import server
    from app.node_replace_manager import NodeReplaceManager

    made = NodeReplaceManager()
    monkeypatch.setattr(server.PromptServer, "instance", SimpleNamespace(node_replace_manager=made), raising=False)
    return made


@pytest.fixture
def made_up(monkeypatch):
    """An entry: Track Phrases was called LM_MadeUp, and its clip was called encoder."""
    from comfy_api.latest import io
    from pack.nodes import replaced

    mapping = [{"new_id": "clip", "old_id": "encoder"}]
    entry = io.NodeReplace("LM_TrackPhrases", "LM_MadeUp", [], mapping, [{"new_idx": 0, "old_idx": 0}])
    monkeypatch.setattr(replaced, "REPLACED", [entry])


def served(manager) -> dict:
    """The answer of the host's route, which the frontend asks."""
    from aiohttp import web

    routes = web.RouteTableDef()
    manager.add_routes(routes)
    (route,) = [route for route in routes if route.path == "/node_replacements"]
    return json.loads(asyncio.run(route.handler(None)).text)


def faults(entries: dict, schemas: dict) -> list[str]:
    """Old ids whose entry would make no whole node: the old id is none, or an input is missing or unknown."""
    found = []
    for old, (entry, *_) in entries.items():
        inputs = {given.id: given.optional for given in schemas[entry["new_node_id"]].inputs}
        needed, named = (
            {n for n in inputs if not inputs[n]},
            {given["new_id"] for given in entry["input_mapping"] or ()},
        )
        if not old.startswith("LM_") or old in schemas or not needed <= named <= set(inputs):
            found.append(old)
    return found


def test_an_entry_reaches_the_host(extension, manager, made_up):
    asyncio.run(extension.on_load())
    (entry,) = served(manager)["LM_MadeUp"]
    assert (entry["old_node_id"], entry["new_node_id"]) == ("LM_MadeUp", "LM_TrackPhrases")
    assert entry["input_mapping"] == [{"new_id": "clip", "old_id": "encoder"}]


def test_the_host_replaces_an_old_id_in_an_api_graph(extension, manager, made_up, monkeypatch):
    import nodes

    (track,) = [node for node in asyncio.run(extension.get_node_list()) if node.__name__ == "TrackPhrases"]
    monkeypatch.setitem(nodes.NODE_CLASS_MAPPINGS, "LM_TrackPhrases", track)
    asyncio.run(extension.on_load())
    graph = {"2": {"class_type": "LM_MadeUp", "inputs": {"encoder": ["1", 1]}, "_meta": {"title": "old"}}}
    manager.apply_replacements(graph)
    assert graph["2"]["class_type"] == "LM_TrackPhrases" and graph["2"]["inputs"] == {"clip": ["1", 1]}


def test_entries_name_what_there_is(extension, manager, monkeypatch):
    from comfy_api.latest import io
    from pack.nodes import replaced

    schemas = {node.define_schema().node_id: node.define_schema() for node in asyncio.run(extension.get_node_list())}
    asyncio.run(extension.on_load())
    assert faults(served(manager), schemas) == []
    wrong = [{"new_id": "clip", "old_id": "encoder"}, {"new_id": "no", "old_id": "no"}]
    given = {"LM_1": None, "LM_2": wrong, "LM_LoadGuidance": wrong[:1]}
    entries = [io.NodeReplace("LM_TrackPhrases", old, [], how) for old, how in given.items()]
    monkeypatch.setattr(replaced, "REPLACED", entries)
    asyncio.run(extension.on_load())
    assert faults(served(manager), schemas) == ["LM_1", "LM_2", "LM_LoadGuidance"]
