"""SemanticGuidance on the tiny models: equal to the source's formula, exact where it is off, at no needless cost."""

import pytest
import torch
from pack.tests.patches.beside import state
from pack.tests.patches.guiding import SD1, Rows, Source, agree, concept, edit, guided, paint
from pack.tests.tiny_models import FAMILIES

HALF = torch.zeros(1, 64, 64)
HALF[:, :, 20:] = 1.0
CASES = {
    "one": [{}],
    "removed": [{"remove": True, "scale": 3.0}],
    "warm-up": [{"start": 0.4, "scale": 30.0}],
    "cool-down": [{"end": 0.5}],
    "two": [{}, {"text": "at night", "scale": 8.0, "threshold": 0.7, "weight": 0.5}],
    "two, one later": [{}, {"text": "at night", "start": 0.5, "weight": 0.4}],
    "two, one after the other": [{"end": 0.3}, {"text": "at night", "start": 0.6}],
    "under a mask": [{"mask": HALF, "threshold": 0.5}],
}


@pytest.mark.parametrize("outside", ["off", "source"])
@pytest.mark.parametrize("name", CASES)
def test_as_the_source(comfy, name, outside):
    concepts = [concept(**options) for options in CASES[name]]
    how = {"steps": 6, "size": (17, 13)}
    plain, explicit = paint(SD1.model(), **how), paint(Source(*concepts, outside=outside).on(SD1.model()), **how)
    assert agree(paint(edit(SD1.model(), *concepts, outside=outside), **how), explicit, plain)


@pytest.mark.parametrize("name", ["sd2_v", "sdxl", "flux", "sd3", "chroma", "qwen_image", "lumina2", "wan"])
def test_as_the_source_in_every_parameterisation(comfy, name):
    """v-prediction and flow models too: the formula is that of eps, whatever the model predicts."""
    from pack.sampling.semantic import Momentum

    family = FAMILIES[name]
    concepts = [concept(family=family, scale=3.0), concept("at night", family, start=0.3, remove=True, threshold=0.5)]
    source = Source(*concepts, s_m=0.3, beta=0.6, outside="off").on(family.model(), family.conditioning())
    plain, explicit = paint(family.model(), family), paint(source, family)
    assert agree(paint(edit(family.model(), *concepts, momentum=Momentum(0.3, 0.6)), family), explicit, plain)


@pytest.mark.parametrize("mask", ["sega", "joint"])
def test_masks_of_the_prediction(comfy, mask):
    explicit = paint(Source(concept(), mask=mask).on(SD1.model()))
    assert agree(paint(edit(SD1.model(), concept(), mask=mask)), explicit, paint(SD1.model()))


def test_without_a_mask_it_is_composition(comfy):
    """Composable Diffusion: no threshold, no momentum."""
    from pack.sampling.semantic import Momentum

    whole = edit(SD1.model(), concept(threshold=0.0), momentum=Momentum(0.0, 0.0))
    none = edit(SD1.model(), concept(), momentum=Momentum(0.0, 0.0), mask="none")
    assert torch.equal(paint(whole), paint(none))
    assert agree(paint(none), paint(Source(concept(threshold=0.0), s_m=0.0).on(SD1.model())), paint(SD1.model()))


def test_relations(comfy):
    one, halves = edit(SD1.model(), concept()), edit(SD1.model(), concept(weight=0.5), concept(weight=0.5))
    assert agree(paint(halves), paint(one), paint(SD1.model()))
    same = edit(SD1.model(), concept("blurry"))  # no difference from the negative
    assert (paint(same) - paint(SD1.model())).abs().max() < 1e-3 * (paint(one) - paint(SD1.model())).abs().max()


OFF = {
    "scale 0": {"scale": 0.0},
    "weight 0": {"weight": 0.0},
    "a weight below 0": {"weight": -1.0},
    "an empty window": {"start": 0.5, "end": 0.5},
    "a reversed window": {"start": 0.6, "end": 0.5},
    "a black mask": {"mask": torch.zeros(1, 8, 8)},
    "a window between two steps": {"start": 0.5, "end": 0.501},
}


