"""Block lists."""

import pytest
from pack.patches.models.blocks import parse_blocks, summary

REAL = ["in.1", "in.2", "in.4", "in.5", "in.7", "in.8", "mid.0", *(f"out.{i}" for i in range(3, 12))]  # SD1.5's


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("in.4-8, mid.0, out.3-5", {"in.4", "in.5", "in.7", "in.8", "mid.0", "out.3", "out.4", "out.5"}),
        ("in.4", {"in.4"}),
        ("mid\n out.11,,", {"mid.0", "out.11"}),
        ("in.0 - 3", {"in.1", "in.2"}),
        ("", set(REAL)),
        (" ,\n", set(REAL)),
    ],
)
def test_chosen(text, chosen):
    assert parse_blocks(text, REAL) == chosen


@pytest.mark.parametrize("wrong", ["in.3", "out.12-20", "in.8-4", "output.4", "in4", "4", "in.1-", "in.-1", "mid.0.1"])
def test_a_wrong_block_is_answered_with_the_real_ones(wrong):
    message = f"Block '{wrong}' is not in this model; it has in.1-2, in.4-5, in.7-8, mid.0, out.3-11."
    with pytest.raises(ValueError) as error:
        parse_blocks(f"in.1, {wrong}", REAL)
    assert str(error.value) == message


def test_summary_of_kinds_with_the_same_numbers():
    assert summary(["double.0", "double.1", "single.0", "single.2"]) == "double.0-1, single.0, single.2"
