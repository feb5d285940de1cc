"""A node has one title, in the search and on its page, and one name in sentences: the part in brackets."""

from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "js" / "docs"
WISHES = {
    "Region Attention": "Put Phrases in Regions",
    "Subject Mask from Attention": "Mask a Phrase",
    "Attention Capture": "Watch Phrases",
    "Latent Cache Inject": "Keep Subject",
    "Infusion Bias": "Bias by Pictures",
    "Semantic Guidance": "Add or Remove Concepts",
    "CLIP Slerp Augment": "Style Slider",
}


@pytest.fixture(scope="module")
def titles(comfy):
    from pack.demo.nodes import NODES as DEMO
    from pack.nodes import NODES

    return {node.define_schema().node_id: node.define_schema().display_name for node in [*NODES, *DEMO]}


def effects(kind):
    return [kind, *(found for part in kind.__subclasses__() for found in effects(part))]


def test_a_title_says_the_wish_where_the_name_is_a_technique(titles):
    from pack.patches.run.told import technique

    assert {f"{wish} ({name})" for name, wish in WISHES.items()} <= set(titles.values())
    assert len({technique(title) for title in titles.values()}) == len(titles)


def test_effects_and_maps_are_called_by_the_name_in_brackets(titles):
    from pack.patches.run.effect import Effect
    from pack.patches.run.maps import MAKERS
    from pack.patches.run.told import technique

    said = {effect.node for effect in effects(Effect) if effect.__module__.startswith("pack.patches") and effect.node}
    assert {"Latent Cache Inject", "Region Attention", "Semantic Guidance"} <= said
    assert said | set(MAKERS.values()) <= {technique(title) for title in titles.values()}


def test_a_node_says_the_name_in_brackets_when_it_refuses(titles):
    from pack.nodes.text import ClipSlerpAugment

    with pytest.raises(ValueError, match="^CLIP Slerp Augment: theta is 9, but it must be from -2 to 2"):
        ClipSlerpAugment.execute([], [], 9.0, "lerp", "auto", 0.0, 0.0, 1.0)


def test_a_page_has_its_node_s_title(titles):
    assert {node: (PAGES / f"{node}.md").read_text(encoding="utf-8").split("\n")[0] for node in titles} == {
        node: f"# {title}" for node, title in titles.items()
    }
