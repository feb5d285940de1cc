"""TinyScenes through the host: ordinary objects, the same picture every time, and the picture that was asked for."""

import pytest
import torch


@pytest.fixture(scope="module")
def loaded(comfy):
    from pack.demo.model import load

    return load()


def paint(loaded, text, seed=3, **kwargs):
    from pack.bench.paint import encode, paint

    model, clip, vae = loaded
    return paint(model, vae, encode(clip, [text]), encode(clip, [""]), [seed], **kwargs)


def test_it_is_made_of_the_host_s_own_classes(loaded):
    import comfy.sd
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
    from comfy.model_base import BaseModel
    from comfy.model_patcher import ModelPatcher

    model, clip, vae = loaded
    assert isinstance(model, ModelPatcher) and type(model.model) is BaseModel
    assert type(model.model.diffusion_model) is UNetModel
    assert type(clip) is comfy.sd.CLIP and type(vae) is comfy.sd.VAE
    assert model.model.latent_format.scale_factor == 0.18215 and model.model.latent_format.latent_channels == 4


def test_text_is_clip_s_77_tokens_and_unknown_words_share_one_row(loaded):
    _, clip, _ = loaded
    text, options = clip.encode_from_tokens_scheduled(clip.tokenize("a red star"))[0]
    assert text.shape == (1, 77, 128) and options["pooled_output"].shape == (1, 128)
    table = clip.cond_stage_model.clip_l.transformer.get_input_embeddings().weight
    assert torch.equal(table[1], table[2])  # "!" and '"', which captions do not use
    red, blue = (clip.tokenize(word)["l"][0][1][0] for word in ("red", "blue"))
    assert not torch.equal(table[red], table[blue])
    assert clip.encode_from_tokens(clip.tokenize("a red star " * 40)).shape == (1, 154, 128)


def test_the_autoencoder_gives_a_picture_back(loaded):
    from pack.demo.scenes import Scene, Thing, render

    _, _, vae = loaded
    picture = torch.from_numpy(render(Scene((Thing("cross", "blue", False, 60, 60, 30),), "beach", ""))[0])[None]
    latent = vae.encode(picture)
    assert latent.shape == (1, 4, 16, 16) and 0.3 < (latent * 0.18215).std() < 3
    assert -10 * (vae.decode(latent) - picture).pow(2).mean().log10() > 28
    assert vae.decode(torch.zeros(2, 4, 17, 13)).shape == (2, 136, 104, 3)


def test_a_second_run_and_a_second_load_equal_the_first(loaded):
    from pack.demo.model import load

    first = paint(loaded, "a red star on a beach", steps=4)
    assert torch.equal(first, paint(loaded, "a red star on a beach", steps=4))
    assert torch.equal(first, paint(load(), "a red star on a beach", steps=4))
    assert not torch.equal(first, paint(loaded, "a blue ring in the snow", steps=4))


def test_it_paints_what_is_asked(loaded):
    from pack.demo import judge

    picture = paint(loaded, "a red circle on grass")
    (reading,) = judge.read(judge.load(), picture)
    assert reading.background == "grass" and reading.has("circle", "red")
    (reading,) = judge.read(judge.load(), paint(loaded, "a yellow square in the night sky in fog"))
    assert reading.style == "in fog" and reading.has("square", "yellow")


@pytest.mark.parametrize("sampler", ["euler", "heun", "dpmpp_2m_sde", "uni_pc"])
def test_any_sampler_runs(loaded, sampler):
    import comfy.sample
    from pack.bench.paint import encode

    model, clip, _ = loaded
    latent = torch.zeros(1, 4, 16, 13)
    noise = comfy.sample.prepare_noise(latent, 1)
    texts = encode(clip, ["a red circle"]), encode(clip, [""])
    out = comfy.sample.sample(model, noise, 3, 5.0, sampler, "normal", *texts, latent, seed=1, disable_pbar=True)
    assert out.shape == latent.shape and out.isfinite().all()
