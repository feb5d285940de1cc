"""Rows of the tensor for every arrangement of encoders that the host makes."""

import pytest
import torch
from pack.attention.layout import place, spans


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
