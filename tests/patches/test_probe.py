"""One model call per noise level on a given latent, and maps that depend on nothing but it."""

import pytest
import torch
from pack.tests.patches.seeing import Reader
from pack.tests.tiny_models import FAMILIES

FAMILY = FAMILIES["sd1"]


def picture(batch=1, height=16, width=12, channels=4):
    return {"samples": torch.randn(batch, channels, height, width, generator=torch.Generator().manual_seed(7))}


def look(model, latent, *phrases, positive=None, between=(0.6, 0.9), **settings):
    from pack.patches.probe import ProbeSettings, probe
    from pack.patches.run.window import Window

    positive = FAMILY.conditioning() if positive is None else positive
    return probe(model, positive, latent, ProbeSettings(phrases or ("cat",), window=Window(*between), **settings))


def watched(model):
    """A clone that notes every (sigma, x) it is called with."""
    calls, patched = [], model.clone()

    def call(apply_model, given):
        calls.append((given["timestep"], given["input"]))
        return apply_model(given["input"], given["timestep"], **given["c"])

    patched.set_model_unet_function_wrapper(call)
    return patched, calls


@pytest.mark.parametrize(("levels", "percents"), [(1, [0.5]), (2, [0.35, 0.65]), (3, [0.3, 0.5, 0.7])])
def test_one_call_per_level_on_the_noised_latent(comfy, levels, percents):
    import comfy.sample

    model, calls = watched(FAMILY.model())
    sampling, latent = model.get_model_object("model_sampling"), picture(2)
    kept = latent["samples"].clone()
    captured = look(model, latent, levels=levels, seed=5, between=(0.2, 0.8))
    sigmas = [float(sampling.percent_to_sigma(percent)) for percent in percents]
    noise = comfy.sample.prepare_noise(kept[:1], 5)
    scaled = model.model.process_latent_in(kept)
    assert len(calls) == levels
    for sigma, (timestep, x) in zip(sigmas, calls, strict=True):
        torch.testing.assert_close(timestep, torch.full((2,), sigma), rtol=1e-6, atol=0)
        torch.testing.assert_close(x, scaled + sigma * noise, rtol=1e-5, atol=1e-5)  # an eps model
    assert torch.equal(latent["samples"], kept)
    torch.testing.assert_close(captured.samples, kept, rtol=1e-5, atol=1e-5)


def test_the_maps_are_the_mean_over_the_levels(comfy):
    captured = look(FAMILY.model(), picture(2, 17, 13), "red dog", levels=3)
    reader = Reader(FAMILY.conditioning()[0][0], {"red dog": (2, 3)})
    look(reader.on(FAMILY.model()), picture(2, 17, 13), "red dog", levels=3)
    at = captured.words.index("red dog")
    for block, layer in captured.layers.items():
        assert len(reader.seen[block, "red dog"]) == 3
        torch.testing.assert_close(layer[:, at], reader.mean(block, "red dog"), rtol=1e-5, atol=1e-7)


def test_a_picture_of_a_batch_is_as_alone(comfy):
    latent = picture(3, 17, 13)
    together = look(FAMILY.model(), latent, self_attention=True)
    for i in range(3):
        alone = look(FAMILY.model(), {"samples": latent["samples"][i : i + 1]}, self_attention=True)
        torch.testing.assert_close(together.self_attention[i], alone.self_attention[0], rtol=1e-4, atol=1e-7)
        for block, layer in alone.layers.items():
            torch.testing.assert_close(together.layers[block][i], layer[0], rtol=1e-4, atol=1e-7)


def test_a_seed_gives_the_same_maps_and_another_seed_others(comfy):
    one, same, other = (look(FAMILY.model(), picture(), seed=seed) for seed in (3, 3, 4))
    assert all(torch.equal(layer, same.layers[block]) for block, layer in one.layers.items())
    assert not any(torch.equal(layer, other.layers[block]) for block, layer in one.layers.items())


def test_the_model_is_untouched(comfy):
    import copy

    model = FAMILY.model().clone()
    before = copy.deepcopy(model.model_options)
    look(model, picture())
    assert model.model_options == before and not any(model.wrappers.values())


def test_a_conditioning_of_two_entries(comfy):
    positive = [*FAMILY.conditioning("a cat"), *FAMILY.conditioning("a dog")]
    captured = look(FAMILY.model(), picture(), "cat", "dog", positive=positive)
    assert captured.words == ("cat", "dog") and captured.others == {"cat": (), "dog": ()}
    for at, text in enumerate(positive):
        reader = Reader(text[0], {"word": (2,)})
        look(reader.on(FAMILY.model()), picture(), "cat", "dog", positive=positive)
        for block, layer in captured.layers.items():
            torch.testing.assert_close(layer[:, at], reader.mean(block, "word"), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["sdxl", "sd2_v", "sd3", "flux", "wan"])
def test_other_models_and_flat_latents(comfy, name):
    """Flow models noise as (1 - sigma) x + sigma n; a picture's latent (B, C, h, w) also fits a video model."""
    family = FAMILIES[name]
    latent = picture(2, 10, 14, family.channels)
    captured = look(family.model(), latent, positive=family.conditioning(), levels=2)
    assert captured.samples.shape[-2:] == (10, 14)
    for layer in captured.layers.values():
        assert len(layer) == 2 and layer.isfinite().all() and (layer > 0).all()


def untracked():
    return [[FAMILY.conditioning()[0][0], {}]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"between": (0.5, 0.5)}, "end_percent must be larger than start_percent"),
        ({"between": (0.9, 0.1)}, "end_percent must be larger than start_percent"),
        ({"blocks": "in.4-8"}, r"Block 'in\.4-8' is not in this model; it has in\.1, in\.3"),
        ({"positive": untracked}, "Track Phrases"),
        ({"phrases": ("zebra",)}, "'zebra' is not in the prompt; use its words in their order: a, red"),
        ({"phrases": ("cat", "zebra")}, "'zebra' is not in the prompt"),
    ],
)
def test_what_cannot_be_looked_for_is_told(comfy, given, message):
    given = dict(given)
    phrases, positive = given.pop("phrases", ()), given.pop("positive", None)
    with pytest.raises(ValueError, match=message):
        look(FAMILY.model(), picture(), *phrases, positive=positive and positive(), **given)


def test_no_phrase_is_told(comfy):
    from pack.patches.probe import ProbeSettings, probe

    with pytest.raises(ValueError, match="There is no phrase to look for; type words of the prompt"):
        probe(FAMILY.model(), FAMILY.conditioning(), picture(), ProbeSettings(()))


def test_progress_is_shown_and_an_interrupt_ends_it(comfy, monkeypatch):
    """The host's hook is told of every noise level, and raises where the user stopped."""
    import comfy.utils

    told = []
    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", lambda now, total, *args, **named: told.append((now, total)))
    look(FAMILY.model(), picture(), "red dog", levels=2)
    assert told[-1] == (2, 2)

    class Stopped(Exception):
        pass

    def stop(*args, **named):
        raise Stopped

    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", stop)
    with pytest.raises(Stopped):
        look(FAMILY.model(), picture(), "red dog", levels=2)
