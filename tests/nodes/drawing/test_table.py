"""Reading the lines of a table of regions."""

import pytest


@pytest.fixture
def table(comfy):
    from pack.nodes.drawing import table as region_table

    return region_table


@pytest.mark.parametrize(
    ("text", "strength", "outside", "colour"),
    [
        ("red cat", 0.7, 0.1, None),
        ("red cat | 0.4", 0.4, 0.1, None),
        ("red cat|0.4|1", 0.4, 1.0, None),
        ("  red cat | .4 | 3. | #FF8000 ", 0.4, 3.0, (255, 128, 0)),
        ("red cat | | 0", 0.7, 0.0, None),
        ("red cat | | | #ff8000", 0.7, 0.1, (255, 128, 0)),
        ("red cat | #ff8000", 0.7, 0.1, (255, 128, 0)),
        ("red cat | #ff8000 | 0", 0.0, 0.1, (255, 128, 0)),
    ],
)
def test_fields_and_what_stands_in_for_them(table, text, strength, outside, colour):
    (line,) = table.read_table(text, 0.7, 0.1)
    assert line == table.Line(1, "red cat", strength, outside, colour)


def test_blank_lines_and_comments_count_for_line_numbers_only(table):
    lines = table.read_table("\n// sky | 9\na\r\n\n  // b\n c d |1\n", 0.5, 0.0)
    assert [(line.number, line.phrase, line.strength) for line in lines] == [(3, "a", 0.5), (6, "c d", 1.0)]


@pytest.mark.parametrize("field", ["x", "-0.5", "3.01", "nan", "inf", "1e0", "0,5", ".", "1 2", "ff0000"])
def test_a_wrong_number_is_named_with_its_line(table, field):
    with pytest.raises(ValueError, match="Line 2 'dog |.*from 0 to 3") as error:
        table.read_table(f"cat\ndog | 1 | {field}", 0.5, 0.0)
    assert f"'{field}'" in str(error.value)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("| 0.5", "no phrase"),
        ("cat | 1 | 1 | 1", "too many"),
        ("cat | #ff0000 | #00ff00", "too many"),
        ("cat | #ff00", "#ff8800"),
        ("cat | #gg0000", "#ff8800"),
    ],
)
def test_a_wrong_line_is_named(table, row, what):
    with pytest.raises(ValueError, match=what) as error:
        table.read_table(f"\n{row}", 0.5, 0.0)
    assert f"Line 2 '{row}'" in str(error.value)


@pytest.mark.parametrize("text", ["", " \n", "// cat"])
def test_a_table_without_phrases_is_refused(table, text):
    with pytest.raises(ValueError, match="names no phrase"):
        table.read_table(text, 0.5, 0.0)


def test_colours_there_and_back(table):
    assert table.read_colour(" #0a80FF ") == (10, 128, 255) and table.write_colour((10, 128, 255)) == "#0a80ff"
    for wrong in ("", "red", "0a80ff", "#fff", "#0a80ff0"):
        with pytest.raises(ValueError, match="six hexadecimal digits"):
            table.read_colour(wrong)
