"""Every node, input and link of the templates is what the host and this pack say of their nodes."""

import asyncio

import pytest
from pack.tests.tiny_adapter import ABSENT, real_pack
from pack.tests.ui_graphs import CONTROL, NAMES, api_graph, nodes_of, to_api, ui_graph, without_titles

WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
ADAPTER = "IPAdapter"  # how the names of that pack's nodes begin
each_template = pytest.mark.parametrize("name", NAMES)


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
        template = options[0]["template"] if what == "COMFY_AUTOGROW_V3" else None
        if template:  # as many inputs as are linked, each of them with the group's name in front
            ((kind, *_),) = template["input"]["required"].values()
            found |= {f"{name}.{template['prefix']}{i}": (kind, {}) for i in range(template["max"])}
        else:
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
            names += ["upload"] if options.get("image_upload") else []
    return names


@each_template
def test_every_node_and_input_exists_and_none_is_missing(name, definitions):
    graph = known_graph(name, definitions)
    for node in graph.values():
        kind = definitions[node["class_type"]]
        assert set(node["inputs"]) <= set(inputs_of(kind))
        given = {put.split(".")[0] for put in node["inputs"]}
        assert set(kind["input"].get("required", {})) <= given


@each_template
def test_links_have_the_type_of_their_ends(name, definitions):
    graph = known_graph(name, definitions)
    for node in graph.values():
        for put, value in node["inputs"].items():
            if isinstance(value, list):
                origin, slot = value
                given = definitions[graph[origin]["class_type"]]["output"][slot]
                wanted = inputs_of(definitions[node["class_type"]])[put][0]
                assert set(given.split(",")) & set(wanted.split(",")) or "*" in (given, wanted)


@each_template
def test_the_twin_is_what_the_ui_graph_says_by_position(name, definitions):
    """The order of widgets_values is all that frontends before 1.49 know."""
    ui, graph = ui_graph(name), known_graph(name, definitions)
    names = {node: widgets_of(definitions[entry["type"]]) for node, entry in nodes_of(ui).items()}
    assert to_api(ui, names) == without_titles(graph)
