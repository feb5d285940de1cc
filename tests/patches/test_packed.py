"""Models whose latent holds a video and its sound: effects act on the video and leave the sound as it is."""

import pytest
import torch
from pack.tests.patches.guiding import concept, guided
from pack.tests.patches.injecting import Watch, inject
from pack.tests.reach import REACH
from pack.tests.reach.oracle import noise_of, run, video

NAMES = [name for name in REACH if REACH[name].sound]
FRAMES = 3


@pytest.fixture(params=NAMES)
def family(comfy, request):
    found = REACH[request.param]
    if not found.known:
        pytest.skip(f"this host has no {found.config}")
    return found


def parts(x, family):
    """The video and the sound in a packed latent (B, 1, N)."""
    from comfy.utils import unpack_latents

    return unpack_latents(x, [part.shape for part in noise_of(family, frames=FRAMES).unbind()])


def drawn(family, seed: int = 5):
    """A video's latent."""
    shape = video(noise_of(family, frames=FRAMES)).shape
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def paint(model, family, steps: int = 2):
    return run(model, noise_of(family, frames=FRAMES), family.conditioning(), family.conditioning("blurry"), steps, 3.0)


def test_the_picture_put_back_is_the_videos(family):
    plain, watch = Watch(), Watch()
    paint(plain.on(family.model()), family)
    mask = torch.zeros(1, 128, 128)
    mask[..., :64] = 1
    patched, maps = inject(watch.on(family.model()), drawn(family), mask, count=1)
    out = paint(patched, family)
    (before, sound), (after, kept) = parts(plain.seen[0][1], family), parts(watch.seen[0][1], family)
    width = before.shape[-1] // 2
    assert torch.equal(sound, kept) and torch.equal(before[..., width:], after[..., width:])
    assert (before[..., :width] != after[..., :width]).any()
    assert maps.runs[0].samples.equal(video(out)) and maps.runs[0].masks.shape[-2:] == before.shape[-2:]
    every, seen = Watch(), drawn(family)
    paint(inject(every.on(family.model()), seen, strength=1.0)[0], family)
    for sigma, x in every.seen:
        model = family.model()
        noise = torch.randn(seen.shape, generator=torch.Generator().manual_seed(0))
        due = model.get_model_object("model_sampling").noise_scaling(
            torch.tensor([sigma]), noise, model.model.process_latent_in(seen)
        )
        assert torch.allclose(parts(x, family)[0], due, rtol=1e-6, atol=1e-6)


def test_a_latent_with_sound_gives_its_video(family):
    first, second = Watch(), Watch()
    whole = noise_of(family, frames=FRAMES)
    paint(inject(first.on(family.model()), video(whole))[0], family)
    paint(inject(second.on(family.model()), whole)[0], family)
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(first.seen, second.seen, strict=True))


def test_concepts_edit_the_video_alone(family):
    """Against the same run with an edit too small to see: both have the concept's row in their batch."""
    patched, maps = guided(family.model(), concept("a green beach", family, scale=5.0))
    faint, off = (guided(family.model(), concept(family=family, scale=scale))[0] for scale in (1e-30, 0.0))
    strong, weak = paint(patched, family, 1), paint(faint, family, 1)
    (seen, sound), (plain, kept) = strong.unbind(), weak.unbind()
    assert torch.equal(sound, kept)
    assert (seen - plain).abs().mean() > 1e-3 * plain.abs().mean()
    assert maps.runs[0].edits.shape[1:] == seen.shape
    assert torch.equal(video(paint(off, family)), video(paint(family.model(), family)))


@pytest.mark.parametrize("count", [1, 2])
def test_videos_bias_the_video(family, count):
    from pack.patches.infuse import InfuseSettings, infuse

    samples = torch.cat([drawn(family, seed) for seed in range(count)])
    plain = paint(family.model(), family)
    biased = paint(infuse(family.model(), samples, None, InfuseSettings(weight=0.5, sites="block")), family)
    assert (video(biased) - video(plain)).abs().mean() > 1e-3 * video(plain).abs().mean()
    off = infuse(family.model(), samples, None, InfuseSettings(weight=0.0, sites="block"))
    assert torch.equal(video(paint(off, family)), video(plain))


def test_a_mask_by_phrase_of_a_video_with_sound(family):
    from pack.patches.probe import ProbeSettings, probe

    latent = {"samples": noise_of(family, frames=FRAMES)}
    captured = probe(family.model(), family.conditioning(), latent, ProbeSettings(("red dog",), levels=1))
    assert captured.samples.equal(video(latent["samples"]))
    assert all(layer.isfinite().all() and layer[:, 0].std() > 0 for layer in captured.layers.values())


def test_the_samplers_own_latent_is_found_again(family):
    """With its sound, as the sampler gives it."""
    from pack.patches.run.maps import Edits

    patched, maps = guided(family.model(), concept("a green beach", family, scale=5.0))
    out = paint(patched, family)
    assert maps.fit(out, Edits) is maps.runs[0]


def test_a_latent_with_sound_biases_as_its_video(family):
    from pack.patches.infuse import InfuseSettings, infuse

    whole, settings = noise_of(family, frames=FRAMES), InfuseSettings(weight=0.5, sites="block")
    both, alone = (paint(infuse(family.model(), one, None, settings), family) for one in (whole, video(whole)))
    assert torch.equal(video(both), video(alone))
