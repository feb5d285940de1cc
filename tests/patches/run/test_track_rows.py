"""Track Phrases: each word's rows in the tensors of the host's own encoders (tiny)."""

import pytest
import torch
from pack.attention.phrases import positions, words
from pack.tests import tiny
from pack.tests.patches.tracked import changed_rows, encode, tag_of, track

pytestmark = pytest.mark.usefixtures("comfy")
FILLER = ", ".join(["a tree"] * 40)


@pytest.mark.parametrize("text", ["a red (cat:1.3) on a beach", FILLER + ", (red:1.2) cat on a beach"])
@pytest.mark.parametrize("name", ["sd1", "sdxl"])
def test_rows_of_a_causal_encoder(name, text):
    """Another word changes its own row and later ones of its chunk, and none before."""
    clip = track(getattr(tiny, name)())
    ((row,),) = positions("cat", tag_of(encode(clip, text)))
    changed = changed_rows(clip, text, text.replace("cat", "dog"))
    assert changed == list(range(row, row // 77 * 77 + 77))


def test_rows_of_each_half_of_sdxl():
    clip = track(tiny.sdxl())
    ((row,),) = positions("cat", tag_of(encode(clip, "a red cat")))
    different = (encode(clip, "a red cat")[0] != encode(clip, "a red dog")[0])[0]
    l_half, g_half = different[:, :32].any(-1), different[:, 32:].any(-1)
    assert l_half.nonzero()[0] == g_half.nonzero()[0] == row


@pytest.mark.parametrize("text", ["a red (cat:1.3) on a beach", FILLER + ", red cat on a beach"])
def test_rows_of_t5(text):
    """The tiny T5's rows show their own token only: exactly the word's row changes."""
    clip = track(tiny.flux())
    ((row,),) = positions("cat", tag_of(encode(clip, text)))
    assert changed_rows(clip, text, text.replace("cat", "dog")) == [row]


@pytest.mark.parametrize(
    "parts",
    [
        (True, True, True),
        (True, False, True),
        (False, True, True),
        (False, False, True),
        (True, True, False),
        (False, True, False),
    ],
)
def test_rows_of_sd3_with_encoders_missing(parts):
    clip, text = track(tiny.sd3(*parts)), FILLER + ", red cat on a beach"
    (rows,) = positions("cat", tag_of(encode(clip, text)))
    changed = changed_rows(clip, text, text.replace("cat", "dog"))
    block = [] if parts[:2] == (False, False) else list(range(rows[0], rows[0] // 77 * 77 + 77))
    assert changed == block + ([rows[-1]] if parts[2] else [])
    assert len(rows) == bool(block) + parts[2]


def test_sd3_without_any_encoder_has_no_words():
    assert words(tag_of(encode(track(tiny.sd3(False, False, False)), "a cat"))) == []


def test_long_segment_split_over_chunks():
    """A segment of 8 or more tokens is cut between chunks; a phrase is found across the cut."""
    clip, text = track(tiny.sd1()), " ".join(["tree"] * 73) + " a red cat near water"
    tag = tag_of(encode(clip, text))
    assert positions("red cat", tag) == [(75, 78)]
    assert changed_rows(clip, text, text.replace("red", "big"))[0] == 75
    assert changed_rows(clip, text, text.replace("cat", "dog"))[0] == 78


def embeddings(clip, folder, monkeypatch, **tensors):
    from safetensors.torch import save_file

    save_file(tensors, folder / "style.safetensors")
    for name in ("clip_l", "clip_g"):
        if hasattr(clip.tokenizer, name):
            monkeypatch.setattr(getattr(clip.tokenizer, name), "embedding_directory", [str(folder)])


@pytest.mark.parametrize(("width", "shift"), [(32, 3), (24, 0)], ids=["fits", "foreign width is dropped"])
def test_embeddings_take_rows_only_where_they_fit(tmp_path, monkeypatch, width, shift):
    clip = tiny.sd1()
    embeddings(clip, tmp_path, monkeypatch, style=torch.randn(3, width))
    tracked, text = track(clip), "a embedding:style red cat on a beach"
    tag = tag_of(encode(tracked, text))
    assert positions("red cat", tag) == [(2 + shift, 3 + shift)]
    assert changed_rows(tracked, text, text.replace("cat", "dog")) == list(range(3 + shift, 77))


def test_an_embedding_that_fits_one_half_of_sdxl(tmp_path, monkeypatch):
    clip = tiny.sdxl()
    embeddings(clip, tmp_path, monkeypatch, style=torch.randn(3, 32))
    tracked, text = track(clip), "a embedding:style red cat"
    different = (encode(tracked, text)[0] != encode(tracked, text.replace("cat", "dog"))[0])[0]
    halves = tuple(sorted(int(half.any(-1).nonzero()[0]) for half in (different[:, :32], different[:, 32:])))
    assert positions("cat", tag_of(encode(tracked, text))) == [halves] == [(3, 6)]
