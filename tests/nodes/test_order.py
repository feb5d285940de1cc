"""What users set first stands first: the frontend shows required inputs before optional ones, in schema order."""

import pytest

WORDS = ("phrase", "phrases", "drawing", "labels")
"""What a node is about, where it asks for words: its first widget."""
WIDGETS = {"STRING", "INT", "FLOAT", "BOOLEAN", "COMBO"}


@pytest.fixture(scope="module")
def widgets(comfy):
    """Node id -> its widgets as the host lists them: {name: is it advanced}."""
    from pack.demo.nodes import NODES as DEMO
    from pack.nodes import NODES

    found = {}
    for node in [*NODES, *DEMO]:
        given = node.INPUT_TYPES()
        listed = {**given.get("required", {}), **given.get("optional", {})}
        kinds = {name: ("COMBO" if isinstance(kind, list) else kind, *more) for name, (kind, *more) in listed.items()}
        found[node.define_schema().node_id] = {
            name: bool(options.get("advanced")) for name, (kind, options) in kinds.items() if kind in WIDGETS
        }
    return found


def test_words_come_first(widgets):
    asking = {node: list(names) for node, names in widgets.items() if set(names) & set(WORDS)}
    assert len(asking) >= 10
    assert {node: names[0] for node, names in asking.items() if names[0] not in WORDS} == {}


def test_at_most_six_are_not_advanced(widgets):
    plain = {node: [name for name, advanced in names.items() if not advanced] for node, names in widgets.items()}
    assert {node: names for node, names in plain.items() if len(names) > 6} == {}


def test_advanced_ones_come_last(widgets):
    order = {node: list(names.values()) for node, names in widgets.items()}
    assert {node for node, advanced in order.items() if advanced != sorted(advanced)} == set()
