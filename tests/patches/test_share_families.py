"""The mix 'share' in every family in which the picture's attention to itself is reached."""

from __future__ import annotations

import pytest
import torch
from pack.tests.patches.sharing import shared
from pack.tests.reach import REACH
from pack.tests.reach.oracle import frames_of, noise_of, run, video
from pack.tests.tiny_models import FAMILIES

REFUSED = ("ernie", "pixart", "hydit", "wan_animate2")
"""The host tells its hook nothing of their attention."""
NAMES = [name for name in REACH if REACH[name].config[:2] != "SD" and name not in REFUSED]


COARSE = ("cogvideox", "cogvideox_i2v")
"""Blocks of their tiny models change so little that rounding is seen beside it."""


@pytest.fixture
def family(comfy, name):
    family = {**FAMILIES, **REACH}[name]
    if name in REACH and not family.known:
        pytest.skip(f"this host has no {family.config}")
    return family


def pictures(family, count: int = 1, seed: int = 5):
    shape = video(noise_of(family, frames=frames_of(family))).shape[1:]
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))


def draw(model, family, batch: int = 1):
    noise = noise_of(family, batch, frames_of(family))
    return video(run(model, noise, family.conditioning(), family.conditioning("blurry"), 1, 3.0))


def apart(a, b, plain) -> float:
    """The largest difference, as a share of what the pictures change."""
    change = (plain - b).abs().max()
    assert b.isfinite().all() and change > 1e-4 * plain.abs().max(), "the pictures change nothing here"
    return float((a - b).abs().max() / change)


def alike(model, family) -> bool:
    """Whether the host makes the same picture of copies in a batch; not in Krea 2 with references."""
    noise = noise_of(family, 1, frames_of(family))
    if noise.is_nested:
        return True  # they are recorded one by one
    out = run(model, noise.repeat_interleave(4, 0), family.conditioning())
    return bool((out - out[:1]).abs().max() < 1e-3 * out.abs().max())


@pytest.mark.parametrize("name", ["wan", *NAMES])
def test_off_is_exact_and_order_and_copies_do_not_matter(family, name):
    model, (one, other) = family.model(), pictures(family, 2)[:, None]
    plain, how = draw(model, family), {"input": "clean"}
    assert torch.equal(draw(shared(model, one, weight=0.0), family), plain)
    patched = shared(model, torch.cat([one, other]), **how)
    both = draw(patched, family)
    assert torch.equal(draw(patched, family), both)
    assert torch.equal(draw(model, family), plain)
    assert not torch.equal(both, plain)
    if name in COARSE or not alike(model, family):
        return
    swapped = apart(draw(shared(model, torch.cat([other, one]), **how), family), both, plain)
    twice = apart(draw(shared(model, torch.cat([one, other, other, one]), **how), family), both, plain)
    single = apart(draw(shared(model, one, **how), family), both, plain)
    assert max(swapped, twice) < 0.02 * single, (swapped, twice, single)


@pytest.mark.parametrize("name", ["wan", *(name for name in NAMES if name not in COARSE)])
def test_a_picture_of_a_batch_does_not_depend_on_the_others(family, name):
    if name == "minimax":
        pytest.skip("the host makes one video at a time")
    model, samples, how = family.model(), pictures(family), {"input": "clean"}
    plain, unshared = draw(model, family), draw(model, family, batch=2)[:1]
    if (plain - unshared).abs().max() > 1e-4 * plain.abs().max():
        pytest.skip("the host itself makes another picture in a batch")
    whole = draw(shared(model, samples, **how), family, batch=2)[:1]
    assert apart(whole, draw(shared(model, samples, **how), family), plain) < 0.01


def test_regions_act_beside_it_in_an_attention_of_their_own(comfy):
    from pack.attention.regions import Region
    from pack.patches.regions import RegionSettings, place_regions

    family = FAMILIES["wan"]
    model, samples, mask = family.model(), pictures(family), torch.zeros(1, 16, 16)
    mask[:, :8] = 1
    regions = (Region("red dog", mask, 1.0),)
    placed = place_regions(model, regions, RegionSettings())
    ours = draw(shared(placed, samples), family)
    assert torch.equal(draw(place_regions(shared(model, samples), regions, RegionSettings()), family), ours)
    assert not torch.equal(ours, draw(placed, family))
    assert not torch.equal(ours, draw(shared(model, samples), family))


def test_all_videos_with_sound_count_when_room_is_short(comfy, monkeypatch, caplog):
    """They are recorded one by one: a layer that only some of them fit is left out."""
    from pack.patches import share

    family = REACH["ltxav_sound"]
    if not family.known:
        pytest.skip(f"this host has no {family.config}")
    model, samples, sizes, more = family.model(), pictures(family, 3), [], share.Sharing.more

    def measured(self, call):
        sizes.append(sum(one.nbytes for kept in self.features.values() for one in kept.values()))
        return more(self, call)

    monkeypatch.setattr(share.Sharing, "more", measured)
    draw(shared(model, samples), family)
    whole = max(sizes)
    monkeypatch.setattr(share, "BUDGET", whole // 2)
    sizes.clear()
    draw(shared(model, samples), family)
    assert max(sizes) == whole // 2
    assert "keys and values of 1 layers were left out" in caplog.text
