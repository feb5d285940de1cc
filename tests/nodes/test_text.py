"""CLIP Slerp Augment on the host's encoders and its KSampler."""

import copy

import pytest
import torch
from pack.tests.noise import noise_of, within

THETAS = [-2.0, -0.2, 0.2, 0.7, 2.0]
LONG = "red " * 90


@pytest.fixture(scope="module")
def host(comfy):
    from pack.tests import tiny, tiny_unet

    return tiny, tiny_unet


@pytest.fixture(scope="module")
def augment(comfy):
    from pack.nodes.text import ClipSlerpAugment

    def run(base, target, theta=0.2, neutral=None, phrase="", window=(0.0, 1.0), mode="per_token", direction="auto"):
        return ClipSlerpAugment.execute(base, target, theta, mode, direction, 1.5, *window, neutral, phrase).result[0]

    return run


def encode(clip, text):
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


@pytest.fixture(scope="module")
def texts(host):
    clip = host[0].sd1()
    return [encode(clip, text) for text in ("a cat on a farm", "a dog at sunset", "")]


@pytest.fixture(scope="module")
def pictures(host, texts):
    """The KSampler's result for a positive conditioning."""
    unet = host[1]
    return lambda positive, **how: unet.sample(unet.sd1_unet(), positive, texts[2], **how)


@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "flux"])
@pytest.mark.parametrize("mode", ["per_token", "global", "lerp", "nlerp"])
def test_ends_and_finite_values_for_every_encoder(host, augment, family, mode):
    clip = getattr(host[0], family)()
    base, target, empty = (encode(clip, text) for text in ("a cat", "a dog at sunset", ""))
    assert augment(base, target, 0.0, mode=mode)[0][0] is base[0][0]
    end = augment(base, target, 1.0, mode=mode)
    assert torch.equal(end[0][0], target[0][0])
    assert torch.equal(end[0][1]["pooled_output"], target[0][1]["pooled_output"])
    for theta in THETAS:
        for neutral in (None, empty):
            out = augment(base, target, theta, neutral, mode=mode)
            assert torch.isfinite(out[0][0]).all() and torch.isfinite(out[0][1]["pooled_output"]).all()
            assert not torch.equal(out[0][0], base[0][0])
            if neutral is None:
                assert torch.equal(augment(base, base, theta, mode=mode)[0][0], base[0][0])


@pytest.mark.parametrize(("family", "rows"), [("sd1", 154), ("sdxl", 154), ("sd3", None), ("flux", 271)])
def test_prompts_of_different_length_on_every_encoder(host, augment, family, rows):
    clip = getattr(host[0], family)()
    short, empty = encode(clip, "a cat"), encode(clip, "")
    long = encode(clip, LONG * 3 if family == "flux" else LONG)
    assert rows in (None, long[0][0].shape[1])
    with pytest.raises(ValueError, match="connect the encoding of an empty prompt as neutral"):
        augment(short, long)
    for base, target in ((short, long), (long, short)):
        out = augment(base, target, 0.5, empty, direction="target - base")
        assert out[0][0].shape == long[0][0].shape and torch.isfinite(out[0][0]).all()


def test_the_short_side_is_filled_with_an_empty_chunk(host, augment):
    clip = host[0].sd1()
    short, long, empty = (encode(clip, text) for text in ("a cat", LONG, ""))
    out = augment(short, long, 1e-7, empty, direction="target - base")[0][0]
    assert torch.allclose(out, torch.cat([short[0][0], empty[0][0]], 1), atol=1e-5)


def test_encoders_of_two_models_are_refused(host, augment):
    with pytest.raises(ValueError, match="base 32, target 80"):
        augment(encode(host[0].sd1(), "a cat"), encode(host[0].sdxl(), "a cat"))


