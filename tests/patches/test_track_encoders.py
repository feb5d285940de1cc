"""Track Phrases through every text encoder of the host (tiny): the first row that another word changes is its own."""

import pytest
import torch
from pack.attention.phrases import positions, words
from pack.tests.patches.tracked import changed_rows, encode, tag_of, track
from pack.tests.tiny_encoders import ENCODERS, encoder

pytestmark = pytest.mark.usefixtures("comfy")
TEXT = "a red cat on a beach"


@pytest.mark.parametrize("name", ENCODERS.keys() - {"anima"})
def test_the_row_of_a_word(name):
    try:
        clip = track(encoder(name))
    except ZeroDivisionError:
        pytest.skip("this host has no such encoder")
    entry = encode(clip, TEXT)
    row, later = positions("cat", tag_of(entry))[0][0], positions("beach", tag_of(entry))[0][0]
    assert changed_rows(clip, TEXT, TEXT.replace("cat", "dog"))[0] == row
    assert changed_rows(clip, TEXT, TEXT.replace("beach", "user"))[0] == later > row
    print(name, row, entry[0].shape, words(tag_of(entry)))
