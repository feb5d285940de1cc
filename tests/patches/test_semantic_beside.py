"""SemanticGuidance beside other nodes of ours and of the host: the source's formula on what they predict."""

import pytest
import torch
from pack.tests import tiny_control
from pack.tests.patches.beside import state, told, watch
from pack.tests.patches.guiding import SD1, Rows, Source, agree, concept, edit, paint
from pack.tests.patches.placing import Explicit, place, region
from pack.tests.patches.test_beside_nodes import CACHES, NODES
from pack.tests.tiny_models import sample


def holds(node, explicit=None, draw=paint):
    """In both orders the edits are the reference's on the node's own predictions, twice; scale 0 changes no bit."""
    model = SD1.model()
    before, alone = state(model), node(model)
    reference = draw(Source(concept()).on((explicit or node)(model)))
    plain, first, last = draw(alone), node(edit(model, concept())), edit(alone, concept())
    beside = state(first), state(last), state(alone)
    out = draw(first)
    assert agree(out, reference, plain)
    assert torch.equal(draw(last), out) and torch.equal(draw(last), out)
    assert torch.equal(draw(edit(alone, concept(scale=0.0))), plain)
    assert (state(first), state(last), state(alone)) == beside and state(model) == before


KEEP = ["LoRA", "FreeU", "FreeU_V2", "PerturbedAttentionGuidance", "SelfAttentionGuidance", "PerpNeg", "RescaleCFG"]
KEEP += ["v-prediction"]


@pytest.mark.parametrize("name", KEEP)
def test_nodes_of_the_host_that_patch_the_model(comfy, name):
    holds(NODES[name])


def test_easy_cache(comfy):
    """Skips the model's part of steps, in which the concepts have their cached share too."""
    out = paint(CACHES["EasyCache"](edit(SD1.model(), concept())), steps=5)
    assert torch.equal(out, paint(edit(CACHES["EasyCache"](SD1.model()), concept()), steps=5))
    assert not torch.equal(out, paint(CACHES["EasyCache"](SD1.model()), steps=5)) and out.isfinite().all()


@pytest.mark.parametrize("first", [True, False])
def test_lazy_cache(comfy, first):
    """Skips whole steps: the last edit goes on acting in those."""
    lazy, concepts = CACHES["LazyCache"], concept(end=0.6)
    patched = lazy(edit(SD1.model(), concepts)) if first else edit(lazy(SD1.model()), concepts)
    before, after = [], []
    plain = paint(lazy(SD1.model()), steps=5, callback=lambda step, denoised, x, total: before.append(denoised))
    out = paint(patched, steps=5, callback=lambda step, denoised, x, total: after.append(denoised))
    moved = [float((a - b).abs().max()) for a, b in zip(after, before, strict=True)]
    assert moved[0] > 0.1 and moved[1] > 0.1 * moved[0] and not torch.equal(out, plain)


def test_regions_act_on_the_prompt_alone(comfy):
    holds(lambda model: place(model, region()), lambda model: Explicit(told()).on(model))


def test_maps_are_those_without_concepts(comfy):
    """Of the first step: after it the pictures differ."""
    from pack.patches.run.window import Window

    (plain, maps), first = watch(SD1.model(), window=Window(0.0, 0.1)), []
    paint(plain)
    for patched, seen in (watch(edit(SD1.model(), concept()), window=Window(0.0, 0.1)), _late()):
        paint(patched)
        first.append(seen.runs[0])
    want = maps.runs[0]
    for got in first:
        assert got.layers.keys() == want.layers.keys() and got.words == want.words
        assert all(torch.allclose(got.layers[b], want.layers[b], rtol=1e-5, atol=1e-7) for b in want.layers)
        assert torch.allclose(got.self_attention, want.self_attention, rtol=1e-5, atol=1e-7)
    patched, seen = watch(edit(SD1.model(), concept(), mask="ledits"))
    assert torch.equal(paint(patched), paint(edit(SD1.model(), concept(), mask="ledits")))
    assert seen.runs[0].words == want.words


def _late():
    from pack.patches.run.window import Window

    watched, maps = watch(SD1.model(), window=Window(0.0, 0.1))
    return edit(watched, concept()), maps


def test_ledits_beside_regions_and_capture(comfy):
    """Their attention is that of the concept's own words, which nobody biases."""
    base = edit(SD1.model(), concept(), mask="ledits")
    orders = [place(watch(base)[0], region()), watch(edit(place(SD1.model(), region()), concept(), mask="ledits"))[0]]
    one, two = (paint(model) for model in orders)
    assert torch.equal(one, two) and not torch.equal(one, paint(place(SD1.model(), region())))


def cached(model):
    from pack.patches.inject import InjectSettings, inject
    from pack.patches.run.window import Window

    latent = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(3))
    mask = torch.zeros(1, 16, 16)
    mask[..., :8] = 1.0
    return inject(model, latent, mask, InjectSettings(Window(0.2, 0.8), count=2))[0]


def infused(model, text="positive"):
    from pack.patches.infuse import InfuseSettings, infuse

    latent = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(3))
    return infuse(model, latent, None, InfuseSettings(weight=0.3, text=text))


@pytest.mark.parametrize("node", [cached, infused])
def test_our_other_nodes(comfy, node):
    holds(node)


@pytest.mark.parametrize("mask", ["sega", "ledits"])
@pytest.mark.parametrize("text", ["positive", "negative", "each half"])
def test_infusion_bias_with_every_text(comfy, mask, text):
    one = paint(infused(edit(SD1.model(), concept(), mask=mask), text))
    assert torch.equal(one, paint(edit(infused(SD1.model(), text), concept(), mask=mask))) and one.isfinite().all()
    assert not torch.equal(one, paint(infused(SD1.model(), text)))


def test_all_at_once_in_any_order(comfy):
    nodes = [cached, infused, lambda model: place(model, region()), lambda model: watch(model)[0]]
    nodes += [lambda model: edit(model, concept(), mask="joint"), NODES["PerturbedAttentionGuidance"]]
    outs = []
    for order in (nodes, nodes[::-1], nodes[3:] + nodes[:3]):
        model = SD1.model()
        for node in order:
            model = node(model)
        outs.append(paint(model))
    assert all(torch.allclose(out, outs[0], atol=1e-4 * float(outs[0].abs().max())) for out in outs)
    assert outs[0].isfinite().all()


def test_a_control_net_on_the_prompt_guides_its_concepts(comfy):
    positive, negative = tiny_control.control(SD1.conditioning(), SD1.conditioning("blurry"))
    rows = Rows()

    def draw(model):
        return sample(model, SD1.latent(), positive, negative, steps=4)

    out = draw(edit(rows.on(SD1.model()), concept()))
    reference = Source(concept(threshold=0.9)).on(SD1.model(), positive)
    reference_apart = draw(reference)
    assert agree(out, reference_apart, draw(SD1.model())) and set(rows.chunks) <= {1, 2, 3}
