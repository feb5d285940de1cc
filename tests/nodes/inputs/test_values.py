"""Every input of every node is held against its schema when the node runs, typed or linked."""

from math import inf, nan
from types import SimpleNamespace

import pytest
import torch


@pytest.fixture(scope="module")
def nodes(comfy):
    from pack.demo.nodes import NODES as DEMO
    from pack.nodes import NODES

    return [*NODES, *DEMO]


def refused(schema, name, value):
    """The sentence."""
    from pack.nodes.inputs.values import checked

    with pytest.raises(ValueError) as error:
        checked(schema, {name: [value] if schema.is_input_list else value})
    message = str(error.value)
    assert name in message and message.endswith(".") and "\n" not in message and len(message) < 700
    return message


def wrong(spec) -> list:
    """Values that this input must not take, as a link can bring them."""
    kind = "STRING" if type(spec).__name__ == "Names" else spec.get_io_type()  # any text may be the name of a file
    if kind in ("FLOAT", "INT"):
        ends = [spec.min - 1, spec.max * 2 + 1]
        return [nan, inf, -inf, 10**400, "text", [], torch.ones(2), *ends, *([0.5] if kind == "INT" else [])]
    texts = {"COMBO": ["nonsense", 3, "x" * 90000], "STRING": [3, ["a"], torch.ones(1)], "BOOLEAN": ["yes", 2.5]}
    pictures = {
        "MASK": [torch.ones(3), torch.ones(1, 2, 2, 3), torch.zeros(0, 4, 4), torch.full((1, 2, 2), nan), "m", {}],
        "IMAGE": [torch.ones(2, 2), torch.zeros(0, 4, 4, 3), torch.full((1, 2, 2, 3), nan), 3],
        "LATENT": [{}, torch.ones(1, 4, 2, 2), {"samples": torch.full((1, 4, 2, 2), inf)}]
        + [{"samples": torch.full((1, 4, 2, 2), nan)}, {"samples": torch.zeros(0, 4, 2, 2)}, {"samples": None}],
    }
    others = ["CONDITIONING", "MODEL", "CLIP", "LM_MAPS", "LM_REGIONS", "LM_CONCEPTS"]
    found = {**texts, **pictures, **{name: ["text", 3.0, object()] for name in others}}.get(kind, [])
    broken = [[torch.full((1, 2, 3), nan), {}]], [[torch.ones(1, 2, 3), {"pooled_output": torch.full((1, 3), inf)}]]
    return [*found, *([*broken, [1, 2], [[1]]] if kind == "CONDITIONING" else ())]


def test_wrong_values_are_refused_by_every_input(nodes):
    tried = 0
    for node in nodes:
        schema = node.define_schema()
        for spec in schema.inputs:
            for value in wrong(spec):
                refused(schema, spec.id, value)
                tried += 1
    assert tried > 400


def test_ends_and_defaults_are_legal(nodes):
    from pack.nodes.inputs.values import checked

    for node in nodes:
        schema = node.define_schema()
        for spec in schema.inputs:
            ends = [getattr(spec, name, None) for name in ("min", "max", "default")]
            for value in filter(lambda end: end is not None, ends):
                given = [value] if schema.is_input_list else value
                assert checked(schema, {spec.id: given}) == {spec.id: given}


def test_what_is_not_connected_is_not_checked(nodes):
    from pack.nodes.inputs.values import checked

    for node in nodes:
        for spec in (spec for spec in node.define_schema().inputs if spec.optional):
            assert checked(node.define_schema(), {spec.id: None}) == {}


def test_a_reversed_window_is_refused_by_every_node_that_has_one(nodes):
    from pack.nodes.inputs.values import checked

    with_window = [n for n in nodes if "start_percent" in {spec.id for spec in n.define_schema().inputs}]
    assert len(with_window) >= 6
    for node in with_window:
        with pytest.raises(ValueError, match=r"^start_percent 0\.7 lies behind end_percent 0\.3; .* swap them\.$"):
            checked(node.define_schema(), {"start_percent": 0.7, "end_percent": 0.3})


def test_masks_come_in_one_form(comfy):
    from pack.nodes.inputs.values import mask

    given = torch.tensor([[-1.0, 0.5], [inf, 2.0]], dtype=torch.float64)
    assert torch.equal(mask(SimpleNamespace(id="mask"), given), torch.tensor([[[0.0, 0.5], [1.0, 1.0]]]))


def test_an_error_begins_with_the_name_of_its_node_once(nodes):
    by_id = {node.define_schema().node_id: node for node in nodes}
    region = by_id["LM_PhraseRegion"]
    with pytest.raises(ValueError, match=r"^Phrase Region: strength is 7, but it must be from 0 to 3\.$"):
        region.execute("a", 7, 0.0, 0.0, torch.ones(1, 2, 2))
    with pytest.raises(ValueError, match=r"^Phrase Region: The phrase is empty; "):
        region.execute(" ", 0.5, 0.0, 0.0, torch.ones(1, 2, 2))
    assert all(node.__mro__[1].__name__ == "Node" for node in nodes)


def test_the_host_runs_nodes_on_locked_copies_of_their_classes(nodes):
    from comfy_api.internal import lock_class, shallow_clone_class

    for node in nodes:
        assert lock_class(shallow_clone_class(node)).execute.__func__ is node.execute.__func__
