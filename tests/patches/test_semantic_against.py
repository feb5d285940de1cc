"""What SemanticGuidance measures a concept against."""

import pytest
import torch
from pack.tests.patches.guiding import SD1, Source, agree, concept, edit, paint
from pack.tests.tiny_models import PROMPT

REWRITTEN = PROMPT.replace("red", "green")


@pytest.mark.parametrize("text", [REWRITTEN, "a green beach"])
def test_against_the_prompt_the_base_is_the_positive_prediction(comfy, text):
    concepts, how = [concept(text), concept("at night", remove=True, start=0.4)], {"steps": 5}
    source = Source(*concepts, outside="off", against="prompt").on(SD1.model())
    ours = paint(edit(SD1.model(), *concepts, against="prompt"), **how)
    assert agree(ours, paint(source, **how), paint(SD1.model(), **how))


@pytest.mark.parametrize(
    ("text", "same"),
    [(REWRITTEN, "prompt"), (PROMPT + " at night", "prompt"), ("a green beach", "empty"), ("red", "empty")],
)
def test_auto_is_against_the_prompt_where_the_text_rewrites_it(comfy, text, same):
    painted = {way: paint(edit(SD1.model(), concept(text), against=way)) for way in ("auto", "empty", "prompt")}
    assert torch.equal(painted["auto"], painted[same]) and not torch.equal(painted["empty"], painted["prompt"])


def test_auto_of_a_text_that_is_not_tracked_is_the_source(comfy):
    one = concept(REWRITTEN)
    one.conditioning[0][1].pop("lm_phrases")
    assert torch.equal(*(paint(edit(SD1.model(), one, against=way)) for way in ("auto", "empty")))


def test_scale_as_cfg_against_the_prompt_is_the_other_prompt_from_there_on(comfy):
    """CFG 3: u + 3 (p - u) + 3 (c - p) = u + 3 (c - u)."""
    from pack.sampling.semantic import Momentum

    one, plain = concept(REWRITTEN, scale=3.0), Momentum(0.0, 0.0)
    ours = paint(edit(SD1.model(), one, against="prompt", mask="none", momentum=plain))
    from pack.tests.tiny_models import sample

    swapped = sample(SD1.model(), SD1.latent(), SD1.conditioning(REWRITTEN), SD1.conditioning("blurry"), steps=4)
    assert torch.allclose(ours, swapped, atol=1e-4 * float(swapped.abs().max()))
