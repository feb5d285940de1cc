"""LatentCacheInject moves what it keeps: the state at the new place is the moved picture, exactly by whole cells."""

import pytest
import torch
from pack.tests.patches.injecting import SD1, Watch, cached, half, inject, paint, picture
from pack.tests.tiny_models import FAMILIES


def at(x=0.0, y=0.0, scale=1.0, region=None):
    from pack.patches.run.moved import Place

    return Place(x, y, scale, region)


def box(*corners, batch=1, size=64):
    """A mask (B, size, size), 1 within (top, left, bottom, right)."""
    mask = torch.zeros(batch, size, size)
    top, left, bottom, right = corners
    mask[:, top:bottom, left:right] = 1.0
    return mask


@pytest.mark.parametrize("name", ["sd1", "flux", "wan"])
def test_the_left_half_stands_on_the_right(comfy, name):
    family = FAMILIES[name]
    latent, plain, watch = picture(family), Watch(), Watch()
    paint(plain.on(family.model()), family, family.latent(1), steps=2)
    patched, maps = inject(watch.on(family.model()), latent, half(1, 128, 128), count=1, place=at(0.5))
    paint(patched, family, family.latent(1), steps=2)
    (sigma, x), (_, before) = watch.seen[0], plain.seen[0]
    due = cached(family.model(), latent.roll(8, -1), sigma)
    assert torch.equal(x[..., 8:], due[..., 8:]) and torch.equal(x[..., :8], before[..., :8])
    assert torch.equal(maps.runs[0].masks[0, 0], torch.tensor([0.0] * 8 + [1.0] * 8))


def test_nothing_moved_is_bit_for_bit_the_same(comfy):
    latent, mask = picture(batch=2, height=8, width=8), half(2)
    plain = paint(inject(SD1.model(), latent, mask)[0], latent=SD1.latent(2, 8, 8))
    region = box(0, 0, 64, 32)
    region = torch.cat([region, box(0, 0, 64, 24)])  # just where the subjects are
    for place in (at(), at(0.02, -0.02), at(region=region)):
        assert torch.equal(paint(inject(SD1.model(), latent, mask, place=place)[0], latent=SD1.latent(2, 8, 8)), plain)


def test_each_picture_goes_its_own_way_into_the_box(comfy):
    """One picture, a mask for each of two: both masks come to the box, in a size that it holds."""
    latent, watch = picture(height=8, width=8), Watch()
    masks = torch.cat([box(0, 0, 16, 16), box(32, 32, 64, 64)])
    patched, maps = inject(watch.on(SD1.model()), latent, masks, count=1, place=at(region=box(32, 0, 64, 32)))
    paint(patched, latent=SD1.latent(2, 8, 8))
    wanted = torch.zeros(8, 8)
    wanted[4:, :4] = 1.0
    first, second = maps.runs[0].masks
    assert torch.equal(second, wanted) and torch.equal((first > 0.5).float(), wanted)
    sigma, x = watch.seen[0]
    assert torch.equal(x[1, :, 4:, :4], cached(SD1.model(), latent.roll(-4, -1), sigma)[0, :, 4:, :4])
    assert [move.scale for move in maps.runs[0].moves] == [2.0, 1.0]


def test_without_a_mask_the_whole_picture_moves_and_its_old_edge_is_free(comfy):
    patched, maps = inject(SD1.model(), picture(height=8, width=8), count=1, place=at(y=-0.25))
    paint(patched)
    assert torch.equal(maps.runs[0].masks[0, :, 0], torch.tensor([1.0] * 6 + [0.0] * 2))


def test_the_kept_pictures_of_a_batch_keep_their_moves(comfy):
    from pack.patches.run.maps import Cuts

    masks = torch.cat([box(0, 0, 16, 16), box(32, 32, 64, 64)])
    patched, maps = inject(SD1.model(), picture(height=8, width=8), masks, count=1, place=at(region=box(0, 0, 32, 32)))
    out = paint(patched, latent=SD1.latent(2, 8, 8))
    assert maps.fit(out[1:], Cuts).moves == maps.runs[0].moves[1:]


@pytest.mark.parametrize(
    ("place", "settings", "mask", "told"),
    [
        ({"x": 0.1}, {"phrase": "cat"}, None, "A phrase finds the subject where the new picture has it, so it cannot"),
        ({"region": torch.zeros(1, 64, 64)}, {}, half(), "The first region of place is black, so there is no box"),
        ({"x": 1.0}, {}, half(), "move_x, move_y, scale or place take the subject out of the picture"),
        ({"scale": 0.1}, {}, box(24, 24, 32, 32), "or make it smaller than a cell of the latent"),
        ({"region": torch.ones(3, 64, 64)}, {}, half(), "The mask of place holds 3 pictures, but 1 are being sampled"),
    ],
)
def test_what_cannot_be_done_is_told_before_sampling(comfy, place, settings, mask, told):
    watch = Watch()
    with pytest.raises(ValueError, match=told) as error:
        paint(inject(watch.on(SD1.model()), picture(height=8, width=8), mask, place=at(**place), **settings)[0])
    assert not watch.seen and "\n" not in str(error.value)


def test_a_phrase_beside_a_mask_does_not_count(comfy):
    paint(inject(SD1.model(), picture(height=8, width=8), half(), phrase="cat", place=at(0.25))[0])


def test_strength_0_asks_for_nothing(comfy):
    plain = paint(SD1.model())
    moved = inject(SD1.model(), picture(height=8, width=8), half(), strength=0.0, place=at(1.0))[0]
    assert torch.equal(paint(moved), plain)
