"""Regions from Boxes: every form in which nodes hand boxes on."""

import numpy as np
import pytest
import torch

SIZE = dict(width=64, height=32)
CORE = {"x": 16, "y": 8, "width": 32, "height": 16}


@pytest.fixture
def make(comfy):
    from pack.nodes.region_boxes import RegionsFromBoxes

    return lambda boxes, **more: RegionsFromBoxes.execute(boxes, **{**SIZE, **more}).result


def expected():
    mask = torch.zeros(1, 32, 64)
    mask[:, 8:24, 16:48] = 1
    return mask


FORMS = [
    CORE,
    [CORE],
    [[CORE]],
    [[], [CORE]],
    [16, 8, 48, 24],
    [[16, 8, 48, 24]],
    [(16.0, 8.0, 48.0, 24.0)],
    [[[16, 8, 48, 24]]],
    torch.tensor([[16, 8, 48, 24]]),
    np.array([16, 8, 48, 24]),
    [torch.tensor([16, 8, 48, 24])],
    [{"bbox": [16, 8, 48, 24]}],
    [{"type": "obj", "desc": "", "bbox": [250, 250, 750, 750]}],  # ymin, xmin, ymax, xmax in thousandths
]


@pytest.mark.parametrize("boxes", FORMS)
def test_a_box_in_any_form_is_one_mask(make, boxes):
    regions, masks = make(boxes, phrases="dog")
    assert torch.equal(masks, expected()) and torch.equal(regions[0].mask, expected())
    assert [region.phrase for region in regions] == ["dog"]


def test_bare_lists_can_be_sides(make):
    assert torch.equal(make([[16, 8, 32, 16]], phrases="dog", lists="x y width height")[1], expected())


def test_boxes_bring_their_words_and_colour_and_lines_go_before(make):
    boxes = [
        {**CORE, "metadata": {"type": "obj", "text": "red dog", "desc": "", "palette": ["#e03030"]}},
        {**CORE, "metadata": {"type": "obj", "text": "", "desc": "a cat", "palette": []}},
        {**CORE, "label": "bird", "score": 0.9},
        {"type": "obj", "desc": "sun", "bbox": [0, 0, 500, 500], "color_palette": ["#ffee00"]},
    ]
    regions, masks = make(boxes, strength=0.8, outside=0.2, focus=0.6)
    assert [region.phrase for region in regions] == ["red dog", "a cat", "bird", "sun"] and masks.shape == (4, 32, 64)
    assert [region.colour for region in regions] == [(224, 48, 48), None, None, (255, 238, 0)]
    assert {(region.strength, region.outside, region.focus) for region in regions} == {(0.8, 0.2, 0.6)}
    regions, _ = make(boxes, phrases="green fox | 0.3 | 0 | #00ff00\n\nmoon")
    assert [(region.phrase, region.strength, region.colour) for region in regions[:2]] == [
        ("green fox", 0.3, (0, 255, 0)),
        ("moon", 0.5, None),
    ]


@pytest.mark.parametrize("none", [[], [[]], [[], []]])
def test_no_box_is_no_region_and_a_black_mask(make, none):
    first, _ = make([CORE], phrases="dog")
    regions, masks = make(none, regions=first)
    assert regions == first and torch.equal(masks, torch.zeros(1, 32, 64))


@pytest.mark.parametrize(
    ("boxes", "phrases", "words"),
    [
        ([CORE], "", "Box 1 brings no words"),
        ([CORE], "a\nb", r"There are 2 phrases for 1 boxes \(a, b\)"),
        ([CORE, {"x": 1}], "a", "Box 2 cannot be read"),
        ([CORE, [1, 2, 3]], "a", "There are boxes for|cannot be read"),
        ([{**CORE, "width": 0, "label": "dog"}], "", "Box 1 'dog' has no area"),
        ([[48, 8, 16, 24]], "a", "Box 1 has no area"),
        ([{**CORE, "x": float("nan")}], "a", "Box 1 holds something that is not a finite number"),
        ([{**CORE, "x": "1"}], "a", "Box 1 holds something that is not a finite number"),
        ([[CORE], [CORE]], "a", "There are boxes for 2 pictures"),
        ("boxes", "a", "The boxes are of the kind str"),
        (None, "a", "The boxes are of the kind NoneType"),
        ([3], "a", "Box 1 cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named(make, boxes, phrases, words):
    with pytest.raises(ValueError, match=words):
        make(boxes, phrases=phrases)
