"""What SemanticGuidance measures a concept against, and words of the prompt that no concept may touch."""

import logging

import pytest
import torch
from pack.tests.patches.guiding import SD1, Source, agree, concept, edit, guided, paint
from pack.tests.patches.seeing import capture
from pack.tests.tiny_models import PROMPT

REWRITTEN = PROMPT.replace("red", "green")
KEEP = ("red dog",)
HOW = {"steps": 4, "scheduler": "simple", "size": (12, 16), "batch": 2}  # at percents 0, 0.25, 0.5, 0.75


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


def test_what_is_kept_is_left_out_of_every_concept(comfy):
    """As a drawn mask of all but the refined mask of a capture of the steps before the first concept."""
    from pack.attention.readout import read_out
    from pack.patches.edit_masks import READ
    from pack.patches.run.window import Window

    watched, seen = capture(SD1.model(), *KEEP, self_attention=True, window=Window(0.0, 0.4))
    paint(watched, **HOW)
    kept = read_out(seen.runs[0], KEEP, (12, 16), READ).mask
    assert 0 < kept.mean() < 1
    free = (1 - kept).repeat_interleave(8, 1).repeat_interleave(8, 2)
    texts = [("a green beach", 0.5), ("at night", 0.75)]
    ours = paint(edit(SD1.model(), *(concept(text, start=at) for text, at in texts), keep=KEEP), **HOW)
    drawn = paint(edit(SD1.model(), *(concept(text, start=at, mask=free) for text, at in texts)), **HOW)
    assert torch.equal(ours, drawn)
    assert not torch.equal(ours, paint(edit(SD1.model(), *(concept(t, start=at) for t, at in texts)), **HOW))


def test_from_the_first_step_on_nothing_is_edited_until_the_place_is_known(comfy):
    patched, maps = guided(SD1.model(), concept(), keep=KEEP)
    first, second = paint(patched, **HOW), paint(patched, **HOW)
    edits = maps.runs[0].edits
    assert torch.equal(first, second) and not edits[0].any() and edits[1].any()


def test_a_run_that_ends_before_says_so(comfy, caplog):
    with caplog.at_level(logging.WARNING):
        out = paint(edit(SD1.model(), concept(), keep=KEEP), steps=1)
    assert torch.equal(out, paint(SD1.model(), steps=1))
    said = [record.getMessage() for record in caplog.records if record.name.startswith("pack.")]
    assert said == [
        "Semantic Guidance: No step was left once the place of 'red dog' was known, which takes one step at least, so "
        "nothing was edited; take more steps, or let the concepts end later."
    ]


def test_words_to_keep_that_the_prompt_has_not_are_refused(comfy):
    with pytest.raises(ValueError, match="Semantic Guidance: The phrase 'zebra' is not in the prompt"):
        paint(edit(SD1.model(), concept(), keep=("zebra",)))


def test_nothing_is_read_where_no_concept_acts(comfy):
    assert torch.equal(paint(edit(SD1.model(), concept(scale=0.0), keep=("zebra",))), paint(SD1.model()))
