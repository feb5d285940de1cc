"""What an edit concept may not be, each in one sentence."""

import pytest
import torch
from pack.tests import tiny_control
from pack.tests.patches.beside import state
from pack.tests.patches.guiding import SD1, concept, edit, guided, paint
from pack.tests.tiny_models import FAMILIES, sample


def added(*conditionings):
    from pack.patches.run.concepts import Concept, add_concept

    concepts = ()
    for conditioning in conditionings:
        concepts = add_concept(concepts, Concept(conditioning))
    return concepts


def brings(**options):
    return [[text, {**given, **options}] for text, given in SD1.conditioning("a beach")]


def sentence(raised) -> str:
    text = str(raised.value)
    assert text.endswith(".") and text.count(". ") == 0 and "\n" not in text
    return text


FOREIGN = {
    "area": {"area": (8, 8, 0, 0)},
    "mask": {"mask": torch.ones(1, 16, 16)},
    "gligen": {"gligen": ("position", None, [])},
    "start_percent": {"start_percent": 0.2, "end_percent": 0.9},
    "reference_latents": {"reference_latents": [torch.zeros(1, 4, 8, 8)]},
}


@pytest.mark.parametrize("name", FOREIGN)
def test_more_than_a_text(comfy, name):
    with pytest.raises(ValueError) as raised:
        added(brings(**FOREIGN[name]))
    assert f"its own {name}" in sentence(raised) and "MASK" in str(raised.value)


def test_control_and_hooks(comfy):
    controlled, _ = tiny_control.control(SD1.conditioning(), SD1.conditioning(""))
    with pytest.raises(ValueError, match="its own control"):
        added(controlled)
    with pytest.raises(ValueError, match="its own hooks") as raised:
        added(tiny_control.hooked(SD1.conditioning(), tiny_control.lora_hooks(SD1.model())))
    sentence(raised)


def test_several_entries_or_none(comfy):
    for count in (0, 2):
        with pytest.raises(ValueError, match=f"has {count} entries") as raised:
            added(SD1.conditioning() * count)
        sentence(raised)


def test_sixteen_and_not_more(comfy):
    texts = [SD1.conditioning(f"thing {i}") for i in range(16)]
    assert [one.conditioning for one in added(*texts)] == texts
    with pytest.raises(ValueError, match="takes 16 concepts at most") as raised:
        added(*texts, SD1.conditioning("another"))
    sentence(raised)
    out = paint(edit(SD1.model(), *(concept(f"thing {i}") for i in range(16))), size=(8, 8), steps=2)
    assert out.isfinite().all()


@pytest.mark.parametrize("first", [True, False])
def test_context_windows(comfy, first):
    from comfy_extras.nodes_context_windows import ContextWindowsManualNode

    def windows(model):
        given = ("standard_static", 1, False, "pyramid", 0, False)
        return ContextWindowsManualNode.execute(model, 2, 1, *given).result[0]

    patched = edit(windows(SD1.model()), concept()) if first else windows(edit(SD1.model(), concept()))
    with pytest.raises(ValueError, match="context window") as raised:
        paint(patched, batch=3)
    sentence(raised)
    off = edit(windows(SD1.model()), concept(scale=0.0))
    assert torch.equal(paint(off, batch=3), paint(windows(SD1.model()), batch=3))


def test_masks_of_another_batch(comfy):
    patched = edit(SD1.model(), concept(mask=torch.ones(2, 8, 8)))
    before = state(patched)
    with pytest.raises(ValueError, match="holds 2 pictures, but 3 are being sampled") as raised:
        paint(patched, batch=3)
    sentence(raised)
    assert state(patched) == before and paint(patched, batch=2).isfinite().all()


def test_ledits_needs_attention_that_can_be_reached(comfy):
    class Other(torch.nn.Module):
        pass

    model = SD1.model().clone()
    model.add_object_patch("diffusion_model", Other())
    with pytest.raises(ValueError, match="cannot be reached in a model of the kind Other") as raised:
        edit(model, concept(), mask="ledits")
    sentence(raised)
    edit(model, concept(), mask="joint")


def test_ledits_needs_the_concepts_words(comfy):
    untracked, silent = concept(), concept("")
    untracked.conditioning[0][1].pop("lm_phrases")
    with pytest.raises(ValueError, match="Track Phrases") as raised:
        paint(edit(SD1.model(), untracked, mask="ledits"))
    sentence(raised)
    with pytest.raises(ValueError, match="without words") as raised:
        paint(edit(SD1.model(), silent, mask="ledits"))
    sentence(raised)
    out, maps = guided(SD1.model(), untracked, mask="joint")
    assert paint(out).isfinite().all() and maps.runs[0].names == ("concept 1",)


def test_ledits_needs_a_prompt_for_the_whole_picture(comfy):
    area = [[text, {**given, "area": (8, 8, 4, 4)}] for text, given in SD1.conditioning()]
    patched = edit(SD1.model(), concept(), mask="ledits")
    with pytest.raises(ValueError, match="every positive prompt has an area") as raised:
        sample(patched, SD1.latent(), area, SD1.conditioning(""))
    sentence(raised)
    assert sample(patched, SD1.latent(), area + SD1.conditioning(), SD1.conditioning("")).isfinite().all()


def test_no_sound(comfy):
    from pack.patches.semantic import Semantic, SemanticSettings

    class Run:
        noise_shape = (1, 1, 4096)

    semantic = Semantic((concept(family=FAMILIES["sd1"]),), SemanticSettings(), None)
    with pytest.raises(ValueError, match="pictures and videos, not sound") as raised:
        semantic.prepare(Run())
    sentence(raised)
