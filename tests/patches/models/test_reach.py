"""Regions and capture in every further class of models that the host has, and what is refused."""

import pytest
import torch
from pack.attention.regions import Region
from pack.tests.reach import REACH
from pack.tests.reach.oracle import Seen, find, frames_of, left_half, noise_of, run, video

MIXING = ("chroma_radiance", "pixeldit")
"""Their last layers, which make pixels, mix neighbours."""
REFUSED = ("hidream", "ernie", "pixart", "hydit")


def place(model, *regions):
    from pack.patches.regions import RegionSettings, place_regions

    return place_regions(model, regions, RegionSettings())


def placed(model, noise, strength):
    return place(model, Region("red dog", left_half(noise), strength, 0.0))


def same(a, b) -> bool:
    pairs = zip(a.unbind(), b.unbind(), strict=True) if a.is_nested else [(a, b)]
    return all(torch.equal(x, y) for x, y in pairs)


reached = pytest.mark.parametrize("name", [name for name in REACH if name not in REFUSED])


@pytest.fixture
def family(comfy, name):
    if not REACH[name].known:
        pytest.skip(f"this host has no {REACH[name].config}")
    return REACH[name]


@reached
def test_a_phrase_gets_more_attention_in_its_region_the_stronger_it_is(family, name):
    noise, positive = noise_of(family, frames=frames_of(family)), family.conditioning()
    found, masses = find(family, noise, positive), []
    for strength in (0.0, 0.25, 0.5, 1.0):
        seen = Seen()
        run(placed(seen.on(family.model()), noise, strength), noise, positive)
        masses.append(found.mass(seen.calls))
    inside = [sum(own) / len(own) for own, _ in masses]
    assert all(weak < strong for weak, strong in zip(inside, inside[1:], strict=False)), inside
    first = [elsewhere[0] for _, elsewhere in masses]  # later calls see what earlier ones changed
    assert max(first) - min(first) < 1e-6, first


@reached
def test_neutral_and_capture_are_bit_identical(family, name):
    from pack.patches.capture import CaptureSettings, capture

    noise = noise_of(family, 1, frames_of(family))
    given = noise, family.conditioning(), family.conditioning("blurry"), 2, 3.0
    plain = run(family.model(), *given)
    assert same(run(placed(family.model(), noise, 0.0), *given), plain)
    reading, maps = capture(family.model(), CaptureSettings(("red dog",)))
    assert same(run(reading, *given), plain)
    assert maps.runs[0].layers


def changing(model, change):
    """A clone of which every call has its features changed at the last place before the output."""
    from comfy.patcher_extension import WrappersMP
    from pack.patches.models.reach import places_of
    from pack.patches.run.packed import video_of

    places, patched = places_of(model), model.clone()
    kind, count = list(places.counts.items())[-1]

    def apply(executor, x, t, concat, text, control, options, **given):
        network, shape = executor.class_obj.diffusion_model, video_of(x, given.get("latent_shapes", ())).shape
        with places.open(network, shape, given, options, change, [f"{kind}.{count - 1}"]) as changed:
            return executor(x, t, concat, text, control, changed, **given)

    patched.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "test", apply)
    return patched


def test_features_that_cannot_be_reached_are_refused(comfy):
    from pack.patches.models.reach import places_of

    if REACH["wan_animate2"].known:
        with pytest.raises(ValueError, match="of the kind WanAnimate2Model: it is not known where in its blocks"):
            places_of(REACH["wan_animate2"].model())


@pytest.mark.parametrize("name", [name for name in REACH if REACH[name].config[:2] != "SD" and name != "wan_animate2"])
def test_features_of_the_left_half_are_the_left_half_of_the_picture(family, name):
    """Behind the last block every token goes its own way."""
    noise, shapes = noise_of(family, frames=frames_of(family)), []

    def left(site, h):
        shapes.append(h.shape)
        return torch.cat([h.roll(1, 1)[..., : h.shape[-1] // 2], h[..., h.shape[-1] // 2 :]], -1)

    given = noise, family.conditioning()
    plain, changed = run(family.model(), *given), run(changing(family.model(), left), *given)
    assert same(run(changing(family.model(), lambda site, h: h), *given), plain) and shapes
    if plain.is_nested:
        assert torch.equal(plain.unbind()[1], changed.unbind()[1])
    differs = (video(plain) - video(changed)).abs().flatten(0, -2).amax(0)
    inside, elsewhere = differs.chunk(2)
    most = 0.5 * inside.mean() if name in MIXING else 0
    assert inside.min() > 1e-4 and elsewhere.mean() <= most, differs


def alone(model, noise, text):
    """What the model makes of one prompt in a single step, its prediction of the picture."""
    return video(run(model, noise, text, steps=1, cfg=1.0))


@reached
def test_two_prompts_of_other_lengths_and_a_batch_are_what_each_is_alone(family, name):
    """Two pictures with a mask each; where the host can, an odd size, and a longer negative prompt, in one batch."""
    batch = 1 if family.config == "MiniMaxH3" else 2
    positive = family.conditioning()
    for less, more in ((1, 8), (0, 8), (0, 0)):
        noise = noise_of(family, batch, height=family.side - less)
        negative = family.conditioning("a blurry thing", family.rows + more)
        try:
            run(family.model(), noise, positive, negative, 1, 3.0)
            break
        except RuntimeError:  # the host's own
            continue
    mask = torch.cat([left_half(noise), 1 - left_half(noise)])[:batch]
    regions = Region("red dog", mask, 0.5, 0.2), Region("blue cat", 1 - mask[:1], 0.4, 0.0)
    whole, unplaced = (
        video(run(model, noise, positive, negative, 1, 3.0))
        for model in (place(family.model(), *regions), family.model())
    )
    for i in range(batch):
        own = [
            Region(region.phrase, region.mask[min(i, len(region.mask) - 1)][None], region.strength, region.outside)
            for region in regions
        ]
        single = noise if batch == 1 else noise[i : i + 1]
        other, plain = (alone(family.model(), single, text) for text in (negative, positive))
        wanted = alone(place(family.model(), *own), single, positive)
        if not close(unplaced[i], mixed(plain, other), mixed(wanted, other)):
            pytest.skip("the host itself makes another picture in a batch")
        assert close(whole[i], mixed(wanted, other), mixed(plain, other))


def mixed(positive, negative):
    """CFG 3 of one picture each."""
    return (negative + 3.0 * (positive - negative))[0]


def close(out, expected, without) -> bool:
    """Equal up to a thousandth of what the regions change."""
    return (out - expected).abs().max() < 1e-3 * (without - expected).abs().max()
