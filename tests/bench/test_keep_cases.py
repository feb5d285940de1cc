"""Cases of kept subjects: where they move, how two come together, and what their own pixels put right."""

from types import SimpleNamespace

import pytest


def test_moved_objects_stay_in_the_picture(comfy):
    from pack.bench.keep_cases import SHIFT, moved_cases

    cases = moved_cases(60_000, 12)
    assert len(cases) == 12
    for case in cases:
        (old,), (new,) = case.scene.things, case.asked.things
        assert sorted((abs(new.x - old.x), abs(new.y - old.y))) == pytest.approx([0, SHIFT])
        assert min(new.box) >= 0 and max(new.box) <= 128
        assert case.asked.background != case.scene.background


def test_two_pictures_of_one_object_each_make_a_scene_of_both(comfy):
    from pack.bench.keep_cases import paired_cases

    for one, other in zip(*paired_cases(60_000, 6), strict=True):
        assert one.asked is other.asked and one.scene.things + other.scene.things == one.asked.things
        assert len({case.background for case in (one.scene, other.scene, one.asked)}) == 3


def test_own_pixels_leave_no_error_inside(comfy):
    import torch
    from pack.bench.keep_more import error_inside, own_pixels

    masks = torch.zeros(1, 128, 128)
    masks[:, 40:80, 48:88] = 1.0
    pictures = torch.rand(1, 128, 128, 3, generator=torch.Generator().manual_seed(2))
    keeper = SimpleNamespace(masks=masks, pictures=pictures, latents=torch.zeros(1, 4, 16, 16))
    painted = pictures + 0.25
    assert error_inside(keeper, painted) == pytest.approx(0.25)
    after = own_pixels(keeper, painted)
    assert error_inside(keeper, after) == pytest.approx(0.0, abs=1e-6)
    assert torch.equal(after[:, :24], painted[:, :24]) and (after - pictures)[0, 30, 60].abs().max() > 0.2
