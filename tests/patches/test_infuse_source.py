"""Source 001's V2 (SOURCES 1.1), block by block in the form of its own U-Net, with the bugs of SOURCES 1.3 left out."""

import pytest
import torch
from pack.tests.patches.infusing import FAMILY, biased, close, draw, pictures, text

LEARNED = [-0.0106812, -0.0546875, -0.480469, 0.0947266, -0.00107574, 0.160156, 0.243164, -0.00665283, 0.0388184]
LEARNED += [-0.135742, -0.53125, -0.0688477, -0.118652]
HAND = [0.1] * 9 + [1e-4] * 4
SKIPS = [0.0] * 9 + [0.3] * 4
DOWN = [(1, 2, 3), (4, 5, 6), (7, 8, 9), (10, 11)]
SETTINGS = {"mix": "add", "input": "clean", "text": "each half"}


class V2:
    """Each half of CFG with its own prompt, its own pass over the pictures and its own mean."""

    def __init__(self, weights: list[float], decay: float = 1.0):
        self.weights, self.decay = weights, decay
        self.samples, self.steps = pictures(3), []

    def on(self, model):
        patched = model.clone()
        self.base, self.network = model.model, model.model.diffusion_model
        patched.set_model_unet_function_wrapper(self)
        return patched

    def __call__(self, apply_model, args):
        x, sigma, chunks = args["input"], args["timestep"][:1], args["cond_or_uncond"]
        self.steps += [] if float(sigma) in self.steps else [float(sigma)]
        scale = self.decay ** (1 + self.steps.index(float(sigma)))
        time = self.base.model_sampling.timestep(sigma).float()
        z, b = x / (sigma**2 + 1) ** 0.5, self.base.process_latent_in(self.samples)
        words, weights = (text(), text(prompt="blurry")), [scale * w for w in self.weights]
        halves = zip(z.chunk(len(chunks)), chunks, strict=True)
        eps = [self.unet(half, b, time, words[place], weights) for half, place in halves]
        return x - sigma * torch.cat(eps)

    def mean(self, g):
        return g.mean(0, keepdim=True)

    def run(self, module, h, time, words, shape=None):
        from comfy.ldm.modules.diffusionmodules.openaimodel import forward_timestep_embed, timestep_embedding

        emb = self.network.time_embed(timestep_embedding(time.expand(len(h)), self.network.model_channels))
        return forward_timestep_embed(module, h, emb, words.expand(len(h), -1, -1), {}, shape)

    def unet(self, z, b, time, words, w):
        net, h, g = self.network, z, b
        h, g = (self.run(net.input_blocks[0], x, time, words) for x in (h, g))
        skips, skips_g = [h], [g]
        for i, blocks in enumerate(DOWN):
            for n in blocks:
                h, g = (self.run(net.input_blocks[n], x, time, words) for x in (h, g))
                skips.append(h + w[9 + i] * self.mean(g))
                skips_g.append(g)
            h = h + w[i] * self.mean(g)
        h, g = (self.run(net.middle_block, x, time, words) for x in (h, g))
        h = h + w[4] * self.mean(g)
        for u in range(4):
            for n in range(3 * u, 3 * u + 3):
                h, g = torch.cat((h, skips.pop()), 1), torch.cat((g, skips_g.pop()), 1)
                shape = skips[-1].shape if skips else None
                h, g = (self.run(net.output_blocks[n], x, time, words, shape) for x in (h, g))
            h = h + w[5 + u] * self.mean(g)
        return net.out(h)


def spelled(weights: list[float]) -> dict:
    return {"sites": ", ".join(map(repr, weights)), **SETTINGS}


def infused(samples, weights, **settings):
    from pack.patches.infuse import InfuseSettings, infuse

    return infuse(FAMILY.model(), samples, None, InfuseSettings(**{"weight": 1.0, **spelled(weights), **settings}))


