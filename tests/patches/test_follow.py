"""Regions without a mask: read from the run's own first steps, then held, as a drawn mask from there on."""

import logging

import pytest
import torch
from pack.tests.patches.placing import left, place, region
from pack.tests.patches.run.test_biased import bypassed
from pack.tests.patches.run.test_run import state
from pack.tests.patches.seeing import capture
from pack.tests.tiny_models import FAMILIES, sample

FAMILY = FAMILIES["sd1"]
PHRASES = ("red dog", "blue cat")
OPTIONS = {"steps": 5, "scheduler": "simple"}  # at percents 0, 0.2, 0.4, 0.6, 0.8
UNTIL = 0.35  # the second step is the last before it, and read


@pytest.fixture(autouse=True)
def late(comfy, monkeypatch):
    """So that a short run has two steps before."""
    from pack.patches import follow

    monkeypatch.setattr(follow, "UNTIL", UNTIL)


def given(family=FAMILY, batch=1):
    return family.latent(batch, 12, 16), family.conditioning(), family.conditioning("")


def following(*phrases, **options):
    from pack.attention.regions import Region

    return [Region(phrase, None, **({"strength": 1.0, "outside": 0.3} | options)) for phrase in phrases]


def read(family, *phrases, batch=1):
    """(phrases, B, h, w): places in what a plain run looked at in its second step, the last before UNTIL."""
    from pack.patches.follow import found
    from pack.patches.run.window import Window

    watched, maps = capture(family.model(), *phrases, window=Window(0.15, UNTIL))
    sample(watched, *given(family, batch), **OPTIONS)
    return found(maps.runs[0], phrases)


@pytest.mark.parametrize("name", ["sd1", "sdxl", "flux", "sd3", "qwen_image", "wan"])
def test_a_phrase_is_held_where_the_last_step_looked(comfy, name):
    """As regions drawn there that act from the third step on; each picture of a batch has its own."""
    from pack.patches.run.window import Window

    family = FAMILIES[name]
    masks = read(family, *PHRASES, batch=2)
    drawn = [region(phrase, mask, focus=0.5) for phrase, mask in zip(PHRASES, masks, strict=True)]
    late = place(family.model(), *drawn, window=Window(UNTIL, 1.0))
    found = place(family.model(), *following(*PHRASES, focus=0.5))
    out = sample(found, *given(family, 2), **OPTIONS)
    assert torch.equal(out, sample(late, *given(family, 2), **OPTIONS))
    assert not torch.equal(out, sample(family.model(), *given(family, 2), **OPTIONS))
    assert not torch.equal(masks[:, 0], masks[:, 1])


def test_two_phrases_keep_apart_and_each_has_a_place(comfy):
    first, second = read(FAMILY, *PHRASES, batch=2)
    assert not (first * second).any()
    assert first.flatten(1).any(1).all() and second.flatten(1).any(1).all()


def test_models_stay_as_they_were_and_runs_repeat_also_after_an_interrupt(comfy):
    model = FAMILY.model().clone()
    before, plain = state(model), sample(model, *given(), **OPTIONS)
    patched = place(model, *following(*PHRASES))
    placed, first = state(patched), sample(patched, *given(), **OPTIONS)

    def stop(step, *_):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(patched, *given(), callback=stop, **OPTIONS)
    assert torch.equal(sample(patched, *given(), **OPTIONS), first)
    assert torch.equal(sample(model, *given(), **OPTIONS), plain) and not torch.equal(first, plain)
    assert state(model) == before and state(patched) == placed


def test_neutral_is_the_unpatched_picture(comfy):
    neutral = place(FAMILY.model(), *following(*PHRASES, strength=0.0, outside=0.0))
    assert torch.equal(sample(neutral, *given(), **OPTIONS), sample(FAMILY.model(), *given(), **OPTIONS))


def test_a_drawn_region_acts_while_another_is_looked_for(comfy):
    """Until the place is found the run is that of the drawn region alone."""

    def steps(*regions):
        seen = []
        patched = place(FAMILY.model(), *regions)
        sample(patched, *given(), callback=lambda i, x0, x, n: seen.append(x0.clone()), **OPTIONS)
        return seen

    drawn = region("red dog", left(12, 16))
    alone, both, plain = steps(drawn), steps(drawn, *following("blue cat")), steps()
    assert [torch.equal(a, b) for a, b in zip(alone, both, strict=True)] == [True, True, False, False, False]
    assert not torch.equal(alone[0], plain[0])


@pytest.mark.parametrize("sampler", ["heun", "dpmpp_2m_sde", "dpm_adaptive", "uni_pc"])
def test_every_kind_of_sampler(comfy, sampler):
    patched = place(FAMILY.model(), *following(*PHRASES))
    out = sample(patched, *given(), sampler=sampler, **OPTIONS)
    assert out.isfinite().all() and torch.equal(sample(patched, *given(), sampler=sampler, **OPTIONS), out)
    assert not torch.equal(out, sample(FAMILY.model(), *given(), sampler=sampler, **OPTIONS))


def said(caplog, model, **options) -> list[str]:
    """The warnings of a run whose picture is the unpatched one."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        same = sample(model, *given(), **(OPTIONS | options))
        assert torch.equal(same, sample(FAMILY.model(), *given(), **(OPTIONS | options)))
    return [record.getMessage() for record in caplog.records if record.name.startswith("pack.")]


def test_a_run_that_has_no_step_left_says_so(comfy, caplog):
    from pack.patches.run.window import Window

    patched = place(FAMILY.model(), *following(*PHRASES))
    early = place(FAMILY.model(), *following(*PHRASES), window=Window(0.0, 0.3))
    for lines in (said(caplog, patched, steps=1), said(caplog, patched, last_step=2), said(caplog, early)):
        (line,) = lines
        assert line.startswith(
            "Region Attention: No step was left for 'red dog, blue cat' once their place was found, "
        )
        assert line.endswith("raise end_percent, or take more steps.")


def test_attention_that_the_model_bypasses_is_said(comfy, caplog):
    """As with a drawn region."""
    plain = sample(bypassed(FAMILY.model()), *given())
    with caplog.at_level(logging.WARNING):
        patched = sample(place(bypassed(FAMILY.model()), *following(*PHRASES)), *given())
    assert torch.equal(patched, plain)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("pack.")]
    assert len(said) == 1 and said[0].startswith("Region Attention: In its window the model's attention to its phrases")


def test_an_image_to_image_run_looks_for_one_step_at_least(comfy):
    """Its first step lies behind UNTIL already."""

    def steps(model):
        seen = []
        sample(model, *given(), callback=lambda i, x0, x, n: seen.append(x0.clone()), denoise=0.5, **OPTIONS)
        return seen

    found = steps(place(FAMILY.model(), *following(*PHRASES)))
    plain = steps(FAMILY.model())
    assert [torch.equal(a, b) for a, b in zip(found, plain, strict=True)][:2] == [True, False]


def test_what_cannot_be_found_is_refused(comfy):
    with pytest.raises(ValueError, match="^Region Attention: The phrase 'zebra' is not in the prompt"):
        sample(place(FAMILY.model(), *following("zebra")), *given(), **OPTIONS)
    patched = place(FAMILY.model(), *following("red dog"))
    patched.model_options["context_handler"] = object()
    with pytest.raises(ValueError, match="^Region Attention: .* context window"):
        sample(patched, *given(), **OPTIONS)
