"""The nodes that make regions."""

import pytest
import torch


@pytest.fixture
def nodes(comfy):
    from pack.nodes import regions

    return regions


def one(nodes, mask, phrase="red cat", **more):
    settings = dict(strength=0.5, outside=0.0, focus=0.0, occurrence=0) | more
    return nodes.PhraseRegion.execute(phrase, mask=mask, **settings).result[0]


def test_a_phrase_region_holds_what_was_set(nodes):
    mask = torch.rand(2, 6, 10)
    (region,) = one(nodes, mask, " red cat ", strength=1.5, outside=0.25, focus=0.7, occurrence=2)
    assert torch.equal(region.mask, mask)
    assert (region.phrase, region.strength, region.outside, region.occurrence) == ("red cat", 1.5, 0.25, 2)
    assert region.focus == 0.7 and region.colour is None and not region.off


@pytest.mark.parametrize(("strength", "outside", "off"), [(0.0, 0.0, True), (0.0, 0.1, False), (0.1, 0.0, False)])
def test_off_needs_both_numbers_at_zero(nodes, strength, outside, off):
    assert one(nodes, torch.ones(1, 2, 2), strength=strength, outside=outside)[0].off is off


def test_without_a_mask_a_phrase_finds_its_place_in_all_occurrences(nodes):
    (region,) = one(nodes, None)
    assert region.mask is None and not region.off and one(nodes, None, strength=0.0)[0].off
    with pytest.raises(ValueError, match="Phrase Region: occurrence is 2, but a phrase without a mask"):
        one(nodes, None, occurrence=2)


def test_regions_chain_without_changing_what_came_in(nodes):
    first = one(nodes, torch.ones(1, 4, 4), "a")
    second = one(nodes, torch.ones(1, 8, 8), "b", regions=first)
    third = nodes.RegionsFromMasks.execute(torch.ones(2, 4, 4), "c\nd", 0.5, 0.0, 0.0, second).result[0]
    last = nodes.RegionsFromColorMap.execute(torch.zeros(1, 4, 4, 3), "e", 0.5, 0.0, 0.0, regions=third).result[0]
    assert [region.phrase for region in last] == ["a", "b", "c", "d", "e"]
    assert len(first) == 1 and second[0] is first[0] and last[3] is third[3]


def test_masks_of_two_dimensions_other_types_and_values_outside_0_to_1(nodes):
    wild = torch.tensor([[-1.0, 0.25], [float("inf"), 1.0]])
    assert one(nodes, wild)[0].mask.tolist() == [[[0.0, 0.25], [1.0, 1.0]]]
    assert one(nodes, torch.ones(1, 2, 2, dtype=torch.bool))[0].mask.dtype == torch.float32
    half = one(nodes, torch.full((1, 2, 2), 0.5, dtype=torch.float16))[0].mask
    assert half.dtype == torch.float32 and half.unique().tolist() == [0.5]


@pytest.mark.parametrize("shape", [(4,), (1, 3, 4, 4), (0, 4, 4), (1, 0, 4)])
def test_masks_of_a_wrong_shape_are_refused(nodes, shape):
    with pytest.raises(ValueError, match=r"has the shape \(.*, but it must be"):
        one(nodes, torch.zeros(shape))


def test_nan_and_empty_phrases_are_refused(nodes):
    mask = torch.ones(1, 4, 4)
    with pytest.raises(ValueError, match="The phrase is empty"):
        one(nodes, mask, " \n")
    mask[0, 1, 1] = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        one(nodes, mask)
    with pytest.raises(ValueError, match="NaN"):
        nodes.RegionsFromMasks.execute(mask, "a", 0.5, 0.0, 0.0)


def test_lines_take_their_masks_in_order_and_their_numbers_or_the_nodes(nodes):
    masks = torch.rand(3, 5, 7)
    made = nodes.RegionsFromMasks.execute(masks, "a\n// no\nb | 2 | 1 | #0000ff\n\nc | | 3", 0.4, 0.1, 1.5).result[0]
    assert [(r.phrase, r.strength, r.outside, r.focus, r.colour, r.occurrence) for r in made] == [
        ("a", 0.4, 0.1, 1.5, None, 0),
        ("b", 2.0, 1.0, 1.5, (0, 0, 255), 0),
        ("c", 0.4, 3.0, 1.5, None, 0),
    ]
    assert torch.equal(torch.cat([region.mask for region in made]), masks)


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_masks_as_lines(nodes, count):
    with pytest.raises(ValueError, match=rf"There are {count} masks for 2 lines \(a, b\)"):
        nodes.RegionsFromMasks.execute(torch.ones(count, 4, 4), "a\nb", 0.5, 0.0, 0.0)


def test_color_map_masks_also_come_out_and_fit_regions_from_masks(nodes):
    image = torch.ones(1, 10, 30, 3)
    image[:, :, :10] = torch.tensor([1.0, 0, 0])
    image[:, :, 10:12] = torch.tensor([0, 0, 1.0])
    regions, masks = nodes.RegionsFromColorMap.execute(image, "a | 1\nb", 0.5, 0.2, 0.9).result
    assert [(r.phrase, r.strength, r.outside, r.focus, r.colour) for r in regions] == [
        ("a", 1.0, 0.2, 0.9, (255, 0, 0)),
        ("b", 0.5, 0.2, 0.9, (0, 0, 255)),
    ]
    assert masks.shape == (2, 10, 30) and masks.sum((1, 2)).tolist() == [100, 20]
    again = nodes.RegionsFromMasks.execute(masks, "a\nb", 0.5, 0.2, 0.9).result[0]
    assert all(torch.equal(one.mask, other.mask) for one, other in zip(regions, again, strict=True))


def test_color_map_of_a_batch_has_masks_per_picture(nodes):
    image = torch.ones(2, 4, 8, 3)
    image[0, :, :4, 1:] = 0
    image[1, :, 2:, :2] = 0
    regions, masks = nodes.RegionsFromColorMap.execute(image, "blue\nred", 0.5, 0.0, 0.0).result
    assert [region.mask.shape for region in regions] == [(2, 4, 8)] * 2
    assert masks.sum((1, 2)).tolist() == [0, 24, 16, 0]  # blue in both pictures, then red in both


def test_an_empty_background_makes_every_color_a_region(nodes):
    image = torch.ones(1, 4, 4, 3)
    assert nodes.RegionsFromColorMap.execute(image, "a", 0.5, 0.0, 0.0, " ").result[1].all()
    with pytest.raises(ValueError, match="'white' is not a colour"):
        nodes.RegionsFromColorMap.execute(image, "a", 0.5, 0.0, 0.0, "white")


def test_defaults_put_one_thing_in_each_region(nodes):
    from pack.nodes.region_boxes import NODES

    for node in [*nodes.NODES, *NODES]:
        defaults = {i.id: getattr(i, "default", None) for i in node.GET_SCHEMA().inputs}
        assert (defaults["strength"], defaults["outside"], defaults["focus"]) == (0.5, 0.5, 1.0)
