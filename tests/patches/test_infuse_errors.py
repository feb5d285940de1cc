"""What cannot work is refused in one sentence, before anything is sampled."""

import pytest
import torch
from pack.tests.patches.infusing import FAMILY, biased, draw, pictures
from pack.tests.tiny_models import FAMILIES, sample


def refused(patched, match: str, **how) -> None:
    """Raised before the first call of the U-Net."""
    called = []
    with patched.model.diffusion_model.time_embed.register_forward_pre_hook(lambda *_: called.append(1)):
        with pytest.raises(ValueError, match=match):
            draw(patched, **how)
    assert not called


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (2, 4, 16, 17), (1, 4, 1, 16, 16)])
def test_another_size(comfy, shape):
    given = ", ".join(map(str, shape))
    said = (
        rf"^Infusion Bias: The biasing latents are \[{given}\] but \[2, 4, 16, 16\] is being sampled; resize .*made\.$"
    )
    refused(biased(FAMILY.model(), torch.ones(shape)), said, batch=2)


def test_a_latent_of_another_model(comfy):
    with pytest.raises(ValueError, match=r"^The latent has 16 channels, but those of this model have 4; encode .*\.$"):
        biased(FAMILY.model(), torch.ones(1, 16, 16, 16))


@pytest.mark.parametrize("count", [2, 4])
def test_a_mask_for_another_number_of_pictures(comfy, count):
    refused(
        biased(FAMILY.model(), pictures(), mask=torch.ones(count, 64, 64)),
        rf"^Infusion Bias: The mask holds {count} pictures, but 3 are being sampled; use one mask for all .* each\.$",
        batch=3,
    )


@pytest.mark.parametrize("samples", [torch.zeros(1, 4, 16, 16), torch.zeros(0, 4, 16, 16)])
def test_an_empty_latent(comfy, samples):
    with pytest.raises(ValueError, match=r"^The biasing latent is empty; encode .* with VAE Encode for it\.$"):
        biased(FAMILY.model(), samples)


@pytest.mark.parametrize(
    ("images", "total"), [((1.0,), "1"), ((1.0, 2.0, 3.0), "6"), ((1.0, -1.0), "0"), ((0.0, 0.0), "0")]
)
def test_weights_that_do_not_fit_the_pictures(comfy, images, total):
    said = rf"^{len(images)} image weights with the sum {total} were given for 2 pictures; give one number for each"
    with pytest.raises(ValueError, match=said):
        biased(FAMILY.model(), pictures(2), images=images)


def test_other_models_when_the_node_runs(comfy):
    model = FAMILY.model().clone()
    model.add_object_patch("diffusion_model", torch.nn.Identity())
    with pytest.raises(ValueError, match=r"^The features cannot be reached in a model of the kind Identity: "):
        biased(model, pictures())


@pytest.mark.parametrize("family", ["flux", "wan"])
def test_sites_of_a_unet_in_a_transformer(comfy, family):
    with pytest.raises(ValueError, match=r"^'in\.1:0\.4' is no site of this model; it has double\.0-1"):
        biased(FAMILIES[family].model(), pictures())


def test_the_text_of_a_prompt_that_is_not_there(comfy):
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import BasicGuider, Noise_RandomNoise, SamplerCustomAdvanced

    patched = biased(FAMILY.model(), pictures(), text="negative")
    guider = BasicGuider.execute(patched, FAMILY.conditioning()).result[0]
    given = Noise_RandomNoise(1), guider, comfy.samplers.sampler_object("euler"), torch.tensor([9.0, 0.0])
    said = r"^Infusion Bias: There is no negative prompt to record the biasing pictures with; choose another text\.$"
    with pytest.raises(ValueError, match=said):
        SamplerCustomAdvanced.execute(*given, {"samples": FAMILY.latent()})
    with pytest.raises(ValueError, match=said):
        sample(patched, FAMILY.latent(), FAMILY.conditioning(), [], cfg=1.0)


def test_context_windows(comfy):
    patched = biased(FAMILY.model(), pictures())
    patched.model_options["context_handler"] = object()
    refused(patched, r"^Infusion Bias: It cannot work in context windows; remove the context window node\.$")


@pytest.mark.parametrize("mix", ["add", "share"])
def test_several_gpus(comfy, mix):
    """As after MultiGPU CFG Split, when the host has placed a copy of the model on each of them."""
    refused(
        biased(several_gpus(FAMILY.model()), pictures(), sites={}, preset="all", mix=mix),
        r"^Infusion Bias: It cannot work where several GPUs share the steps; remove MultiGPU CFG Split\.$",
    )


def several_gpus(model):
    from comfy.patcher_extension import WrappersMP

    def sample(executor, *args, **kwargs):
        executor.class_obj.model_options["multigpu_clones"] = {}
        return executor(*args, **kwargs)

    patched = model.clone()
    patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, "gpus", sample)
    return patched
