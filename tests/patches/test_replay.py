"""Stored guidance added to other runs."""

import pytest
import torch
from pack.tests.patches.guiding import concept, guided, paint
from pack.tests.tiny_models import FAMILIES


def edited(family="sd1", batch=1, concepts=None, settings=None, **options):
    """(the edited latent, what was stored of its run as Guidance)."""
    from pack.patches.replay import Guidance

    family = FAMILIES[family]
    concepts = concepts or (concept("a green beach", family), concept("a cat", family, remove=True, start=0.3, end=0.7))
    model, maps = guided(family.model(), *concepts, **(settings or {}))
    out = paint(model, family, batch=batch, **options)
    return out, Guidance(maps.runs[-1].sigmas, maps.runs[-1].edits)


def replayed(guidance, scale=1.0, family="sd1", batch=1, **options):
    from pack.patches.replay import replay

    family = FAMILIES[family]
    return paint(replay(family.model(), guidance, scale), family, batch=batch, **options)


def close(one, other, plain):
    size = other.abs().max()
    assert (other - plain).abs().max() > 1e-2 * size, "the edits change nothing here"
    return (one - other).abs().max() <= 1e-4 * size


@pytest.mark.parametrize("family", ["sd1", "sd2_v", "flux", "wan"])
@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m"])
def test_the_same_run_gives_the_edited_picture(family, sampler):
    given = dict(family=family, sampler=sampler, batch=2, steps=6)
    out, guidance = edited(**given)
    plain = paint(FAMILIES[family].model(), FAMILIES[family], batch=2, sampler=sampler, steps=6)
    assert close(replayed(guidance, **given), out, plain)


@pytest.mark.parametrize("settings", [dict(phi=0.7), dict(orthogonal=True), dict(outside="source"), dict(mask="joint")])
def test_it_holds_what_every_setting_did(settings):
    out, guidance = edited(settings=settings, steps=6)
    assert close(replayed(guidance, steps=6), out, paint(FAMILIES["sd1"].model(), steps=6))


def test_it_acts_in_the_concepts_window_alone():
    out, guidance = edited(concepts=(concept(start=0.3, end=0.95, scale=20.0),), steps=10)
    assert 0 < len(guidance.sigmas) < 10
    assert close(replayed(guidance, steps=10), out, paint(FAMILIES["sd1"].model(), steps=10))


def test_scale_multiplies_and_0_is_the_unpatched_picture():
    guidance = edited(steps=1)[1]
    plain = paint(FAMILIES["sd1"].model(), steps=1)
    assert torch.equal(replayed(guidance, 0.0, steps=1), plain)
    once, twice, back = (replayed(guidance, scale, steps=1) - plain for scale in (1.0, 2.0, -1.0))
    assert once.abs().max() > 1e-2
    assert torch.allclose(twice, 2 * once, atol=1e-4) and torch.allclose(back, -once, atol=1e-4)


@pytest.mark.parametrize("sampler, steps", [("heun", 6), ("euler_ancestral", 9), ("dpmpp_2m_sde", 5)])
def test_another_sampler_schedule_and_number_of_pictures(sampler, steps):
    guidance = edited(steps=6)[1]
    other = dict(batch=3, sampler=sampler, steps=steps, scheduler="karras")
    out, plain = replayed(guidance, **other), paint(FAMILIES["sd1"].model(), **other)
    assert torch.isfinite(out).all() and (out - plain).abs().amax((1, 2, 3)).min() > 1e-2


@pytest.mark.parametrize("change", [dict(batch=3), dict(size=(16, 24)), dict(family="flux")])
def test_another_size_is_refused(change):
    from pack.patches.replay import replay

    guidance = edited(batch=2)[1]
    family = FAMILIES[change.pop("family", "sd1")]
    with pytest.raises(ValueError, match=r"stored guidance is \[2, 4, 16, 16\]"):
        paint(replay(family.model(), guidance, 1.0), family, **{"batch": 2, **change})


@pytest.mark.parametrize("off", [dict(scale=0.0), dict(start=0.45, end=0.46), dict(mask=torch.zeros(1, 8, 8))])
def test_a_run_without_edits_replays_as_the_unpatched_picture(off):
    _, guidance = edited(concepts=(concept(**off),), steps=2)
    assert guidance.sigmas == () and guidance.edits.shape == (0, 1, 4, 16, 16)
    assert torch.equal(replayed(guidance, steps=2), paint(FAMILIES["sd1"].model(), steps=2))


def test_a_file_in_which_nothing_was_edited_is_told(comfy, caplog):
    from pack.patches.replay import Guidance

    nothing = Guidance((), torch.zeros(0, 1, 4, 16, 16))
    assert torch.equal(replayed(nothing), paint(FAMILIES["sd1"].model()))
    assert "Load Guidance: The file is of a run in which nothing was edited" in caplog.text


@pytest.mark.parametrize("family", ["sd1", "flux", "wan"])
def test_steps_before_the_concepts_begin_are_left_alone(family):
    """Where a flow model has more noise, the edit of a later step would count many times."""
    given = dict(family=family, steps=20, scheduler="simple")
    concepts = (concept("a green beach", FAMILIES[family], start=0.2),)
    out, guidance = edited(concepts=concepts, **given)
    plain = paint(FAMILIES[family].model(), FAMILIES[family], steps=20, scheduler="simple")
    assert close(replayed(guidance, **given), out, plain)
