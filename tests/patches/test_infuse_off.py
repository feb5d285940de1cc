"""Off is exact, models stay as they were, runs repeat, and what must not matter does not."""

import pytest
import torch
from pack.patches.run.window import Window
from pack.tests.noise import noise_of, rms, within
from pack.tests.patches.beside import state
from pack.tests.patches.infusing import ALL, FAMILY, biased, draw, pictures, text
from pack.tests.tiny_models import sample

LAST = {"out.11": 0.25}


def hooks(model) -> int:
    return sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.model.diffusion_model.modules())


@pytest.mark.parametrize(
    "off",
    [
        {"weight": 0.0},
        {"sites": {"in.3": 0.0}},
        {"sites": dict.fromkeys(ALL, 0.0)},
        {"mask": torch.zeros(1, 64, 64)},
        {"window": Window(0.5, 0.5)},
        {"window": Window(0.7, 0.2)},
        {"window": Window(0.97, 0.98)},  # no step of this schedule lies in there
        {"decay": 0.0},
    ],
)
def test_off_is_the_unpatched_picture_whatever_the_pictures(comfy, off):
    model = FAMILY.model()
    plain = draw(model, batch=2)
    for samples in (pictures(2), 1e6 * pictures(1, seed=8)):
        assert torch.equal(draw(biased(model, samples, **off), batch=2), plain)


def test_outside_a_mask_of_the_last_site_no_bit_changes_inside_the_network(comfy):
    """Where the mask is 0, h + 0 g is h."""
    from pack.sampling.mixing import MIXES

    h, g = pictures(2), 1e6 * pictures(1, seed=8)
    for mix in MIXES.values():
        where = torch.zeros(1, 1, 16, 16)
        where[..., :8] = 0.5
        assert torch.equal(mix(h, g, where)[..., 8:], h[..., 8:])
        assert not torch.equal(mix(h, g, where)[..., :8], h[..., :8])


def test_the_model_is_untouched_and_runs_repeat_also_after_an_interrupt(comfy):
    model = FAMILY.model()
    before, plain = state(model), draw(model)
    patched = biased(model, pictures(2))
    placed, first = state(patched), draw(patched)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(patched, callback=stop)
    assert hooks(model) == 0
    assert torch.equal(draw(patched), first) and torch.equal(draw(model), plain) and not torch.equal(first, plain)
    assert state(model) == before and state(patched) == placed


@pytest.mark.parametrize("at", ["recording", "drawing"])
def test_no_hook_stays_after_an_error_inside_the_network(comfy, at):
    model, calls = FAMILY.model(), []

    def fail(*_):
        calls.append(1)
        if len(calls) == (1 if at == "recording" else 2):
            raise KeyboardInterrupt

    patched = biased(model, pictures(), LAST)
    mine = model.model.diffusion_model.middle_block[0].register_forward_pre_hook(fail)
    try:
        with pytest.raises(KeyboardInterrupt):
            draw(patched)
        assert hooks(model) == 1
    finally:
        mine.remove()


@pytest.mark.parametrize("kind", ["clean", "noised"])
def test_random_numbers_of_others_stay_as_they_are(comfy, kind):
    """The host's prepare_noise seeds torch's own generator, which some samplers and Tome Patch Model draw from."""
    states = []
    for model in (FAMILY.model(), biased(FAMILY.model(), pictures(), input=kind, seed=5)):
        draw(model, callback=lambda *_: states.append(torch.get_rng_state()))
    assert all(torch.equal(state, states[0]) for state in states)


def test_equal_pictures_are_one_and_their_order_does_not_matter(comfy):
    model, one, three = FAMILY.model(), pictures(), pictures(3)
    noise = noise_of(lambda: draw(model))
    for settings in ({}, {"images": (0.2, 1.0, 3.0)}, {"input": "noised"}):
        several = draw(biased(model, one.repeat(3, 1, 1, 1), **settings))
        expected = draw(biased(model, one, **{"input": settings.get("input", "clean")}))
        assert within(several, expected, noise)
    mixed = draw(biased(model, three, images=(1.0, 2.0, 0.5)))
    turned = draw(biased(model, three[[2, 0, 1]], images=(0.5, 1.0, 2.0)))
    assert within(turned, mixed, noise)
    others = [draw(biased(model, three, images=w)) for w in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))]
    assert rms(others[0] - others[1]) > 1e3 * noise
    assert within(others[0], draw(biased(model, three[:1])), noise)


