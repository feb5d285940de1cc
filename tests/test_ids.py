"""Node ids, the order of their inputs, defaults and outputs never change: saved graphs depend on them."""

import json
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "js" / "docs"
FROZEN = json.loads((Path(__file__).parent / "node_ids.json").read_text(encoding="utf-8"))


def described(node) -> dict:
    schema = node.define_schema()
    inputs = [[i.id, i.get_io_type(), getattr(i, "default", None)] for i in schema.inputs]
    return {"inputs": inputs, "outputs": [o.get_io_type() for o in schema.outputs]}


@pytest.fixture(scope="module")
def nodes(comfy):
    from pack.demo.nodes import NODES as DEMO
    from pack.nodes import NODES

    return {node.define_schema().node_id: node for node in [*NODES, *DEMO]}


def test_ids_inputs_and_outputs_are_frozen(nodes):
    now = {name: described(node) for name, node in nodes.items()}
    assert json.loads(json.dumps(now)) == FROZEN


def test_every_id_has_our_prefix_and_a_help_page(nodes):
    pages = {path.stem for path in DOCS.glob("*.md")}
    assert all(name.startswith("LM_") for name in nodes)
    assert pages == set(nodes)


@pytest.mark.parametrize(("page", "inputs", "word"), [("{}.md", "Inputs", "advanced"), ("{}/zh.md", "输入", "高级")])
def test_help_pages_say_what_is_folded_away(nodes, page, inputs, word):
    """The row of an input names it, and says whether it is an advanced one."""
    for name, node in nodes.items():
        advanced = {given.id for given in node.define_schema().inputs if given.advanced}
        text = (DOCS / page.format(name)).read_text(encoding="utf-8")
        section = re.search(rf"^## {inputs}\n(.*?)(?=^## |\Z)", text, re.S | re.M)
        for cell in re.findall(r"^\| (`[^|]*)", section[1] if section else "", re.M):
            told = [given in advanced for given in re.findall(r"`(\w+)`", cell)]
            assert told == [word in cell] * len(told), (name, cell)


def test_help_pages_know_the_names_that_a_node_shows(nodes):
    for name, node in nodes.items():
        text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        shown = [given.display_name for given in node.define_schema().inputs if given.display_name]
        assert [label for label in shown if f"*{label}*" not in text] == [], name


def test_every_input_and_output_is_explained(nodes):
    for name, node in nodes.items():
        schema = node.define_schema()
        assert schema.description and schema.search_aliases and schema.category.startswith("latent manipulation/"), name
        assert all(i.tooltip for i in schema.inputs), name
        basic = [i for i in schema.inputs if hasattr(i, "default") and not i.advanced]
        assert len(basic) <= 4, (name, [i.id for i in basic])
