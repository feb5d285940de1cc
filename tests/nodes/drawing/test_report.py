"""What Region Preview says about regions."""

import pytest
import torch


@pytest.fixture
def report(comfy):
    from pack.nodes.drawing import report as region_report

    return region_report


@pytest.fixture(scope="module")
def conditionings(comfy):
    from pack.demo.model import load
    from pack.tests import tiny
    from pack.tests.patches.tracked import encode, track

    clip = load()[1]
    texts = {"two": "a red star and a red circle", "one": "a blue cross"}
    made = {name: encode(track(clip), text) for name, text in texts.items()}
    return {**made, "bare": encode(clip, "a red star"), "sdxl": encode(track(tiny.sdxl()), "a red star")}


def region(phrase, mask, strength=0.5, outside=0.0, **more):
    from pack.attention.regions import Region

    return Region(phrase, mask, strength, outside, **more)


def square(side, size=64):
    """(1, size, size) with a square of side x side ones in a corner."""
    mask = torch.zeros(1, size, size)
    mask[:, :side, :side] = 1
    return mask


def lines_of(report, made, size=(64, 64), conditioning=None):
    return report.describe(made, 0.5, size, conditioning)


def test_shares_of_hard_masks_are_counts_and_of_soft_ones_means(report):
    masks = torch.zeros(3, 2, 5)
    masks[0, 0] = 1
    masks[1, :, 0] = 1
    masks[2, 1, 1:3] = 0.5
    shares, none, several = report.covered(masks)
    assert shares == pytest.approx([0.5, 0.2, 0.1])
    assert none == pytest.approx(0.3) and several == pytest.approx(0.1)
    assert report.covered(masks[:1])[1:] == (0.5, 0.0)


def test_cells_at_every_resolution_of_sd15_and_sdxl(report):
    _, cells = lines_of(report, region("a", square(32)))
    assert cells == "cells: 1024 of 4096 at /1, 256 of 1024 at /2, 64 of 256 at /4, 16 of 64 at /8"
    _, cells, *_ = lines_of(report, region("a", torch.ones(1, 5, 5)), size=(13, 17))
    assert cells == "cells: 221 of 221 at /1, 63 of 63 at /2, 20 of 20 at /4, 6 of 6 at /8"


def test_odd_grids_are_the_unets_own(report, comfy):
    import torch.nn.functional as F

    for height, width in [(13, 17), (16, 16), (64, 96), (7, 1)]:
        x = torch.zeros(1, 1, height, width)
        for level, grid in report.grids((height, width)).items():
            assert x.shape[-2:] == grid, level
            x = F.conv2d(x, torch.zeros(1, 1, 3, 3), stride=2, padding=1)  # the host's Downsample


def test_small_regions_warn_where_and_for_which_models(report):
    _, _, warning = lines_of(report, region("a", square(11)))
    assert warning == "warning: fewer than 4 cells at /8 (SD1.5), too few for a thing to take shape"
    _, _, warning = lines_of(report, region("a", square(6)))
    assert "at /4 (SD1.5, SDXL), /8 (SD1.5)," in warning
    assert len(lines_of(report, region("a", square(16)))) == 2  # 4 cells at /8 are enough


def test_a_vanishing_region_keeps_a_cell(report):
    _, cells, _ = lines_of(report, region("a", square(1)))
    assert cells == "cells: 1 of 4096 at /1, 1 of 1024 at /2, 1 of 256 at /4, 1 of 64 at /8"


def test_of_several_pictures_the_fewest_cells_count(report):
    _, cells, *_ = lines_of(report, region("a", torch.cat([square(32), square(16)])))
    assert cells.startswith("cells: 256 of 4096 at /1") and cells.endswith("in the picture with the fewest")


def test_regions_that_do_nothing_warn(report):
    full, black = torch.ones(1, 8, 8), torch.zeros(1, 8, 8)
    assert lines_of(report, region("a", full, 0.0))[2:] == [
        "warning: strength and outside are 0, so it changes nothing"
    ]
    assert lines_of(report, region("a", black))[2:] == [
        "warning: the mask is black everywhere, so the region does nothing there"
    ]
    (pushed,) = lines_of(report, region("a", black, 0.5, 0.2))[2:]
    assert pushed.endswith("black everywhere, so the phrase is pushed out of the whole picture")
    (partly,) = lines_of(report, region("a", torch.cat([full, black])))[2:]
    assert "black in 1 of 2 pictures" in partly


def test_tokens_are_named_with_their_rows(report, conditionings):
    mask = torch.ones(1, 8, 8)
    two = [conditionings["two"]]
    head, tokens, _ = lines_of(report, region("Red star", mask), conditioning=two)
    assert head == "Red star: strength 0.5, outside 0, covers 50.0%" and tokens == "tokens: 2 'red', 3 'star'"
    assert report.tokens(region("red", mask), two) == "2 'red'; 6 'red'"
    assert report.tokens(region("red", mask, occurrence=2), two) == "6 'red'"
    assert report.tokens(region("red star", mask), [conditionings["sdxl"]]) == "2 'red', 3 'star'"
    assert report.tokens(region("blue cross", mask), [*two, conditionings["one"]]) == "2 'blue', 3 'cross'"


def test_focus_is_said_where_there_is_one(report):
    peaked, flat = (region("a", torch.ones(1, 8, 8), 0.5, 0.2, focus=focus) for focus in (1.5, 0.0))
    assert report.caption(peaked, 1.0) == "a: strength 0.5, outside 0.2, focus 1.5, 100% of the picture"
    assert lines_of(report, peaked)[0] == "a: strength 0.5, outside 0.2, focus 1.5, covers 50.0%"
    assert "focus" not in report.caption(flat, 1.0) + lines_of(report, flat)[0]


def test_phrases_that_are_not_there_are_a_line_and_not_an_error(report, conditionings):
    mask = torch.ones(1, 8, 8)
    assert "'cat' is not in the prompt" in report.tokens(region("cat", mask), [conditionings["two"]])
    assert "put Track Phrases between" in report.tokens(region("red", mask), [conditionings["bare"]])
    asked = report.tokens(region("red", mask, occurrence=3), [conditionings["two"]])
    assert asked == "the phrase stands 2 times in the prompt, not 3"
    assert report.tokens(region("red", mask), []) == "the conditioning is empty"


def test_parts_of_characters_can_be_printed(report, comfy):
    from pack.attention.phrases import Encoder, Piece, Tag
    from pack.patches.run.track import KEY

    whole = "\N{CAT FACE}".encode()
    halves = [part.decode("utf-8", "surrogateescape") for part in (whole[:2], whole[2:])]
    tag = Tag((Encoder("l", tuple(Piece(text, row) for row, text in enumerate(halves, 1))),), 77)
    text = report.tokens(region("\N{CAT FACE}", torch.ones(1, 8, 8)), [[None, {KEY: tag}]])
    assert text.encode("utf-8") and text.startswith("1 '") and "2 '" in text
