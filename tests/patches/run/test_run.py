"""The life of a run's state, on the host."""

import gc
import weakref

import pytest
import torch
from pack.tests.tiny_models import FAMILIES, sample

FAMILY = FAMILIES["sd1"]


def given():
    return FAMILY.latent(1, 8, 8), FAMILY.conditioning(), FAMILY.conditioning("")


@pytest.fixture
def recorded(comfy):
    """(make, notes): an effect that notes each of its calls as (effect, name, what it saw)."""
    from pack.patches.run.run import Effect

    notes = []

    class Recorder(Effect):
        def start(self, run):
            notes.append((self, "start", weakref.ref(run)))

        def prepare(self, run):
            notes.append((self, "prepare", (run.noise_shape, run.sigmas, sorted(e.name for e in run.table.values()))))

        def step(self, run):
            notes.append((self, "step", run.sigma))

        def finish(self, run, samples):
            notes.append((self, "finish", samples))

    return Recorder, notes


def frozen(value):
    """Something to compare with: containers by content, everything else by identity."""
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    return [frozen(item) for item in value] if isinstance(value, list) else id(value)


def state(model):
    """All that a patcher holds besides weights."""
    return frozen([model.model_options, model.wrappers, model.callbacks, model.object_patches, model.hook_patches])


def test_order_of_calls_of_two_effects_and_two_runs(recorded):
    from pack.patches.run.run import attach

    make, notes = recorded
    patched = attach(attach(FAMILY.model(), make), make)
    outs = [sample(patched, *given(), sampler="heun") for _ in range(2)]
    assert torch.equal(*outs) and torch.equal(outs[0], sample(FAMILY.model(), *given(), sampler="heun"))
    once = ["start"] * 2 + ["prepare"] * 2 + ["step"] * 6 + ["finish"] * 2  # heun: two calls, and one to the last sigma
    assert [name for _, name, _ in notes] == once * 2
    assert len({effect for effect, _, _ in notes}) == 4  # fresh in every run
    shape, sigmas, names = notes[2][2]
    assert shape == (1, 4, 8, 8) and len(sigmas) == 3 and names == ["negative", "positive"]
    assert [seen for _, name, seen in notes if name == "step"][::2][:3] == [sigmas[0], sigmas[1], sigmas[1]]
    assert notes[0][2] is notes[1][2] is not notes[len(once)][2] and torch.equal(notes[len(once) - 1][2], outs[0])


def test_nothing_is_left_behind_also_after_an_interrupt(recorded):
    from pack.patches.run.run import attach

    make, notes = recorded
    model = FAMILY.model().clone()
    model.set_model_attn2_patch(lambda n, context, value, options: (n, context, value))
    before = state(model)
    patched = attach(model, make)
    assert state(model) == before
    attached = state(patched)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(patched, *given(), callback=stop)
    sample(patched, *given())
    assert state(model) == before and state(patched) == attached
    assert [name for _, name, _ in notes] == ["start", "prepare", "step", "start", "prepare", "step", "step", "finish"]
    runs = [seen for _, name, seen in notes if name == "start"]
    gc.collect()
    assert len(runs) == 2 and not any(run() for run in runs)


def test_calls_of_a_step_and_whose_conditionings_they_hold(comfy):
    """PAG looks again at the positive, which then stands at position 0."""
    from comfy_extras.nodes_pag import PerturbedAttentionGuidance
    from pack.patches.run.run import Effect, attach

    seen, runs = [], []

    class Keep(Effect):
        def start(self, run):
            runs.append(run)

    def note(apply_model, args):
        options = args["c"]["transformer_options"]
        chunks = [(entry.name, entry.tokens) for entry in runs[-1].chunks(options)]
        seen.append((runs[-1].calls, args["cond_or_uncond"], chunks))
        return apply_model(args["input"], args["timestep"], **args["c"])

    model = PerturbedAttentionGuidance.execute(attach(FAMILY.model(), Keep), 1.0).result[0]
    model.set_model_unet_function_wrapper(note)
    latent, positive, _ = given()
    sample(model, latent, positive, FAMILY.conditioning("", 154), steps=2)
    both = (1, [1, 0], [("negative", 154), ("positive", 77)])
    assert seen == [both, (2, [0], [("positive", 77)])] * 2