@pytest.mark.parametrize("outside", ["off", "source"])
@pytest.mark.parametrize("name", OFF)
def test_off_is_exact_and_costs_nothing(comfy, name, outside):
    if name == "a window between two steps" and outside == "source":
        pytest.skip("there the concept runs in its warm-up, as in the source")
    rows = Rows()
    patched, maps = guided(rows.on(SD1.model()), concept(**OFF[name]), outside=outside)
    assert torch.equal(paint(patched), paint(SD1.model()))
    assert rows.chunks == [2] * 4
    assert not maps.runs or not (maps.runs[0].sigmas or maps.runs[0].maps.any())


def test_no_concepts(comfy):
    assert torch.equal(paint(edit(SD1.model())), paint(SD1.model()))
    off, on = concept(scale=0.0), concept()
    assert torch.equal(paint(edit(SD1.model(), off, on, off)), paint(edit(SD1.model(), on)))


def test_concepts_join_the_steps_call_only_while_they_act(comfy):
    """Five normal steps lie at 0, 0.25, 0.5, 0.75 and 1."""
    windows = concept(start=0.1, end=0.6), concept("at night", start=0.3, end=0.8)
    rows = Rows()
    out = paint(edit(rows.on(SD1.model()), *windows), steps=5)
    assert rows.chunks == [2, 3, 4, 3, 2]
    assert sorted(rows.seen[2][1]) == [0, 1, 2, 3] and out.isfinite().all()
    rows = Rows()
    paint(edit(rows.on(SD1.model()), *windows, outside="source"), steps=5)
    assert rows.chunks == [4, 4, 4, 3, 2]


@pytest.mark.parametrize("percent", [0.1, 0.2, 0.4, 0.5, 0.8])
@pytest.mark.parametrize("side", ["start", "end"])
@pytest.mark.parametrize("name", ["sd1", "flux", "sd3"])
def test_a_window_that_begins_or_ends_on_a_step_holds_it(comfy, name, percent, side):
    """The edge is rounded to float32, as the schedule is; flow models give it in float64."""
    family = FAMILIES[name]
    edge = float(torch.tensor(float(family.model().get_model_object("model_sampling").percent_to_sigma(percent))))
    rows = Rows()
    patched, maps = guided(rows.on(family.model()), concept(family=family, **{side: percent}))
    draw_sigmas(patched, [1.002 * edge, edge, 0.7 * edge, 0.0], family)
    want = [edge, 0.7 * edge] if side == "start" else [1.002 * edge, edge]
    assert rows.chunks == ([2, 3, 3] if side == "start" else [3, 3, 2])
    assert maps.runs[0].sigmas == pytest.approx(want)


def draw_sigmas(model, sigmas, family):
    import comfy.sample
    import comfy.samplers

    latent = family.latent()
    given = model, comfy.sample.prepare_noise(latent, 1), 3.0, comfy.samplers.sampler_object("euler")
    texts = family.conditioning(), family.conditioning("blurry")
    return comfy.sample.sample_custom(*given, torch.tensor(sigmas), *texts, latent, disable_pbar=True, seed=1)


def test_nothing_is_changed_and_a_second_run_is_equal(comfy):
    model = SD1.model()
    before = state(model)
    patched, maps = guided(model, concept(), concept("at night", start=0.3))
    placed = state(patched)
    out = paint(patched)
    assert torch.equal(paint(patched), out) and not torch.equal(out, paint(model))
    assert state(model) == before and state(patched) == placed and len(maps.runs) == 2
    assert torch.equal(maps.runs[0].edits, maps.runs[1].edits) and torch.equal(maps.runs[0].maps, maps.runs[1].maps)


@pytest.mark.parametrize("never", [dict(start=1.0), dict(mask=torch.zeros(1, 64, 64), start=0.9)])
def test_a_concept_that_can_never_act_changes_nothing_of_the_others(comfy, never):
    """It is not waited for: weights and momentum are those of the others alone."""
    one = concept(weight=0.5)
    assert torch.equal(paint(edit(SD1.model(), one, concept("at night", **never))), paint(edit(SD1.model(), one)))
