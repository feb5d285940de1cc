"""What has no effect in a run is said in one line that names the node; the picture is the unpatched one."""

import logging

import pytest
import torch
from pack.tests.patches.guiding import concept, edit
from pack.tests.patches.infusing import SMALL, biased
from pack.tests.patches.placing import place, region
from pack.tests.tiny_models import FAMILIES, sample

FAMILY = FAMILIES["sd1"]
BLACK = torch.zeros(1, 64, 64)
NEVER = (0.51, 0.52)


def window(start, end):
    from pack.patches.run.window import Window

    return Window(start, end)


def draw(model, steps=2, cfg=3.0, positive=None):
    given = positive or FAMILY.conditioning(), FAMILY.conditioning("blurry dog")
    return sample(model, FAMILY.latent(), *given, steps=steps, cfg=cfg)


def lines(caplog, model, **how) -> list[str]:
    """The warnings of a run whose picture is the unpatched one."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert torch.equal(draw(model, **how), draw(FAMILY.model(), **how))
    return [record.getMessage() for record in caplog.records if record.name.startswith("pack.")]


def test_a_window_between_two_steps(comfy, caplog):
    said = "No step of this run lies between start and end percent, so it did nothing; widen them, or take more steps."
    assert lines(caplog, place(FAMILY.model(), region(), window=window(*NEVER))) == [f"Region Attention: {said}"]
    assert lines(caplog, place(FAMILY.model(), region(), window=window(0.5, 0.5))) == [f"Region Attention: {said}"]
    ours = biased(FAMILY.model(), torch.ones(1, 4, 16, 16), SMALL, window=window(*NEVER))
    assert lines(caplog, ours) == [f"Infusion Bias: {said}"]
    (line,) = lines(caplog, edit(FAMILY.model(), concept(start=NEVER[0], end=NEVER[1])))
    assert line.startswith("Semantic Guidance: Of '") and line.endswith(said)


def test_a_black_mask(comfy, caplog):
    (line,) = lines(caplog, place(FAMILY.model(), region(mask=BLACK, outside=0.0)))
    assert line.startswith("Region Attention: The mask of 'red dog' is black, so it did nothing; Load Image gives ")
    (line,) = lines(caplog, biased(FAMILY.model(), torch.ones(1, 4, 16, 16), SMALL, mask=BLACK))
    assert line.startswith("Infusion Bias: The mask is black, so it did nothing; ")
    (line,) = lines(caplog, edit(FAMILY.model(), concept(mask=BLACK)))
    assert line.startswith("Semantic Guidance: The mask of '") and "is black, so it did nothing" in line


def test_a_black_mask_hides_no_missing_phrase_and_no_wrong_size(comfy):
    with pytest.raises(ValueError, match="^Region Attention: The phrase 'zebra' is not in the prompt"):
        draw(place(FAMILY.model(), region("zebra", BLACK, outside=0.0)))
    with pytest.raises(ValueError, match="^Infusion Bias: The biasing latents are"):
        draw(biased(FAMILY.model(), torch.ones(1, 4, 8, 8), SMALL, mask=BLACK))


def test_neutral_settings_are_silent(comfy, caplog):
    assert not lines(caplog, place(FAMILY.model(), region(strength=0.0, outside=0.0)))
    assert not lines(caplog, biased(FAMILY.model(), torch.ones(1, 4, 16, 16), SMALL, weight=0.0))
    assert not lines(caplog, edit(FAMILY.model(), concept(scale=0.0)))


def test_what_acts_is_silent(comfy, caplog):
    with caplog.at_level(logging.WARNING):
        assert not torch.equal(draw(place(FAMILY.model(), region())), draw(FAMILY.model()))
    assert not [record for record in caplog.records if record.name.startswith("pack.")]


def test_the_negative_at_cfg_1_is_refused(comfy):
    patched = place(FAMILY.model(), region("dog"), apply_to="negative")
    with pytest.raises(ValueError, match="^Region Attention: apply_to is negative, but at CFG 1 the sampler leaves"):
        draw(patched, cfg=1.0)
    kept = patched.clone()
    kept.disable_model_cfg1_optimization()
    draw(kept, cfg=1.0)


def test_stored_edits_of_other_noise_levels(comfy, caplog):
    from pack.patches.replay import Guidance, replay

    model = replay(FAMILY.model(), Guidance((1e-5,), torch.ones(1, 1, 4, 16, 16)), 1.0)
    (line,) = lines(caplog, model)
    assert line == "Load Guidance: This run has none of the noise levels of the stored edits, so it did nothing."


def test_concepts_without_known_words_are_numbered_as_they_were_given(comfy, caplog):
    """Whatever way each of them acts."""
    given = concept(), concept(how="attention", start=NEVER[0], end=NEVER[1])
    for one in given:
        one.conditioning[0][1].pop("lm_phrases")
    with caplog.at_level(logging.WARNING):
        draw(edit(FAMILY.model(), *given))
    assert [record.getMessage() for record in caplog.records if "'concept 2'" in record.getMessage()]
    assert "'concept 1'" not in caplog.text