@pytest.mark.parametrize(("weights", "decay"), [(LEARNED, 0.99), (HAND, 0.994), ([0.15] * 13, 0.5), (SKIPS, 1.0)])
def test_thirteen_weights_in_its_order_with_its_decay(comfy, weights, decay):
    """The skips too, whose infusion has no effect in its first versions."""
    explicit = draw(V2(weights, decay).on(FAMILY.model()), steps=4)
    ours = draw(infused(pictures(3), weights, decay=decay), steps=4)
    assert close(ours, explicit, draw(FAMILY.model(), steps=4))


@pytest.mark.parametrize("index", range(13))
def test_every_weight_has_its_own_place(comfy, index):
    weights = [0.5 * (i == index) for i in range(13)]
    change = draw(V2(weights).on(FAMILY.model()), steps=1) - draw(FAMILY.model(), steps=1)
    ours = draw(infused(pictures(3), weights), steps=1) - draw(FAMILY.model(), steps=1)
    assert (ours - change).abs().max() <= 1e-2 * change.abs().max() and change.abs().max() > 0.1


def test_the_overall_weight_multiplies_the_list(comfy):
    half = draw(infused(pictures(3), [0.5 * w for w in LEARNED]))
    torch.testing.assert_close(draw(infused(pictures(3), LEARNED, weight=0.5)), half, rtol=1e-4, atol=1e-3)


def test_each_half_gets_the_mean_of_its_own_text(comfy):
    """Not one mean over both halves: each differs, and is what that text alone records."""
    outs = {name: draw(infused(pictures(3), LEARNED, text=name)) for name in ("positive", "negative", "each half")}
    assert not torch.equal(outs["each half"], outs["positive"])
    assert not torch.equal(outs["each half"], outs["negative"])
    alone = [draw(infused(pictures(3), LEARNED, text=name), cfg=1.0) for name in ("each half", "positive")]
    assert torch.equal(*alone)


def inputs(samples, steps: tuple[int, ...], **settings) -> list:
    """(noise level, what the recorded pass hands the model) of a run at these steps of the schedule."""
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import SamplerCustom

    model = FAMILY.model()
    sampling, seen, plain = model.get_model_object("model_sampling"), [], model.model._apply_model

    def spy(x, t, *args, **kwargs):
        if kwargs.get("transformer_options", {}).get("uuids") == []:
            seen.append((float(t[0]), x.clone()))
        return plain(x, t, *args, **kwargs)

    model.model._apply_model = spy
    try:
        levels = torch.cat([sampling.sigma(torch.tensor([float(step)])) for step in steps] + [torch.zeros(1)])
        texts, euler = (FAMILY.conditioning(), FAMILY.conditioning("blurry")), comfy.samplers.sampler_object("euler")
        latent = {"samples": FAMILY.latent()}
        patched = biased(model, samples, {"in.3": 0.1}, **settings)
        SamplerCustom.execute(patched, True, 1, 3.0, *texts, euler, levels, latent)
    finally:
        del model.model._apply_model
    return seen


def test_the_clean_latent_is_scaled_so_that_the_unet_sees_it_as_it_is(comfy):
    """SOURCES 1.3, note 7; and note 2: multiplied by 0.18215."""
    z = pictures()
    found = inputs(z, (981, 501, 21))
    assert [round(float((x / (0.18215 * z)).mean()), 3) for _, x in found] == pytest.approx(
        [13.16, 1.907, 1.010], abs=6e-3
    )
    for sigma, x in found:
        torch.testing.assert_close(x, 0.18215 * z * (sigma**2 + 1) ** 0.5, rtol=1e-4, atol=1e-5)


def test_noised_is_the_latent_at_the_noise_level(comfy):
    import comfy.sample

    z, noise = pictures(), comfy.sample.prepare_noise(torch.zeros(1, 4, 16, 16), 3)
    for sigma, x in inputs(z, (981, 501, 21), input="noised", seed=3):
        torch.testing.assert_close(x, 0.18215 * z + sigma * noise, rtol=1e-4, atol=1e-4)
