"""Regions and capture beside nodes of the conditioning, the noise mask or the guider: exact, and neutral to the bit."""

import pytest
import torch
from pack.tests import tiny_control
from pack.tests.patches.beside import SD1, holds, kept
from pack.tests.tiny_models import sample
from pack.tests.tiny_unet import CONTEXT

LATENT = SD1.latent(1, 16, 16)


def draw_with(change, **options):
    """A sampling whose (positive, negative) went through a node first."""

    def draw(model):
        positive, negative = change(SD1.conditioning(), SD1.conditioning("blurry"))
        return sample(kept(model), LATENT, positive, negative, **options)

    return draw


def same(model):
    return model.clone()


def acts(draw):
    assert not torch.equal(draw(SD1.model()), draw_with(lambda *both: both)(SD1.model())), "the node does nothing here"
    holds(same, draw)


def control_advanced(positive, negative):
    """control_apply_to_uncond is False: each side carries its own."""
    return tiny_control.control(positive, negative)


def control_for_part_of_the_steps(positive, negative):
    return tiny_control.control(positive, negative, strength=0.7, end=0.5)


def control_to_uncond(positive, negative):
    """The deprecated ControlNetApply: the host copies the net to the negative while it samples."""
    import nodes

    image = torch.rand(1, 128, 128, 3, generator=torch.Generator().manual_seed(0))
    return nodes.ControlNetApply().apply_controlnet(positive, tiny_control.controlnet(), image, 1.0)[0], negative


def two_controls(positive, negative):
    return tiny_control.control(*tiny_control.control(positive, negative), strength=0.5)


@pytest.mark.parametrize("nets", [control_advanced, control_for_part_of_the_steps, control_to_uncond, two_controls])
def test_controlnet(comfy, nets):
    acts(draw_with(nets))


def hooks_on_both(positive, negative):
    hooks = tiny_control.lora_hooks(SD1.model())
    return tiny_control.hooked(positive, hooks), tiny_control.hooked(negative, hooks)


def hooks_on_one(positive, negative):
    return tiny_control.hooked(positive, tiny_control.lora_hooks(SD1.model())), negative


@pytest.mark.parametrize("hooks", [hooks_on_both, hooks_on_one])
def test_lora_hooks(comfy, hooks):
    acts(draw_with(hooks))


class Gate(torch.nn.Module):
    """Stands for GLIGEN's gated attention of one transformer block."""

    def forward(self, x, objs):
        return x + objs.mean(1, keepdim=True).repeat(1, 1, x.shape[2] // objs.shape[2])


class Positions(torch.nn.Module):
    def forward(self, boxes, masks, positive_embeddings):
        return positive_embeddings * masks[..., None] + boxes.sum(-1, keepdim=True)


def gligen(positive, negative):
    """What GLIGENTextBoxApply puts on the positive."""
    from comfy.gligen import Gligen
    from comfy.model_patcher import ModelPatcher

    cpu = torch.device("cpu")
    module = Gligen([Gate() for _ in range(7)], Positions(), CONTEXT)
    text = torch.randn(1, CONTEXT, generator=torch.Generator().manual_seed(0))
    given = ("position", ModelPatcher(module, cpu, cpu), [(text, 8, 8, 2, 4)])
    return [[text_, {**options, "gligen": given}] for text_, options in positive], negative


def test_gligen(comfy):
    acts(draw_with(gligen))


def test_differential_diffusion_with_a_noise_mask(comfy):
    from comfy_extras.nodes_differential_diffusion import DifferentialDiffusion

    def node(model):
        return DifferentialDiffusion.execute(model, 1.0).result[0]

    mask = torch.linspace(0, 1, 16).repeat(1, 1, 16, 1)
    draw = draw_with(lambda *both: both, noise_mask=mask)
    assert not torch.equal(draw(node(SD1.model())), draw(SD1.model()))
    holds(node, draw)


def basic(model):
    from comfy_extras.nodes_custom_sampler import BasicGuider

    return BasicGuider.execute(model, SD1.conditioning())


def classifier_free(model):
    from comfy_extras.nodes_custom_sampler import CFGGuider

    return CFGGuider.execute(model, SD1.conditioning(), SD1.conditioning("blurry"), 4.0)


def dual(model):
    from comfy_extras.nodes_custom_sampler import DualCFGGuider

    texts = SD1.conditioning("a beach"), SD1.conditioning(), SD1.conditioning("blurry")
    return DualCFGGuider.execute(model, *texts, 4.0, 3.0, "nested")


def perpendicular(model):
    from comfy_extras.nodes_perpneg import PerpNegGuider

    return PerpNegGuider.execute(model, SD1.conditioning(), SD1.conditioning("blurry"), SD1.conditioning(""), 4.0, 1.0)


@pytest.mark.parametrize("guider", [basic, classifier_free, dual, perpendicular])
def test_guiders_of_the_custom_sampler(comfy, guider):
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import Noise_RandomNoise, SamplerCustomAdvanced

    def draw(model):
        sampler, sigmas = comfy.samplers.sampler_object("dpmpp_2m"), torch.tensor([9.0, 3.0, 1.0, 0.0])
        given = Noise_RandomNoise(1), guider(kept(model)).result[0], sampler, sigmas, {"samples": LATENT}
        return SamplerCustomAdvanced.execute(*given).result[0]["samples"]

    holds(same, draw)
