"""What cannot work is refused in one sentence, before the model is called."""

import pytest
import torch
from pack.tests.patches.placing import left, place, region
from pack.tests.tiny_models import FAMILIES, sample

FAMILY = FAMILIES["sd1"]
NODE = "Region Attention:"


def refused(model, positive, *, negative=None, batch=1, called=False):
    """The message of a run that is refused."""
    calls = []
    model.add_wrapper("apply_model", lambda run, *args, **kwargs: (calls.append(1), run(*args, **kwargs))[1])
    with pytest.raises(ValueError) as error:
        sample(
            model, FAMILY.latent(batch, 8, 8), positive, FAMILY.conditioning("fog") if negative is None else negative
        )
    assert bool(calls) == called
    return one_sentence(error)


def one_sentence(error):
    message = str(error.value)
    assert message[0].isupper() and message.endswith(".") and ". " not in message and "\n" not in message
    return message


def test_untracked_conditioning(comfy):
    positive = [[FAMILY.conditioning()[0][0], {}]]
    assert "put Track Phrases between" in refused(place(FAMILY.model(), region()), positive)


def test_the_chosen_side_is_untracked_or_missing(comfy):
    patched = place(FAMILY.model(), region(), apply_to="negative")
    untracked = [[FAMILY.conditioning()[0][0], {}]]
    assert "put Track Phrases between" in refused(patched, FAMILY.conditioning(), negative=untracked)
    message = refused(place(FAMILY.model(), region(), apply_to="negative"), FAMILY.conditioning(), negative=[])
    assert message.startswith("Region Attention: apply_to is negative, but this sampler has no such conditioning")


def test_a_phrase_that_no_prompt_holds(comfy):
    """Also if only the other side holds it; the message has the words of the side that was asked for."""
    positive, negative = FAMILY.conditioning("a blue cat"), FAMILY.conditioning("red dog")
    message = refused(place(FAMILY.model(), region("cat"), region("red dog")), positive, negative=negative)
    assert message == f"{NODE} The phrase 'red dog' is not in the prompt; use its words in their order: a, blue, cat."
    assert "The phrase is empty" in refused(place(FAMILY.model(), region(" ")), positive)


@pytest.mark.parametrize(
    "prompts", [("a dog and a dog",), ("a beach", "a dog and a dog"), ("a dog", "a dog and a dog")]
)
def test_an_occurrence_that_no_prompt_has(comfy, prompts):
    positive = [entry for prompt in prompts for entry in FAMILY.conditioning(prompt)]
    message = refused(place(FAMILY.model(), region("dog", occurrence=3)), positive)
    assert message.startswith(
        f"{NODE} The phrase 'dog' stands 2 times in the prompt, but the region asks for occurrence 3;"
    )


def test_a_phrase_whose_rows_were_cut_off(comfy):
    ((text, options),) = FAMILY.conditioning("a red dog")
    message = refused(place(FAMILY.model(), region("dog")), [[text[:, :3], options]])
    assert message == f"{NODE} The text of 'dog' was cut off behind the encoder; use fewer words before it."


def test_masks_that_are_neither_one_nor_one_for_each_picture(comfy):
    three = left().repeat(3, 1, 1)
    message = refused(place(FAMILY.model(), region(mask=three)), FAMILY.conditioning(), batch=2)
    assert message.startswith(f"{NODE} The mask of 'red dog' holds 3 pictures, but 2 are being sampled;")
    patched = place(FAMILY.model(), region(mask=three))
    patched.model_options["context_handler"] = object()
    assert "context windows cut apart" in refused(patched, FAMILY.conditioning(), batch=3)


def test_blocks_and_models_when_the_node_runs(comfy):
    with pytest.raises(ValueError) as error:
        place(FAMILY.model(), region(strength=0), blocks="in.4")
    assert one_sentence(error) == "Block 'in.4' is not in this model; it has in.1, in.3, mid.0, out.0-3."
    foreign = FAMILY.model().clone()
    foreign.add_object_patch("diffusion_model", torch.nn.Bilinear(1, 1, 1))
    with pytest.raises(ValueError) as error:
        place(foreign, region())
    assert one_sentence(error).startswith(
        "Attention to phrases cannot be reached in a model of the kind Bilinear: it is"
    )


def test_a_batch_that_another_node_changes_inside_attention(comfy):
    """As Attention Couple does it: more rows of q, k and v than the batch has."""
    model = place(FAMILY.model(), region())
    model.set_model_attn2_patch(lambda *given: tuple(t.repeat(2, 1, 1) for t in given[:3]))
    assert "such as Attention Couple" in refused(model, FAMILY.conditioning(), called=True)
