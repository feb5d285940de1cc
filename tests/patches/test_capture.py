"""AttentionCapture on the host: pictures stay, and maps equal those that an explicit reading of the attention finds."""

import pytest
import torch
from pack.tests.patches.placing import far
from pack.tests.patches.seeing import FAMILY, ROWS, agree, capture, read, seen, texts
from pack.tests.tiny_models import FAMILIES, sample


def test_the_picture_is_the_same_and_the_model_untouched(comfy):
    import copy

    positive, negative = texts()
    model, latent = FAMILY.model().clone(), FAMILY.latent(2, 17, 13)
    before = copy.deepcopy(model.model_options)
    plain = sample(model, latent, positive, negative)
    patched, maps = capture(model, "red dog", self_attention=True)
    second, more = capture(patched, "cat")
    assert torch.equal(sample(second, latent, positive, negative), plain)
    assert len(maps.runs) == len(more.runs) == 1 and torch.equal(maps.runs[0].samples, plain)
    assert torch.equal(sample(model, latent, positive, negative), plain)
    assert len(maps.runs) == 1 and model.model_options == before and not any(model.wrappers.values())


def test_77_and_154_tokens_in_one_batch_at_an_odd_size(comfy):
    short, long, latent = FAMILY.conditioning(), far("sd1", 154), FAMILY.latent(3, 17, 13)
    positive, negative = [*short, *long], texts()[1]
    captured = seen(FAMILY.model(), latent, positive, negative, "red dog", "green bird")
    assert captured.words == ("red dog", "green bird", "red", "dog", "blue", "cat", "green", "bird")
    assert captured.others == {"red dog": ("blue", "cat"), "green bird": ()}
    given = (FAMILY.model(), latent, positive, negative)
    reader = read(short[0][0], ROWS, *given)
    assert all(agree(captured, word, reader) for word in ROWS)
    assert agree(captured, "green bird", read(long[0][0], {"green bird": (150, 151)}, *given))
    assert next(iter(captured.layers.values())).shape == (3, 8, 17, 13)


@pytest.mark.parametrize(("name", "size"), [("sdxl", (19, 13)), ("sd2_v", (11, 15)), ("sd15", (9, 18))])
def test_every_unet_family(comfy, name, size):
    family = FAMILIES[name]
    positive, negative, latent = family.conditioning(), family.conditioning("blurry"), family.latent(1, *size)
    captured = seen(family.model(), latent, positive, negative, "red dog")
    assert agree(captured, "red dog", read(positive[0][0], ROWS, family.model(), latent, positive, negative))


@pytest.mark.parametrize("name", ["wan", "flux", "sd3", "z_image"])
def test_transformers_have_maps_of_their_grid(comfy, name):
    family = FAMILIES[name]
    positive, negative = family.conditioning(), family.conditioning("blurry")
    latent = family.latent(2, 10, 14)
    captured = seen(family.model(), latent, positive, negative, "red dog", "cat")
    assert captured.layers and captured.samples.shape == latent.shape
    for layer in captured.layers.values():
        assert layer.shape == (2, len(captured.words), 5, 7) and (layer > 0).all() and (layer < 1).all()


def test_an_item_does_not_depend_on_its_neighbours(comfy):
    import comfy.sample

    noise = torch.randn(3, 4, 17, 13, generator=torch.Generator().manual_seed(1))

    def run(noise):
        patched, maps = capture(FAMILY.model(), "red dog", self_attention=True)
        given = (patched, noise, 2, 3.0, "euler", "normal", *texts(), torch.zeros_like(noise))
        comfy.sample.sample(*given, seed=1, disable_pbar=True)
        return maps.runs[0]

    together = run(noise)
    for i in range(3):
        alone = run(noise[i : i + 1])
        torch.testing.assert_close(together.self_attention[i], alone.self_attention[0], rtol=1e-4, atol=1e-6)
        for block, layer in alone.layers.items():
            torch.testing.assert_close(together.layers[block][i], layer[0], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("start", "end", "steps"), [(0.0, 1.0, 5), (0.5, 1.0, 3), (0.2, 0.7, 2), (0.0, 0.3, 2)])
def test_only_steps_inside_the_window(comfy, start, end, steps):
    from pack.patches.run.window import Window

    (positive, negative), latent = texts(), FAMILY.latent(1, 8, 8)
    sampling = FAMILY.model().get_model_object("model_sampling")
    between = tuple(float(sampling.percent_to_sigma(percent)) for percent in (end, start))
    captured = seen(FAMILY.model(), latent, positive, negative, "cat", steps=5, window=Window(start, end))
    reader = read(positive[0][0], ROWS, FAMILY.model(), latent, positive, negative, steps=5, sigmas=between)
    assert len(reader.seen["mid.0", "cat"]) == steps
    assert agree(captured, "cat", reader)


def test_blocks(comfy):
    (positive, negative), latent = texts(), FAMILY.latent(1, 8, 8)
    whole = seen(FAMILY.model(), latent, positive, negative, "cat")
    some = seen(FAMILY.model(), latent, positive, negative, "cat", blocks="mid, out.2-3")
    assert set(some.layers) == {"mid.0", "out.2", "out.3"} < set(whole.layers)
    assert all(torch.equal(layer, whole.layers[block]) for block, layer in some.layers.items())


def test_self_attention_is_that_of_the_finest_grid(comfy):
    found = []

    def attend(q, k, v, extra_options):
        import comfy.ldm.modules.attention as host

        if q.shape[1] == 16 * 12:
            heads = [t.unflatten(2, (extra_options["n_heads"], -1)).transpose(1, 2).double() for t in (q, k)]
            rows = 0 if extra_options["cond_or_uncond"][0] == 0 else 1
            found.append((heads[0] @ heads[1].mT / heads[0].shape[3] ** 0.5).softmax(-1).mean(1)[rows::2][:1])
        return host.optimized_attention(q, k, v, extra_options["n_heads"])

    reader, (positive, negative) = FAMILY.model().clone(), texts()
    for kind, number in [("input", 1), ("output", 2), ("output", 3)]:
        reader.set_model_attn1_replace(attend, kind, number)
    latent = FAMILY.latent(1, 16, 12)
    sample(reader, latent, positive, negative)
    captured = seen(FAMILY.model(), latent, positive, negative, "cat", self_attention=True)
    assert captured.self_grid == (16, 12) and captured.self_attention.shape == (1, 192, 192)
    torch.testing.assert_close(captured.self_attention.sum(-1), torch.ones(1, 192))
    torch.testing.assert_close(captured.self_attention, torch.stack(found).mean(0).float(), rtol=1e-4, atol=1e-7)
    without = seen(FAMILY.model(), latent, positive, negative, "cat")
    assert without.self_attention is None and captured.refinable and not without.refinable


def test_phrases_compete_unless_they_share_a_word(comfy):
    (positive, negative), latent = texts(), FAMILY.latent(1, 8, 8)
    captured = seen(FAMILY.model(), latent, positive, negative, "red dog", "dog", "cat", steps=1)
    assert captured.rivals == {"red dog": ("cat",), "dog": ("cat",), "cat": ("red dog", "dog")}
