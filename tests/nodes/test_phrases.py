"""Splitting a prompt by all three methods, and the two nodes."""

import sys

import pytest

METHODS = ["regular expression", "spaCy tokenizer", "spaCy pipeline"]
TAGS = {
    "ADP": {"on", "in", "at", "of", "with", "under", "over"},
    "DET": {"a", "an", "the"},
    "ADJ": {"red", "old", "wooden"},
    "PART": {"off"},
    "VERB": {"riding", "sits"},
    "NUM": {"two"},
}


@pytest.fixture(params=METHODS)
def method(request):
    """(name, pipeline): no spaCy, a blank tokenizer, and a pipeline whose hand-made tagger sets parts of speech."""
    if request.param == METHODS[0]:
        return request.param, None
    spacy = pytest.importorskip("spacy")
    pipeline = spacy.blank("en", meta={"name": "test"})
    if request.param == METHODS[2]:
        from spacy.language import Language

        Language.component("lm_test_tagger", func=tagged)
        pipeline.add_pipe("lm_test_tagger")
    return request.param, pipeline


def tagged(doc):
    for token in doc:
        found = [pos for pos, words in TAGS.items() if token.lower_ in words]
        token.pos_ = found[0] if found else "PUNCT" if token.is_punct else "NOUN"
    return doc


@pytest.mark.parametrize(
    ("text", "subject", "scene", "content"),
    [
        ("motorcycle on a farm", "motorcycle", "a farm", ["motorcycle", "farm"]),
        (
            "a photo of a red dog on the beach at sunset",
            "a red dog",
            "the beach at sunset",
            ["red", "dog", "beach", "sunset"],
        ),
        ("A highly detailed oil painting of an old boat, in fog", "an old boat", "fog", ["old", "boat", "fog"]),
        ("boy with a picture of a dog", "boy with a picture of a dog", "", ["boy", "picture", "dog"]),
        ("a glass of wine", "a glass of wine", "", ["glass", "wine"]),
        ("a man with a (red:1.3) hat in a park", "a man with a red hat", "a park", ["man", "red", "hat", "park"]),
        (r"cat \(old\) on a wooden table", r"cat \(old\)", "a wooden table", ["cat", "old", "wooden", "table"]),
        ("on the beach", "", "the beach", ["beach"]),
        ("in an old forest, a red cat", "a red cat", "an old forest", ["old", "forest", "red", "cat"]),
        ("", "", "", []),
    ],
)
def test_split(comfy, method, text, subject, scene, content):
    from pack.nodes.words.split import split

    name, pipeline = method
    parts = split(text, pipeline)
    assert (parts.subject, parts.scene, parts.content) == (subject, scene, content)
    assert text == "" or parts.method.startswith(name)


def test_parts_of_speech_keep_particles_with_the_subject(comfy):
    """What a pipeline is for: 'over' is a particle here, and only the tagger knows it."""
    spacy = pytest.importorskip("spacy")
    from pack.nodes.words.split import split
    from spacy.tokens import Doc

    class Tagged:
        meta = {"lang": "en", "name": "by_hand"}

        def __call__(self, text):
            words = text.split()
            return Doc(spacy.blank("en").vocab, words, pos=["DET", "NOUN", "ADV", "ADP", "DET", "NOUN"])

    text = "a car over on the road"
    assert split(text, Tagged()).subject == "a car over"
    assert split(text, None).subject == "a car"
    assert split(text, Tagged()).method == "spaCy pipeline en_by_hand"


def test_split_node(comfy, monkeypatch):
    from pack.nodes.phrases import SplitSubjectScene

    monkeypatch.setitem(sys.modules, "spacy", None)
    out = SplitSubjectScene.execute("a red cat on a beach").result
    assert out == ("a red cat", "a beach", "red, cat, beach", "regular expression and prepositions", "")


def test_schemas(comfy):
    from pack.nodes.phrases import NODES

    ids = {node.define_schema().node_id: node.define_schema() for node in NODES}
    assert set(ids) == {"LM_TrackPhrases", "LM_SplitSubjectScene"}
    for schema in ids.values():
        assert schema.category == "latent manipulation/text" and schema.description and schema.search_aliases
        assert all(given.tooltip for given in schema.inputs)
        schema.validate()


def test_track_node(comfy):
    from pack.nodes.phrases import TrackPhrases
    from pack.patches.run.track import read_tag
    from pack.tests import tiny

    (tracked,) = TrackPhrases.execute(tiny.sd1()).result
    ((_, options),) = tracked.encode_from_tokens_scheduled(tracked.tokenize("a cat"))
    assert [piece.text for piece in read_tag(options).encoders[0].pieces] == ["a ", "cat "]
