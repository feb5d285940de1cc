"""When the pictures are recorded, how strongly they count at which step, and how often that costs a pass."""

import pytest
import torch
from pack.patches.run.window import Window
from pack.tests.patches.infusing import ALL, FAMILY, Explicit, biased, close, draw, pictures, text
from pack.tests.tiny_models import FAMILIES, sample


def rows(patched, **how) -> list[int]:
    """The batch of every call of the diffusion model; three biasing pictures make a batch of 3."""
    seen = []
    network = patched.model.diffusion_model
    with network.time_embed.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[0])):
        draw(patched, **how)
    return seen


def sigmas(steps: int, scheduler: str = "normal") -> list[float]:
    import comfy.samplers

    sampling = FAMILY.model().get_model_object("model_sampling")
    return comfy.samplers.calculate_sigmas(sampling, scheduler, steps).tolist()


@pytest.mark.parametrize(
    ("settings", "how", "each"),
    [
        ({}, {}, [3, 2]),
        ({}, {"batch": 2}, [3, 4]),
        ({}, {"cfg": 1.0}, [3, 1]),
        ({"text": "negative"}, {}, [3, 2]),
        ({"text": "each half"}, {}, [3, 3, 2]),
        ({"text": "each half"}, {"cfg": 1.0}, [3, 1]),
    ],
)
def test_one_recorded_pass_per_step_whatever_the_halves(comfy, settings, how, each):
    assert rows(biased(FAMILY.model(), pictures(3), **settings), steps=3, **how) == 3 * each


@pytest.mark.parametrize(("reuse", "recorded"), [(1, 7), (2, 4), (3, 3), (8, 1)])
def test_reuse_records_every_so_many_steps(comfy, reuse, recorded):
    patched = biased(FAMILY.model(), pictures(3), reuse=reuse)
    counted = rows(patched, steps=7)
    assert counted.count(2) == 7 and counted.count(3) == recorded
    assert [i - n for n, i in enumerate(i for i, c in enumerate(counted) if c == 3)] == list(range(0, 7, reuse))


def test_reuse_begins_with_the_window(comfy):
    sampling, window = FAMILY.model().get_model_object("model_sampling"), Window(0.3, 1.0)
    inside = [i for i, sigma in enumerate(sigmas(6)[:-1]) if window.contains(sigma, sampling)]
    counted = rows(biased(FAMILY.model(), pictures(3), reuse=8, window=window), steps=6)
    assert 0 < inside[0] and counted == [2] * inside[0] + [3] + [2] * len(inside)


def test_heun_records_each_noise_level_once(comfy):
    """The second call of a step stands at the next step's level, which is not recorded again."""
    counted = rows(biased(FAMILY.model(), pictures(3)), steps=4, sampler="heun")
    assert counted.count(2) == 7 and counted.count(3) == 4


def test_reused_features_are_those_of_the_recorded_step(comfy):
    model, grid = FAMILY.model(), sigmas(4)
    levels = {grid[1]: grid[0], grid[3]: grid[2]}

    class Held(Explicit):
        def record(self, x, t, c, words):
            return super().record(x, torch.full_like(t, levels.get(float(t[0]), float(t[0]))), c, words)

    explicit = draw(Held(pictures(), ALL, (text(),)).on(model), steps=4)
    ours = draw(biased(model, pictures(), reuse=2), steps=4)
    assert close(ours, explicit, draw(model, steps=4))
    assert not close(draw(biased(model, pictures()), steps=4), explicit, draw(model, steps=4))


@pytest.mark.parametrize("sampler", ["euler", "heun", "dpmpp_2m"])
def test_decay_at_step_k_is_to_the_power_of_k_plus_1(comfy, sampler):
    model, grid = FAMILY.model(), sigmas(4)

    def scale(sigma):
        return 0.7 * 0.6 ** (1 + min(range(5), key=lambda k: abs(grid[k] - sigma)))

    explicit = Explicit(pictures(), ALL, (text(),), scale=scale).on(model)
    how = {"steps": 4, "sampler": sampler}
    ours = draw(biased(model, pictures(), weight=0.7, decay=0.6), **how)
    assert close(ours, draw(explicit, **how), draw(model, **how))


def test_decay_counts_the_steps_of_this_run(comfy):
    """At denoise 0.5 the first step that is made counts as the first."""
    import comfy.sample

    model, latent = FAMILY.model(), pictures(seed=9)
    given = comfy.sample.prepare_noise(latent, 1), 4, 3.0, "euler", "normal"
    texts, seen = (FAMILY.conditioning(), FAMILY.conditioning("blurry")), []

    def run(patched):
        return comfy.sample.sample(patched, *given, *texts, latent, denoise=0.5, seed=1, disable_pbar=True)

    def scale(sigma):
        seen.append(sigma) if sigma not in seen else None
        return 0.5 ** (1 + seen.index(sigma))

    explicit = run(Explicit(pictures(), ALL, (text(),), scale=scale).on(model))
    assert seen[0] < sigmas(8)[3] and len(seen) == 4
    assert close(run(biased(model, pictures(), decay=0.5)), explicit, run(model))


@pytest.mark.parametrize("window", [(0.0, 0.4), (0.4, 1.0)])
def test_two_nodes_with_windows_give_weights_per_segment(comfy, window):
    model = FAMILY.model()
    sampling = model.get_model_object("model_sampling")
    first, second = Window(0.0, 0.4), Window(0.4001, 1.0)

    def scale(sigma):
        return 0.8 if first.contains(sigma, sampling) else 0.3

    explicit = draw(Explicit(pictures(), ALL, (text(),), scale=scale).on(model), steps=5)
    one = biased(model, pictures(), weight=0.8, window=first)
    both = biased(one, pictures(), weight=0.3, window=second)
    other = biased(biased(model, pictures(), weight=0.3, window=second), pictures(), weight=0.8, window=first)
    assert close(draw(both, steps=5), explicit, draw(model, steps=5))
    assert torch.equal(draw(other, steps=5), draw(both, steps=5))
    assert not torch.equal(draw(one, steps=5), draw(both, steps=5))
    part = Explicit(pictures(), ALL, (text(),), scale=lambda s: 4.0 * Window(*window).contains(s, sampling))
    ours = draw(biased(model, pictures(), weight=4.0, window=Window(*window)), steps=5)
    assert close(ours, draw(part.on(model), steps=5), draw(model, steps=5))


def test_v_prediction_sees_the_clean_latent_too(comfy):
    """sd2_v scales its input as SD1 does, and so must the biasing latents be."""
    family = FAMILIES["sd2_v"]
    seen = []
    patched = biased(family.model(), pictures(), {"out.3": 0.3})
    hook = (
        family.model()
        .model.diffusion_model.input_blocks[0][0]
        .register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    )
    sample(patched, family.latent(), family.conditioning(), family.conditioning("blurry"))
    hook.remove()
    clean = family.model().model.process_latent_in(pictures())
    assert len(seen) == 4
    for x in seen[::2]:
        torch.testing.assert_close(x, clean, rtol=1e-5, atol=1e-5)
