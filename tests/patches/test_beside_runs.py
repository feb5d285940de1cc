"""What else may happen to a run: our nodes twice, overrides of others, a changed batch, an interrupt, windows."""

import pytest
import torch
from pack.tests.noise import noise_of, within
from pack.tests.patches.beside import SD1, holds, paint, read, state, told, watch
from pack.tests.patches.placing import Explicit, Told, close, left, place, region

CAT = left(40, 64).flip(2)


def second(model):
    return place(model, region("cat", CAT, 0.7, 0.2))


def test_two_regions_nodes_and_capture_in_any_order(comfy):
    model = SD1.model()
    text = SD1.conditioning()[0][0]
    reference = Explicit(Told(text, [(left(), (2, 3), 1.0, 0.3), (CAT, (7,), 0.7, 0.2)])).on(model)
    explicit, plain = paint(reference), paint(model)
    first, last = place(second(model), region()), second(place(model, region()))
    assert close(paint(first), explicit, plain)
    assert (paint(first) - paint(last)).abs().max() <= 1e-6 * plain.abs().max()
    one = place(model, region(), region("cat", CAT, 0.7, 0.2))
    assert (paint(first) - paint(one)).abs().max() <= 1e-5 * plain.abs().max()
    early, _ = watch(model)
    early = place(second(early), region())
    (late, maps), picture = watch(first), paint(first)
    between, _ = watch(second(model))
    for watched in (early, late, place(between, region())):
        assert torch.equal(paint(watched), picture)
    read(maps, picture)


def test_two_captures_read_the_same(comfy):
    (once, maps), picture = watch(SD1.model()), paint(SD1.model())
    twice, others = watch(once, self_attention=False)
    assert torch.equal(paint(twice), picture)
    layers, same = maps.runs[0].layers, others.runs[0].layers
    assert all(torch.equal(layers[block], same[block]) for block in layers)
    assert others.runs[0].self_attention is None and maps.runs[0].self_attention is not None


class Overriding:
    """An override of another pack, by name of the host's backend; it takes a mask only if it is a float."""

    def __init__(self, name, previous=None):
        self.name, self.previous, self.calls = name, previous, 0

    def __call__(self, func, *args, **kwargs):
        import comfy.ldm.modules.attention as host

        self.calls += 1
        given = kwargs.get("mask")
        assert given is None or given.is_floating_point()
        chosen = getattr(host, f"attention_{self.name}")
        return self.previous(chosen, *args, **kwargs) if self.previous else chosen(*args, **kwargs)


@pytest.mark.parametrize("backend", ["basic", "pytorch"])
def test_an_override_that_another_node_sets(comfy, backend):
    made = []

    def node(model):
        patched = model.clone()
        made.append(Overriding(backend))
        patched.model_options["transformer_options"]["optimized_attention_override"] = made[-1]
        return patched

    holds(node)
    assert all(override.calls for override in made)


def test_the_hosts_own_backend_node(comfy):
    from comfy_extras import nodes_model_advanced

    if not hasattr(nodes_model_advanced, "ModelAttentionBackend"):
        pytest.skip("this host has no Model Attention Backend node")
    holds(lambda model: nodes_model_advanced.ModelAttentionBackend().patch(model, "pytorch attention")[0])


@pytest.mark.parametrize("stage", ["outer_sample", "predict_noise", "apply_model"])
def test_an_override_set_while_sampling_over_ours(comfy, stage):
    """By a pack that forgets what it finds there; at node time, the case above, the host's own node does."""
    made = []

    def wrapper(executor, *args, **kwargs):
        made.append(Overriding("pytorch"))
        at = {"predict_noise": 2, "apply_model": 5}
        options = args[at[stage]] if stage in at else executor.class_obj.model_options
        options.get("transformer_options", options)["optimized_attention_override"] = made[-1]
        return executor(*args, **kwargs)

    def node(model):
        patched = model.clone()
        patched.add_wrapper_with_key(stage, "other", wrapper)
        return patched

    holds(node)
    assert all(override.calls for override in made)


def couple(n, context, value, extra_options):
    """Stands for Attention Couple: one prompt's rows become those of two."""
    return n.repeat(2, 1, 1), context.repeat(2, 1, 1), value.repeat(2, 1, 1)


def uncouple(n, extra_options):
    return n.chunk(2)[0]


@pytest.mark.parametrize("first", [True, False])
def test_a_pack_that_changes_the_batch_inside_cross_attention_is_refused(comfy, first):
    def coupled(model):
        patched = model.clone()
        patched.set_model_attn2_patch(couple)
        patched.set_model_attn2_output_patch(uncouple)
        return patched

    alone = coupled(SD1.model())
    plain = paint(SD1.model())
    assert within(paint(alone), plain, noise_of(lambda: paint(SD1.model())))  # two halves of a batch are one
    for ours in (lambda model: place(model, region()), lambda model: watch(model)[0]):
        patched = coupled(ours(SD1.model())) if first else ours(alone)
        with pytest.raises(
            ValueError, match=r"^(Region Attention|Attention Capture): It cannot .* remove one of them\.$"
        ):
            paint(patched)


class Stop(Exception):
    """In the place of the host's InterruptProcessingException."""


def test_an_interrupt_leaves_nothing_behind(comfy):
    model = SD1.model()
    before = state(model)
    watched, maps = watch(place(model, region()))
    placed = state(watched)

    def stop(step, *_):
        if step == 1:
            raise Stop

    with pytest.raises(Stop):
        paint(watched, steps=3, callback=stop)
    assert state(watched) == placed and state(model) == before
    assert maps.runs == []
    out = paint(watched, steps=3)
    assert torch.equal(out, paint(place(model, region()), steps=3))
    assert len(maps.runs) == 1


def windows(model, **options):
    from comfy_extras.nodes_context_windows import ContextWindowsManualNode

    given = ("standard_static", 1, False, "pyramid", 0, False)
    return ContextWindowsManualNode.execute(model, 2, 1, *given, **options).result[0]


@pytest.mark.parametrize("first", [True, False])
def test_regions_in_windows_of_a_batch_and_no_capture_there(comfy, first):
    """A window is some of the pictures, each whole, so one mask for all is right in each."""
    how = {"batch": 3}
    alone = windows(SD1.model())
    patched = windows(place(SD1.model(), region())) if first else place(alone, region())
    explicit, plain = paint(Explicit(told()).on(alone), **how), paint(alone, **how)
    assert close(paint(patched, **how), explicit, plain)
    each = place(alone, region(mask=left().repeat(3, 1, 1)))
    with pytest.raises(
        ValueError, match=r"^Region Attention: The mask of 'red dog' holds 3 pictures, which context windows .*\.$"
    ):
        paint(each, **how)
    for watched in (watch(alone)[0], windows(watch(SD1.model())[0])):
        with pytest.raises(
            ValueError, match=r"^Attention Capture: Attention cannot be captured in context windows; remove .*\.$"
        ):
            paint(watched, **how)
