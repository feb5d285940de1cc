"""Every template is a UI graph, its API twin, its note and its picture, and they agree."""

import asyncio
import itertools
import json
import re
from pathlib import Path

import pytest
from pack.tests.tiny_adapter import ABSENT, real_pack

FOLDER = Path(__file__).parent.parent / "workflows"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
TITLE = 30  # pixels of a node's head, above its position
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
CONTROL = "control_after_generate"
UNSENT = (CONTROL, "upload")  # widgets that the frontend adds for itself: what happens to a seed, an upload button
MACHINE = re.compile(r"/home/|/root/|/Users/|/tmp/|/work/|[A-Za-z]:\\\\|localhost|127\.0\.0\.1")
ADAPTER = "IPAdapter"  # how the names of that pack's nodes begin
each_template = pytest.mark.parametrize("name", NAMES)


def ui_graph(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def api_graph(name: str) -> dict:
    return json.loads((FOLDER / "api" / f"{name}.json").read_text(encoding="utf-8"))


def nodes_of(ui: dict) -> list[dict]:
    """Without notes, which are not part of a prompt."""
    return [node for node in ui["nodes"] if node["type"] not in ("MarkdownNote", "Note")]


def to_api(ui: dict, widget_names: dict[int, list[str]]) -> dict:
    """The API graph of a saved UI graph. widget_names: node id -> what its widgets_values are, in their order."""
    sources = {link: [str(origin), slot] for link, origin, slot, *_ in ui["links"]}
    graph = {}
    for node in nodes_of(ui):
        names, values = widget_names[node["id"]], node.get("widgets_values", [])
        assert len(names) == len(values), f"{node['type']} has {len(values)} widget values for {names}"
        inputs = {name: value for name, value in zip(names, values, strict=True) if name not in UNSENT}
        linked = [slot for slot in node["inputs"] if slot.get("link") is not None]
        inputs |= {slot["name"]: sources[slot["link"]] for slot in linked}
        graph[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return graph


def without_titles(api: dict) -> dict:
    return {node: {"class_type": entry["class_type"], "inputs": entry["inputs"]} for node, entry in api.items()}


def test_there_is_a_template():
    assert NAMES


@pytest.mark.parametrize("place", ["api/*.json", "*.jpg", "notes/*.md"])
def test_each_template_has_a_twin_a_picture_and_a_note(place):
    assert sorted(path.stem for path in FOLDER.glob(place)) == NAMES


@each_template
def test_the_twin_is_what_the_ui_graph_says(name):
    """By the names that the frontend saved next to the values; no host needed."""
    ui = ui_graph(name)
    names = {node["id"]: list(node.get("widgets_values_named", {})) for node in ui["nodes"]}
    assert to_api(ui, names) == without_titles(api_graph(name))


@each_template
def test_it_is_small_and_has_one_note(name):
    nodes = ui_graph(name)["nodes"]
    notes = [node for node in nodes if node["type"] == "MarkdownNote"]
    text = (FOLDER / "notes" / f"{name}.md").read_text(encoding="utf-8").strip()
    assert len(nodes) <= 21 and [note["widgets_values"][0] for note in notes] == [text]


@each_template
def test_seeds_stay(name):
    """Every seed keeps its value after a run, and is a number, not a link to something random."""
    for node in nodes_of(ui_graph(name)):
        named = node.get("widgets_values_named", {})
        if "seed" in named or "noise_seed" in named:
            assert named.get(CONTROL, "fixed") == "fixed"  # a node may have none
            assert not {"seed", "noise_seed"} & {slot["name"] for slot in node["inputs"] if slot["link"]}


@each_template
def test_it_names_no_place_of_this_machine(name):
    for path in (FOLDER / f"{name}.json", FOLDER / "api" / f"{name}.json", FOLDER / "notes" / f"{name}.md"):
        assert not MACHINE.findall(path.read_text(encoding="utf-8"))


@each_template
def test_titles_are_the_nodes_own_and_the_view_is_free(name):
    ui = ui_graph(name)
    assert [node["id"] for node in ui["nodes"] if "title" in node or node["mode"] != 0] == []
    assert "ds" not in ui["extra"]  # else the frontend opens it at this zoom instead of fitting it to the window


@each_template
def test_it_reads_from_left_to_right_and_nothing_overlaps(name):
    ui = ui_graph(name)
    boxes = {node["id"]: (*node["pos"], *node["size"]) for node in ui["nodes"]}
    for (left, top, width, height), (x, y, wide, high) in itertools.combinations(boxes.values(), 2):
        beside = left + width <= x or x + wide <= left
        assert beside or top + height <= y - TITLE or y + high <= top - TITLE
    for _, origin, _, target, *_ in ui["links"]:
        assert boxes[origin][0] + boxes[origin][2] < boxes[target][0]


@pytest.fixture(scope="module")
def definitions(comfy):
    """A node id -> what /object_info says of it."""
    from pack.demo.nodes import NODES as DEMO
    from pack.nodes import NODES

    import nodes

    known = {node.GET_SCHEMA().node_id: node for node in [*NODES, *DEMO]}
    wanted = {entry["class_type"] for name in NAMES for entry in api_graph(name).values()}
    if wanted - set(known) - set(nodes.NODE_CLASS_MAPPINGS):
        asyncio.run(nodes.init_builtin_extra_nodes())
    found = {**adapter_nodes(), **nodes.NODE_CLASS_MAPPINGS, **known}
    return {kind: definition(found[kind]) for kind in wanted if kind in found or not kind.startswith(ADAPTER)}


def adapter_nodes() -> dict[str, type]:
    """Node classes of the IP-Adapter pack; none where it is not at hand."""
    try:
        return real_pack().NODE_CLASS_MAPPINGS
    except pytest.skip.Exception:
        return {}


def known_graph(name: str, definitions: dict) -> dict:
    """An API graph, or a skip where it holds nodes of a pack that is not here."""
    graph = api_graph(name)
    missing = {entry["class_type"] for entry in graph.values()} - set(definitions)
    if missing:
        pytest.skip(ABSENT)
    return graph


def definition(node: type) -> dict:
    """{"input": {"required", "optional"}, "output": types, ...}, for both kinds of node classes."""
    if hasattr(node, "GET_NODE_INFO_V1"):
        return node.GET_NODE_INFO_V1()
    return {"input": node.INPUT_TYPES(), "output": node.RETURN_TYPES}


def inputs_of(kind: dict) -> dict[str, tuple[str, dict]]:
    """Name -> (type, options), in the frontend's order; a list of choices is a COMBO."""
    found = {}
    for name, (what, *options) in {**kind["input"].get("required", {}), **kind["input"].get("optional", {})}.items():
        found[name] = ("COMBO" if isinstance(what, list) else what, options[0] if options else {})
    return found


def widgets_of(kind: dict) -> list[str]:
    """What a node's widgets_values are: its widgets in order, and those the frontend adds."""
    names = []
    for name, (what, options) in inputs_of(kind).items():
        if what in WIDGETS and not options.get("forceInput"):
            names.append(name)
            seed = what == "INT" and name in ("seed", "noise_seed")
            names += [CONTROL] if options.get(CONTROL, seed) else []
            names += [UNSENT[1]] if options.get("image_upload") else []
    return names


@each_template
def test_every_node_and_input_exists_and_none_is_missing(name, definitions):
    graph = known_graph(name, definitions)
    for node in graph.values():
        kind = definitions[node["class_type"]]
        assert set(node["inputs"]) <= set(inputs_of(kind))
        assert set(kind["input"].get("required", {})) <= set(node["inputs"])


@each_template
def test_links_have_the_type_of_their_ends(name, definitions):
    graph = known_graph(name, definitions)
    for node in graph.values():
        for put, value in node["inputs"].items():
            if isinstance(value, list):
                origin, slot = value
                given = definitions[graph[origin]["class_type"]]["output"][slot]
                wanted = inputs_of(definitions[node["class_type"]])[put][0]
                assert given == wanted or "*" in (given, wanted)


@each_template
def test_the_twin_is_what_the_ui_graph_says_by_position(name, definitions):
    """The order of widgets_values is all that frontends before 1.49 know."""
    ui, graph = ui_graph(name), known_graph(name, definitions)
    names = {node["id"]: widgets_of(definitions[node["type"]]) for node in nodes_of(ui)}
    assert to_api(ui, names) == without_titles(graph)
