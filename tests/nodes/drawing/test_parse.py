"""A drawing as text: what is read, and what is refused in words that name the region."""

import json

import pytest


@pytest.fixture
def read(comfy):
    from pack.nodes.drawing.parse import read_drawing

    return read_drawing


BOX = {"phrase": "red dog", "box": [0.1, 0.2, 0.3, 0.4]}


def test_every_key_is_read(read):
    from pack.nodes.drawing.shapes import Drawn, Stroke

    strokes = [{"size": 0.1, "erase": True, "points": [[0.5, 0.5], [0.6, 0.5]]}, {"points": [[0, 1]]}]
    given = {**BOX, "strokes": strokes, "strength": 0.7, "outside": 1, "focus": 0.8, "soft": 0.02, "colour": "#e03030"}
    read_strokes = (Stroke(((0.5, 0.5), (0.6, 0.5)), 0.1, True), Stroke(((0, 1),), 0.05))
    (one,) = read(json.dumps({"regions": [given]}))
    assert one.points == ((0.1, 0.2), pytest.approx((0.4, 0.6)))
    assert one == Drawn("red dog", "box", one.points, read_strokes, 0.7, 1, 0.02, (224, 48, 48), 0.8)


def test_what_is_missing_has_its_default_and_a_bare_list_will_do(read):
    polygon = {"phrase": " sky ", "polygon": [[0, 0], [1, 0], [0, 1]]}
    one, two = read(json.dumps([polygon, {"phrase": "sun", "ellipse": [-1, 0, 3, 1]}]))
    assert (one.phrase, one.strength, one.outside, one.focus) == ("sky", 0.5, 0, 0)
    assert (one.soft, one.colour, one.strokes) == (0, None, ())
    assert (two.kind, two.points) == ("ellipse", ((-1, 0), (2, 1)))


@pytest.mark.parametrize("text", ["", "  \n", "[]", "{}", '{"regions": []}'])
def test_no_region_is_a_drawing_too(read, text):
    assert read(text) == []


WRONG = [
    ({"phrase": "  "}, "Region 2: it has no phrase"),
    ({"phrase": 3}, "Region 2: its phrase is 3"),
    ({"phrase": "cat"}, "Region 2 'cat': it has no shape"),
    ({"phrase": "cat", "strokes": [{"erase": True, "points": [[0, 0]]}]}, "Region 2 'cat': it has no shape"),
    ({**BOX, "ellipse": [0, 0, 1, 1]}, "Region 2 'red dog': it has box, ellipse; give it one"),
    ({**BOX, "color": "#000000"}, "Region 2 'red dog': it has the unknown key color; known are phrase, box"),
    ({**BOX, "colour": "red"}, "Region 2 'red dog': 'red' is not a colour"),
    ({**BOX, "colour": 7}, "Region 2 'red dog': its colour is 7"),
    ({**BOX, "strength": "1"}, "Region 2 'red dog': its strength is '1', but it must be a number from 0 to 3"),
    ({**BOX, "strength": True}, "its strength is true"),
    ({**BOX, "outside": -0.1}, "its outside is -0.1, but it must be from 0 to 3"),
    ({**BOX, "focus": 3.1}, "its focus is 3.1, but it must be from 0 to 3"),
    ({**BOX, "focus": "1"}, "its focus is '1', but it must be a number from 0 to 3"),
    ({**BOX, "soft": 0.6}, "its soft is 0.6, but it must be from 0 to 0.5"),
    ({**BOX, "box": [0, 0, 1]}, r"its box is \[0, 0, 1\], but it must be \[x, y, width, height\]"),
    ({**BOX, "box": [0, 0, 0, 1]}, "has no area"),
    ({**BOX, "box": [0, 0, -1, 1]}, "its box's width is -1"),
    ({**BOX, "box": [2.1, 0, 1, 1]}, "its box's x is 2.1, but it must be from -1 to 2"),
    ({**BOX, "box": [10**400, 0, 1, 1]}, "its box's x is a very large number"),
    ({"phrase": "a", "polygon": [[0, 0], [1, 1]]}, "its polygon is a list of 2, but it must be a list of 3 or more"),
    ({"phrase": "a", "polygon": [[0, 0], [1, 1], [0, None]]}, "point 3 of its polygon's y is null"),
    ({"phrase": "a", "polygon": [[0, 0], [1, 1], 0.5]}, r"point 3 of its polygon is 0.5, but it must be \[x, y\]"),
    ({"phrase": "a", "strokes": {}}, "its strokes are a group of keys, but they must be a list"),
    ({"phrase": "a", "strokes": [7]}, "stroke 1 is 7"),
    ({"phrase": "a", "strokes": [{"points": [[0, 0]], "width": 1}]}, "stroke 1 has the unknown key width"),
    ({"phrase": "a", "strokes": [{"points": []}]}, "stroke 1's points is a list|stroke 1's points is \\[\\]"),
    ({"phrase": "a", "strokes": [{"points": [[0, 0]], "size": 0}]}, "stroke 1's size is 0"),
    ({"phrase": "a", "strokes": [{"points": [[0, 0]], "erase": 1}]}, "stroke 1's erase is 1"),
    ("cat", "Region 2: it is 'cat', but it must be a group"),
]


@pytest.mark.parametrize(("entry", "words"), WRONG)
def test_a_wrong_region_is_named(read, entry, words):
    with pytest.raises(ValueError, match=words):
        read(json.dumps({"regions": [BOX, entry]}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read as JSON"),
        ("7", 'The drawing is 7, but it must be {"regions"'),
        ('{"regions": {}}', "The drawing is a group of keys"),
        ('{"regions": [], "size": 3}', "The drawing has the unknown key size"),
        ('[{"phrase": "a", "box": [NaN, 0, 1, 1]}]', "NaN is not a number"),
        ('[{"phrase": "a", "box": [0, 0, 1, Infinity]}]', "Infinity is not a number"),
        ('[{"phrase": "a", "box": [0, 0, 1, 1e999]}]', "Region 1 'a': its box's height is a very large number"),
        ("[" * 200_000, "nested too deep"),
        ('[{"phrase": "a", "polygon": ' + "[" * 500 + "]" * 500 + "}]", "Region 1 'a': its polygon is a list of 1"),
        (" " * 1_000_001, "has 1000001 characters"),
        (json.dumps([BOX] * 65), "has 65 regions, but at most 64"),
        (json.dumps([{"phrase": "a", "polygon": [[0, 0]] * 20_001}]), "has 20001 points, but at most 20000"),
    ],
)
def test_what_is_no_drawing_is_refused(read, text, words):
    with pytest.raises(ValueError, match=words):
        read(text)


def test_the_limits_themselves_are_allowed(read):
    assert len(read(json.dumps([BOX] * 64))) == 64
    assert len(read(json.dumps([{"phrase": "a", "polygon": [[0, 0]] * 20_000}]))[0].points) == 20_000
