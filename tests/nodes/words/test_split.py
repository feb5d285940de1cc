"""Sentences and their parts, with a trained pipeline (if one is installed) and by lists."""

import time

import pytest

# text, subject, action, scene; by lists the subject is the first two together, as they stand in the text
SENTENCES = [
    ("motorcycle on a farm", "motorcycle", "", "a farm"),
    ("a car parked next to a house", "a car", "parked", "a house"),
    ("an old man reading in a cafe", "an old man", "reading", "a cafe"),
    ("a cat sitting in front of a fireplace", "a cat", "sitting", "a fireplace"),
    ("a bird on top of a mountain", "a bird", "", "a mountain"),
    ("a lighthouse at the edge of a cliff", "a lighthouse", "", "a cliff"),
    ("a tree in the middle of a field", "a tree", "", "a field"),
    ("a cat close to a window", "a cat", "", "a window"),
    ("a ship outside of a harbour", "a ship", "", "a harbour"),
    ("a man standing in between two trees", "a man", "standing", "two trees"),
    ("a house right next to a lake", "a house", "", "a lake"),
    ("a castle far away in the distance", "a castle", "", "the distance"),
    ("a plane flying high above the clouds", "a plane", "flying", "the clouds"),
    ("next to a river, a small wooden cabin", "a small wooden cabin", "", "a river"),
    ("a photo of an old sailor smoking a pipe at the harbour", "an old sailor", "smoking a pipe", "the harbour"),
    ("a man riding a horse through the desert", "a man", "riding a horse", "the desert"),
    ("an elephant and a giraffe standing near a lake", "an elephant and a giraffe", "standing", "a lake"),
    ("a chef cooking pasta in a small kitchen", "a chef", "cooking pasta", "a small kitchen"),
    ("a burning house in a dark forest", "a burning house", "", "a dark forest"),
    ("a steaming cup of coffee on a desk", "a steaming cup of coffee", "", "a desk"),
    ("two burning candles on a table", "two burning candles", "", "a table"),
    ("a dog happily running in a park", "a dog", "happily running", "a park"),
    ("1girl, long_hair, red dress, on a beach", "1girl, long_hair, red dress", "", "a beach"),
    ("masterpiece, a girl standing in a field", "masterpiece, a girl", "standing", "a field"),
    ("a dog wearing a hat", "a dog", "wearing a hat", ""),
]
# what only parts of speech tell
TAGGED = [
    ("the lights turned on in a dark city", "the lights", "turned on", "a dark city"),
    ("a lion that is sleeping in the shade", "a lion", "sleeping", "the shade"),
    ("a man is reading a newspaper on a bench", "a man", "reading a newspaper", "a bench"),
    ("her smiling face in a mirror", "her smiling face", "", "a mirror"),
    ("parked next to a house", "parked", "", "a house"),
    ("a (woman:1.2) walking her (dog)", "a woman", "walking her dog", ""),
]


@pytest.fixture(scope="module")
def pipeline(comfy):
    from pack.nodes.words.pipeline import load_pipeline, trained

    if load_pipeline() is None or not trained():
        pytest.skip("no trained English spaCy pipeline is installed")
    return load_pipeline()


@pytest.mark.parametrize(("text", "subject", "action", "scene"), [*SENTENCES, *TAGGED])
def test_with_a_trained_pipeline(pipeline, text, subject, action, scene):
    from pack.nodes.words.split import split

    parts = split(text, pipeline)
    assert (parts.subject, parts.action, parts.scene) == (subject, action, scene)
    assert parts.method.startswith("spaCy pipeline en_")


@pytest.mark.parametrize(("text", "subject", "action", "scene"), SENTENCES)
def test_by_lists(comfy, text, subject, action, scene):
    from pack.nodes.words.split import split

    parts = split(text, None)
    assert (parts.subject, parts.action, parts.scene) == (f"{subject} {action}".strip(), "", scene)


@pytest.mark.parametrize("trained", [True, False])
def test_prepositions_of_several_words_name_nothing_to_see(comfy, request, trained):
    from pack.nodes.words.split import split

    parts = split(
        "a bird on top of a mountain, in front of clouds", request.getfixturevalue("pipeline") if trained else None
    )
    assert parts.content == ["bird", "mountain", "clouds"]


@pytest.mark.parametrize("text", ["walk-in closet", "looking_at_viewer", "the on-screen kiss", "don't"])
def test_a_part_of_a_word_is_no_preposition(comfy, text):
    from pack.nodes.words.split import split

    assert (split(text, None).subject, split(text, None).scene) == (text, "")


@pytest.mark.parametrize(
    "text",
    ["(" * 40000 + "red", "(" * 40000 + "red" + ")" * 40000, "x" * 80000, "up " * 27000, "a" + " " * 80000 + "b"],
)
def test_long_texts(comfy, text):
    """With any pipeline: one that would read thousands of brackets in a row is not asked."""
    from pack.nodes.words.pipeline import load_pipeline
    from pack.nodes.words.split import split

    start = time.perf_counter()
    split(text, load_pipeline())
    assert time.perf_counter() - start < 60
