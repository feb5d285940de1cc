"""Rows of the tensor for every arrangement of encoders that the host makes."""

import pytest
import torch
from pack.attention.layout import kept, place, spans


@pytest.mark.parametrize(
    ("lengths", "rows", "drops", "expected"),
    [
        ({"l": 154}, 154, False, {"l": (0, 154)}),
        ({"l": 77, "g": 77}, 77, False, {"l": (0, 77), "g": (0, 77)}),
        ({"l": 154, "g": 77}, 77, False, {"l": (0, 77), "g": (0, 77)}),
        ({"l": 77, "t5xxl": 256}, 256, False, {"t5xxl": (0, 256)}),
        ({"l": 77, "g": 77, "t5xxl": 77}, 154, False, {"l": (0, 77), "g": (0, 77), "t5xxl": (77, 154)}),
        ({"l": 0, "g": 77, "t5xxl": 77}, 79, False, {"l": (0, 2), "g": (0, 2), "t5xxl": (2, 79)}),
        ({"l": 0, "g": 0, "t5xxl": 77}, 77, False, {"t5xxl": (0, 77)}),
        ({"l": 77, "g": 77, "t5xxl": 0}, 78, False, {"l": (0, 77), "g": (0, 77), "t5xxl": (77, 78)}),
        ({"h": 77}, 77, False, {"h": (0, 77)}),
        ({"qwen25_7b": 50}, 16, True, {"qwen25_7b": (-34, 16)}),
        ({"qwen25_7b": 50, "byt5": 20}, 16, True, {"qwen25_7b": (-34, 16)}),
        ({"qwen25_7b": 50}, 16, False, {}),
        ({"qwen25_7b": 50}, 60, True, {}),
        ({"l": 77, "g": 77, "t5xxl": 77}, 100, False, {}),
        ({"l": 77, "g": 77, "t5xxl": 128, "llama": 128}, 128, False, {}),
    ],
)
def test_spans(lengths, rows, drops, expected):
    assert spans(lengths, rows, drops) == expected


def test_place_counts_chunks_and_embeddings():
    fits, foreign = torch.zeros(4), torch.zeros(6)
    chunks = [[(1, 1.0), (fits, 1.0), (torch.zeros(2, 4), 1.0), (2, 1.0)], [(foreign, 1.0), (3, 1.0), (4, 1.0)]]
    rows = [[at for _, at in chunk] for chunk in place(chunks, 4, {})]
    assert rows == [[0, 1, 2, 4], [5, 6]]
    assert [len(chunk) for chunk in place(chunks, None, {})] == [4, 3]


def test_place_gives_a_picture_its_rows():
    """One that the encoder does not see is left out."""
    chunks = [[(1, 1.0), ({"type": "image"}, 1.0), (2, 1.0), ({"type": "image"}, 1.0), (3, 1.0)]]
    assert [at for _, at in place(chunks, 4, {1: 6})[0]] == [0, 1, 7, 8, 8]


@pytest.mark.parametrize(
    ("rows", "of"),
    [
        (list(range(9)), None),
        ([3, 4, 5], None),  # cut at both ends (LongCat, HunyuanVideo)
        ([0, 5, 6, 7, 8], None),  # cut between (PixelDiT)
        ([0, 2, 5, 6], None),  # every other row of a picture before the words (HunyuanVideo)
        ([3, 4, 5], "turns"),
        ([3, 4, 5], "one after another"),
    ],
)
def test_kept_rows_of_an_encoder(rows, of):
    layers = torch.randn(4, 9, 6, generator=torch.Generator().manual_seed(0))
    joined = {None: layers[0], "turns": layers.permute(1, 2, 0).reshape(9, 24)}
    joined["one after another"] = layers.permute(1, 0, 2).reshape(9, 24)
    assert kept(layers[0], joined[of][rows]) == {given: row for row, given in enumerate(rows)}


def test_nothing_is_kept_of_other_numbers():
    given = torch.randn(9, 6, generator=torch.Generator().manual_seed(0))
    assert kept(given, given @ torch.ones(6, 6)) == kept(given, given[:, :4]) == kept(given, given[:0]) == {}


def test_words_before_equal_padding_keep_their_rows():
    """T5's padding is zeros where it is masked (Wan); a part of it must not pass for the words' place."""
    given = torch.cat([torch.randn(5, 6, generator=torch.Generator().manual_seed(0)), torch.zeros(20, 6)])
    assert kept(given, given[2:]) == {row + 2: row for row in range(23)}
