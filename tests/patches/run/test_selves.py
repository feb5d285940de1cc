"""Self-attention of the picture's tokens, against the scores that each model really computes."""

import pytest
import torch
from pack.tests.attending import View
from pack.tests.tiny_models import FAMILIES, sample

JOINT = [name for name, family in FAMILIES.items() if family.joint]


class Selves(View):
    """Keeps (B, T, T) of every call of picture and text: how areas of fy x fx tokens look at each other, mean over
    heads and frames. The score of two means is the mean of the scores."""

    area = (1, 1)

    def look(self, scores, mask, picture, grid, frames, options):
        (fy, fx), (h, w) = self.area, grid
        both = scores[:, :, picture, picture]
        split = both.unflatten(3, (frames, h // fy, fy, w // fx, fx)).unflatten(2, (frames, h // fy, fy, w // fx, fx))
        pooled = split.mean((4, 6, 9, 11))  # (B, heads, f, H, W, f, H, W)
        frame = pooled.flatten(6, 7).flatten(3, 4).diagonal(dim1=2, dim2=4)  # (B, heads, T, T, f)
        self.seen.append(frame.softmax(3).mean((1, 4)))


def captured(model, **settings):
    from pack.patches.capture import CaptureSettings, capture

    return capture(model, CaptureSettings(("red dog",), self_attention=True, **settings))


def read(name, area, size=(24, 16), frames=1, **settings):
    """What we read, and the mean of what the model computed, (2, T, T)."""
    family = FAMILIES[name]
    latent = family.latent(2, *size, frames=frames)
    view = Selves(name, tuple(latent.shape[2:]))
    view.area = area
    model, maps = captured(view.on(family.model()), **settings)
    sample(model, latent, family.conditioning(), family.conditioning(), 2, 1.0)
    return maps.runs[0], torch.stack(view.seen).mean(0)


@pytest.mark.parametrize("name", JOINT)
def test_a_joint_model_shows_how_its_picture_looks_at_itself(comfy, name):
    ours, expected = read(name, (1, 1), (18, 16))
    assert ours.self_grid == (9, 8) and ours.refinable
    torch.testing.assert_close(ours.self_attention.double(), expected, rtol=1e-4, atol=1e-7)
    assert expected.std() > 1e-4


@pytest.mark.parametrize("name", JOINT)
def test_a_large_grid_is_pooled_by_area(comfy, name, monkeypatch):
    from pack.patches.run import selves

    monkeypatch.setattr(selves, "TOKENS", 24)
    ours, expected = read(name, (2, 2))
    assert ours.self_grid == (6, 4) and ours.self_attention.shape == (2, 24, 24)
    torch.testing.assert_close(ours.self_attention.double(), expected, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(ours.self_attention.sum(2), torch.ones(2, 24))


def test_chosen_blocks_choose_the_texts_maps_alone(comfy):
    whole, expected = read("flux", (1, 1), (18, 16))
    some, _ = read("flux", (1, 1), (18, 16), blocks="double.0")
    assert set(some.layers) == {"double.0"} and torch.equal(some.self_attention, whole.self_attention)


def test_cells_keep_the_pictures_shape_and_number_at_most_1024(comfy):
    from pack.patches.run.selves import _cells

    assert _cells((32, 32)) == (32, 32) and _cells((64, 64)) == (32, 32) and _cells((9, 113)) == (9, 113)
    assert _cells((80, 48)) == (41, 24) and _cells((1, 5000)) == (1, 1024) and _cells((5000, 1)) == (1024, 1)


def test_a_unet_whose_every_grid_is_too_large_is_pooled_from_its_coarsest(comfy, monkeypatch):
    """sd1 has blocks of 16 x 12 and 8 x 6 here; the finest that is small enough goes before any pooled one."""
    from pack.patches.run import selves

    family = FAMILIES["sd1"]
    grids = {}
    for limit in (1024, 48, 12):
        monkeypatch.setattr(selves, "TOKENS", limit)
        model, maps = captured(family.model())
        sample(model, family.latent(1, 16, 12), family.conditioning(), family.conditioning(), 1, 1.0)
        grids[limit] = maps.runs[0].self_grid
        torch.testing.assert_close(maps.runs[0].self_attention.sum(2), torch.ones(1, grids[limit][0] * grids[limit][1]))
    assert grids == {1024: (16, 12), 48: (8, 6), 12: (4, 3)}


@pytest.mark.parametrize("name", ["cosmos_predict2", "ltxv", "kandinsky5"])
def test_a_picture_that_looks_at_itself_apart_from_the_text(comfy, name):
    """Each frame's tokens to themselves, in the attention calls that hold as many keys as queries."""
    from pack.tests.reach import REACH
    from pack.tests.reach.oracle import Seen, noise_of, run

    family, seen = REACH[name], Seen()
    if not family.known:
        pytest.skip(f"this host has no {family.config}")
    noise = noise_of(family, frames=3)
    model, maps = captured(seen.on(family.model()))
    run(model, noise, family.conditioning())
    frames, h, w = noise.shape[2], *(side // family.patch for side in noise.shape[-2:])
    calls = [(q, k) for q, k, _ in seen.calls if q.shape[2] == k.shape[2] == frames * h * w]
    q, k = (torch.stack(part).double().unflatten(3, (frames, -1)) for part in zip(*calls, strict=True))
    expected = (q @ k.mT * q.shape[-1] ** -0.5).softmax(-1).mean((0, 2, 3))
    ours = maps.runs[0]
    assert ours.self_grid == (h, w) and ours.refinable
    torch.testing.assert_close(ours.self_attention.double(), expected, rtol=1e-4, atol=1e-7)