def test_an_item_does_not_depend_on_its_neighbours(comfy):
    import comfy.sample

    noise = torch.randn(3, 4, 17, 13, generator=torch.Generator().manual_seed(1))
    model = FAMILY.model()
    patched = biased(model, pictures(2, 17, 13))

    def run(model, noise):
        given = (model, noise, 2, 3.0, "euler", "normal", FAMILY.conditioning(), FAMILY.conditioning("blurry"))
        return comfy.sample.sample(*given, torch.zeros_like(noise), seed=1, disable_pbar=True)

    together, rounding = run(patched, noise), noise_of(lambda: run(model, noise))
    for i in range(3):
        assert within(together[i : i + 1], run(patched, noise[i : i + 1]), rounding)


def features(patched, wanted: dict) -> dict:
    """What enters the layers of `wanted` (name -> module) in the first drawn call of one step."""
    seen, handles = {}, []
    for name, module in wanted.items():

        def keep(_, args, name=name):
            if args[0].shape[0] == 2:  # both halves; one picture is recorded alone
                seen[name] = args[0].clone()

        handles.append(module.register_forward_pre_hook(keep))
    draw(patched, steps=1)
    for handle in handles:
        handle.remove()
    return seen


def test_g1b_the_last_site_is_linear(comfy):
    """h_out - h_out0 = w mean(g) before the last norm, for every weight."""
    model = FAMILY.model()
    network = model.model.diffusion_model
    at = {"last": network.out[0]}
    plain = features(model, at)["last"]
    moved = [features(biased(model, pictures(), {"out.11": w}), at)["last"] - plain for w in (0.1, 0.2, -0.4)]
    assert moved[0].abs().max() > 1e-2 * plain.abs().max()
    torch.testing.assert_close(moved[1], 2 * moved[0], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(moved[2], -4 * moved[0], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(moved[0][:1], moved[0][1:], rtol=1e-3, atol=1e-5)  # the same map in both halves
    clean, seen = model.model.process_latent_in(pictures()), []
    with network.out[0].register_forward_pre_hook(lambda _, args: seen.append(args[0].clone())):
        time = model.get_model_object("model_sampling").timestep(torch.tensor([14.614647])).float()
        network(clean, time, context=text(), transformer_options={})
    torch.testing.assert_close(moved[0][:1], 0.1 * seen[0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("site", ["in.5", "mid.0", "out.4", "skip.6"])
def test_g1c_features_before_a_site_stay(comfy, site):
    model = FAMILY.model()
    network = model.model.diffusion_model
    order = [*network.input_blocks, network.middle_block, *network.output_blocks, network.out]
    at = {i: block[0] for i, block in enumerate(order)}
    kind, number = site.split(".")
    first = {"in": int(number) + 1, "mid": 13, "out": 14 + int(number), "skip": 13 + 11 - int(number)}[kind]
    plain, changed = features(model, at), features(biased(model, pictures(), {site: 0.3}), at)
    assert [i for i in at if not torch.equal(plain[i], changed[i])] == list(range(first, len(order)))


def test_the_pictures_are_recorded_unbiased(comfy):
    """What the network's blocks give for them is the same with and without infusion; where they end, the pass does."""
    model, network = FAMILY.model(), FAMILY.model().model.diffusion_model
    seen = []
    with network.out.register_forward_pre_hook(lambda _, args: seen.append(args[0].clone())):
        sample(biased(biased(model, pictures(3)), pictures(5)), FAMILY.latent(), FAMILY.conditioning(), [], cfg=1.0)
        alone = []
        for count in (3, 5):
            sample(biased(model, pictures(count)), FAMILY.latent(), FAMILY.conditioning(), [], cfg=1.0)
            alone += [x for x in seen[-4:] if len(x) == count]
    found = [x for x in seen[:6] if len(x) == 3] + [x for x in seen[:6] if len(x) == 5]
    assert len(found) == len(alone) == 4 and all(torch.equal(a, b) for a, b in zip(found, alone, strict=True))
