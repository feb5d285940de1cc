"""What users type in the node search leads to the right node: the frontend wants all words in one name or alias."""

import pytest

WANTED = {
    "Region Attention": "regional prompting, regional prompt, attention couple, region, gligen, bounding box, swap",
    "Region Canvas": "regional prompting, draw boxes, bounding box, gligen, region",
    "Regions from Boxes": "bounding box, bbox, sam3",
    "Subject Mask from Attention": "mask by text, text to mask, mask from prompt, daam, heatmap, segment, clipseg",
    "Attention Capture": "watch phrases, daam",
    "Mask from Attention Maps": "word map, which word, hover words, daam, heatmap",
    "Latent Cache Inject": "keep subject, preserve subject, change background, replace background, inpaint",
    "Infusion Bias": "reference, style transfer, image prompt, character consistency, consistency, ip adapter",
    "Edit Concept": "remove object, add object, edit, sega, negative",
    "Semantic Guidance": "remove object, add object, edit, sega, ledits, semantic guidance",
    "CLIP Slerp Augment": "style slider, slider, slerp, prompt travel, blend prompts",
    "Value Sweep": "xy plot, sweep",
    "Labelled Grid": "grid, compare",
    "Load TinyScenes": "tinyscenes, demo",
    "Split Subject and Scene": "background",
}


@pytest.fixture(scope="module")
def names(comfy):
    """The name in sentences -> all that the search looks through."""
    from pack.demo.nodes import NODES as DEMO
    from pack.nodes import NODES
    from pack.patches.run.told import technique

    schemas = [node.define_schema() for node in [*NODES, *DEMO]]
    assert not any(schema.is_dev_only for schema in schemas)
    return {technique(schema.display_name): [schema.display_name, *schema.search_aliases] for schema in schemas}


def found(query: str, texts: list[str]) -> bool:
    return any(all(word in text.lower() for word in query.split()) for text in texts)


@pytest.mark.parametrize("name", WANTED)
def test_queries_lead_to_the_node(names, name):
    for query in WANTED[name].split(", "):
        assert found(query, names[name]), query


def test_the_name_of_the_pack_finds_all(names):
    assert all(found("latent manipulation", texts) for texts in names.values())


def test_no_alias_stands_twice(names):
    for name, texts in names.items():
        assert len(set(texts)) == len(texts), name