def test_theta_0_and_1_draw_the_pictures_of_base_and_target(augment, texts, pictures):
    base, target, _ = texts
    first, last = pictures(base), pictures(target)
    assert not torch.equal(first, last)
    assert torch.equal(pictures(augment(base, target, 0.0)), first)
    assert torch.equal(pictures(augment(base, target, 1.0)), last)


def test_moves_change_the_picture_and_leave_the_inputs_alone(augment, texts, pictures):
    kept = copy.deepcopy(texts)
    base, target, neutral = texts
    first = pictures(base)
    for theta, other in ((0.3, None), (-0.3, None), (0.3, neutral), (1.5, None)):
        moved = augment(base, target, theta, other)
        picture = pictures(moved)
        assert torch.isfinite(picture).all() and not torch.equal(picture, first)
        assert torch.equal(picture, pictures(augment(base, target, theta, other)))  # a second run equals the first
    for before, after in zip(kept, texts, strict=True):
        assert torch.equal(before[0][0], after[0][0]) and before[0][1].keys() == after[0][1].keys()
        assert torch.equal(before[0][1]["pooled_output"], after[0][1]["pooled_output"])


def steps(pictures, positive, **how):
    """The denoised latent after each step."""
    seen = []
    pictures(positive, steps=8, callback=lambda step, denoised, x, total: seen.append(denoised.clone()), **how)
    return seen


@pytest.mark.parametrize("scheduler", ["normal", "karras"])
def test_a_window_uses_each_text_in_its_own_steps(augment, texts, pictures, host, scheduler):
    import comfy.samplers

    base, target, _ = texts
    sampling = host[1].sd1_unet().get_model_object("model_sampling")
    sigmas = comfy.samplers.calculate_sigmas(sampling, scheduler, 8)[:-1]
    before = int((sigmas > sampling.percent_to_sigma(0.5)).sum())
    assert 0 < before < 8
    plain, moved = (steps(pictures, c, scheduler=scheduler) for c in (base, augment(base, target, 0.7)))
    late = steps(pictures, augment(base, target, 0.7, window=(0.5, 1.0)), scheduler=scheduler)
    early = steps(pictures, augment(base, target, 0.7, window=(0.0, 0.5)), scheduler=scheduler)
    assert all(torch.equal(late[i], plain[i]) == (i < before) for i in range(8))
    assert all(torch.equal(early[i], moved[i]) == (i < before) for i in range(8))


def test_empty_and_full_windows(augment, texts, pictures):
    base, target, _ = texts
    full = augment(base, target, 0.7)
    assert len(full) == 1 and full[0][1].keys() == base[0][1].keys()
    for percent in (0.0, 0.4, 1.0):
        assert torch.equal(pictures(augment(base, target, 0.7, window=(percent, percent))), pictures(base))


def test_an_item_never_depends_on_its_neighbours(augment, texts, host):
    unet = host[1]
    moved = augment(texts[0], texts[1], 0.4)
    one, two = (unet.sample(unet.sd1_unet(), moved, texts[2], batch=n) for n in (1, 2))
    assert within(two[:1], one, noise_of(lambda: unet.sample(unet.sd1_unet(), texts[0], texts[2], batch=2)))


def test_the_schema_says_what_is_neutral(comfy):
    from pack.nodes.text import ClipSlerpAugment

    inputs = ClipSlerpAugment.GET_SCHEMA().inputs
    assert [i.id for i in inputs if not i.advanced] == ["base", "target", "neutral", "phrase", "theta"]
    assert all(i.tooltip for i in inputs)


@pytest.mark.parametrize(("window", "told"), [((0.5, 0.5), True), ((0.0, 0.2), True), ((0.2, 0.5), False)])
def test_a_window_in_which_no_text_acts_is_told(augment, texts, caplog, window, told):
    base = [[texts[0][0][0], {**texts[0][0][1], "start_percent": 0.3}]]
    out = augment(base, texts[1], window=window)
    assert (out[0] is base[0]) == told == ("CLIP Slerp Augment: No text of base acts between" in caplog.text)
