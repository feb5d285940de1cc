"""Regions painted in one picture."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture
def masks_of(comfy):
    from pack.nodes.drawing.color_map import color_masks
    from pack.nodes.drawing.table import read_table

    def run(image, text, background=WHITE, tolerance=24):
        lines, masks = color_masks(image, read_table(text, 0.5, 0.0), background, tolerance)
        return [line.colour for line in lines], masks

    return run


def painted(*columns, height=100):
    """(1, height, W, 3): stripes of (colour, columns)."""
    stripes = [torch.tensor(colour).expand(height, width, 3) for colour, width in columns]
    return torch.cat(stripes, 1)[None] / 255


def jpeg(image, quality, subsampling=2):
    file = io.BytesIO()
    Image.fromarray((image[0] * 255).byte().numpy()).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return torch.from_numpy(np.array(Image.open(file))).float()[None] / 255


def test_lines_take_the_largest_colours_in_order_but_the_background(masks_of):
    image = painted((WHITE, 50), (RED, 10), (GREEN, 30), (BLUE, 20))
    colours, masks = masks_of(image, "a\nb\nc")
    assert colours == [GREEN, BLUE, RED] and masks.shape == (3, 1, 100, 110) and masks.dtype == torch.float32
    spans = [(60, 90), (90, 110), (50, 60)]
    for mask, (start, stop) in zip(masks[:, 0], spans, strict=True):
        expected = torch.zeros(100, 110)
        expected[:, start:stop] = 1
        assert torch.equal(mask, expected)


def test_equal_areas_go_from_left_to_right(masks_of):
    for first, second in [(RED, BLUE), (BLUE, RED)]:
        assert masks_of(painted((first, 30), (second, 30)), "a\nb")[0] == [first, second]


def test_named_colours_are_taken_out_of_turn_however_small(masks_of):
    image = painted((RED, 998), (BLUE, 1), (GREEN, 1001))
    colours, masks = masks_of(image, "a | #0000ff\nb\nc | #00ff00\nd | #00ff00")
    assert colours == [BLUE, RED, GREEN, GREEN]
    assert masks.mean((1, 2, 3)).tolist() == pytest.approx([1 / 2000, 998 / 2000, 1001 / 2000, 1001 / 2000])
    assert torch.equal(masks[2], masks[3])


def test_the_background_is_a_region_only_if_named_or_off(masks_of):
    image = painted((WHITE, 60), (RED, 40))
    with pytest.raises(ValueError, match="Line 2 'b' names no colour and finds none left after #ff0000;"):
        masks_of(image, "a\nb")
    assert masks_of(image, "a\nb | #ffffff")[0] == [RED, WHITE]
    assert masks_of(image, "a\nb", background=None)[0] == [WHITE, RED]
    assert masks_of(image, "a", background=RED)[0] == [WHITE]
    assert masks_of(painted(((250, 252, 240), 60), (RED, 40)), "a")[0] == [RED]  # a JPEG's or a scan's white


def test_too_few_colours_are_listed_with_their_shares(masks_of):
    image = painted((WHITE, 500), (RED, 300), (BLUE, 196), (GREEN, 4))  # green covers less than 1 %
    with pytest.raises(
        ValueError, match="Line 4 'c' names no colour and finds none left after #ff0000, #0000ff;"
    ) as error:
        masks_of(image, "a\n\nb\nc")
    assert "#ffffff (50%), #ff0000 (30%), #0000ff (20%)," in str(error.value)


def test_a_named_colour_that_is_nowhere_is_an_error(masks_of):
    with pytest.raises(ValueError, match=r"Line 1 'a' asks for #00ff00, but the picture has #ff0000 \(100%\)"):
        masks_of(painted((RED, 10)), "a | #00ff00")


def test_a_pixel_belongs_to_the_nearest_colour_within_the_tolerance(masks_of):
    image = painted(((200, 0, 0), 10), ((209, 0, 0), 10), ((211, 0, 0), 10), ((220, 0, 0), 10), ((245, 0, 0), 10))
    _, masks = masks_of(image, "a | #c80000\nb | #dc0000")
    assert masks[:, 0, 0].int().tolist() == [[1] * 20 + [0] * 30, [0] * 20 + [1] * 20 + [0] * 10]
    _, exact = masks_of(image, "a | #c80000\nb | #dc0000", tolerance=0)
    assert exact[:, 0, 0].int().tolist() == [[1] * 10 + [0] * 40, [0] * 30 + [1] * 10 + [0] * 10]


@pytest.mark.parametrize(("quality", "subsampling", "least"), [(95, 0, 0.98), (75, 2, 0.95), (40, 2, 0.93)])
def test_jpeg_noise_is_tolerated(masks_of, quality, subsampling, least):
    clean = torch.ones(1, 256, 384, 3)
    y, x = torch.arange(256)[:, None], torch.arange(384)
    shapes = {RED: (x - 100) ** 2 + (y - 120) ** 2 < 80**2, BLUE: (x - 280) ** 2 + (y - 128) ** 2 < 70**2}
    shapes[(20, 120, 60)] = (y > 220) & (x > -1)
    for colour, inside in shapes.items():
        clean[0, inside] = torch.tensor(colour) / 255
    colours, masks = masks_of(jpeg(clean, quality, subsampling), "a\nb\nc")
    for found, mask, (colour, _) in zip(colours, masks[:, 0], sorted_by_area(clean, shapes), strict=True):
        truth = (clean[0] == torch.tensor(colour) / 255).all(-1)
        iou = (mask.bool() & truth).sum() / (mask.bool() | truth).sum()
        assert max(abs(a - b) for a, b in zip(found, colour, strict=True)) <= 8 and iou > least


def sorted_by_area(picture, shapes):
    areas = {colour: int((picture[0] == torch.tensor(colour) / 255).all(-1).sum()) for colour in shapes}
    return sorted(areas.items(), key=lambda item: -item[1])


def test_a_batch_shares_its_colours_and_places_them_per_picture(masks_of):
    image = torch.cat([painted((RED, 10), (BLUE, 40)), painted((BLUE, 20), (WHITE, 30))])
    colours, masks = masks_of(image, "a\nb")
    assert colours == [BLUE, RED] and masks.shape == (2, 2, 100, 50)
    assert masks.mean((2, 3)).tolist() == [[pytest.approx(0.8), pytest.approx(0.4)], [pytest.approx(0.2), 0]]


def test_grey_and_transparent_pictures(masks_of):
    rgb = painted((WHITE, 10), ((100, 100, 100), 10))
    for image in (rgb[..., :1], torch.cat([rgb, torch.zeros(1, 100, 20, 1)], -1)):
        colours, masks = masks_of(image, "a")
        assert colours == [(100, 100, 100)] and masks[0, 0, 0].tolist() == [0.0] * 10 + [1.0] * 10


def test_a_photograph_ends_with_a_sentence(masks_of):
    noise = torch.rand(1, 200, 200, 3, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="finds none left; the picture has no colour over 1 %"):
        masks_of(noise, "a", tolerance=2)


def test_flat_areas_are_found_in_a_photograph(masks_of):
    """With more colours than are looked at one by one."""
    noise = torch.rand(1, 600, 600, 3, generator=torch.Generator().manual_seed(1))
    noise[:, :, :150] = torch.tensor(RED) / 255
    noise[:, :60, 150:] = torch.tensor((10, 20, 200)) / 255
    assert (noise * 255).round().int().reshape(-1, 3).unique(dim=0).shape[0] > 1 << 16
    colours, masks = masks_of(noise, "left\ntop", background=None, tolerance=4)
    assert colours == [RED, (10, 20, 200)]
    assert masks[0, 0, :, :150].all() and masks[1, 0, :60, 150:].all()
    assert masks[0].mean() < 0.255 and masks[1].mean() < 0.08
