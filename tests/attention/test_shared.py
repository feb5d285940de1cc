"""Where phrases stand: the server and the canvas in the browser agree on it (tests/js/letters.test.mjs)."""

import json
from pathlib import Path

import pytest
from pack.attention.phrases import Encoder, Piece, Tag, positions

CASES = json.loads((Path(__file__).parent.parent / "phrases.json").read_text(encoding="utf-8"))


def tag(prompt: str) -> Tag:
    """One piece a character; rows are the indices that JavaScript counts, where an emoji takes two."""
    starts = [len(prompt[:i].encode("utf-16-le")) // 2 for i in range(len(prompt))]
    return Tag((Encoder("l", tuple(map(Piece, prompt, starts))),), 77)


@pytest.mark.parametrize(("prompt", "phrase", "place"), CASES)
def test_where_a_phrase_stands_first(prompt, phrase, place):
    if place:
        rows = positions(phrase, tag(prompt))[0]
        assert [min(rows), max(rows)] == place
    else:
        with pytest.raises(ValueError, match="not in the prompt"):
            positions(phrase, tag(prompt))
