"""Chinese texts of the nodes: as many as there are English ones, in the form that the frontend reads.

English needs no file: the frontend falls back on the schemas' own texts.
"""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ZH = ROOT / "locales" / "zh"
SYNTAX = set("{}@|")  # of vue-i18n, which takes names and descriptions for templates, but not tooltips


def read(name: str) -> dict:
    return json.loads((ZH / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def schemas(comfy):
    from pack.demo.nodes import NODES as DEMO
    from pack.nodes import NODES

    return {schema.node_id: schema for schema in (node.define_schema() for node in [*NODES, *DEMO])}


def wanted(schema) -> dict:
    """What nodeDefs.json must say of a node: the same keys, whatever the texts."""
    inputs = {each.id: {"name", "tooltip"} for each in schema.inputs}
    outputs = {}
    for index, each in enumerate(schema.outputs):
        keys = {key for key, text in (("name", each.display_name), ("tooltip", each.tooltip)) if text}
        if keys:
            outputs[str(index)] = keys
    return {"inputs": inputs, "outputs": outputs}


def test_every_node_input_and_output_has_a_chinese_text(schemas):
    texts = read("nodeDefs.json")
    assert set(texts) == set(schemas)
    for name, schema in schemas.items():
        said = {part: {key: set(text) for key, text in texts[name].get(part, {}).items()} for part in wanted(schema)}
        assert said == wanted(schema), name
        assert texts[name]["display_name"] and texts[name]["description"], name


def test_no_name_stands_for_two_inputs_of_a_node():
    for node, texts in read("nodeDefs.json").items():
        names = [text["name"] for text in texts.get("inputs", {}).values()]
        assert len(set(names)) == len(names), node


def test_names_and_descriptions_are_no_templates():
    for node, texts in read("nodeDefs.json").items():
        inner = [text for part in ("inputs", "outputs") for text in texts.get(part, {}).values()]
        plain = [texts["display_name"], texts["description"], *(text.get("name", "") for text in inner)]
        assert not any(SYNTAX & set(text) for text in plain), node


def test_every_category_has_a_chinese_name(schemas):
    parts = {part for schema in schemas.values() for part in schema.category.split("/")}
    assert set(read("main.json")["nodeCategories"]) == parts
