"""RegionAttention equals an explicit softmax(a + ratio * std(a) * W) V: backends, sizes, lengths, dtypes."""

import pytest
import torch
from pack.tests import tiny_build, tiny_unet
from pack.tests.noise import rms, within
from pack.tests.patches.placing import PROMPT, Explicit, Told, close, far, left, place, region
from pack.tests.tiny_models import FAMILIES, sample

BACKENDS = ["basic", "split", "sub_quad", "pytorch"]


def on_backend(model, name, calls):
    """As another pack would: an override set on the MODEL, before our node. Notes (keys, whether masked)."""
    import comfy.ldm.modules.attention as host

    def override(func, q, k, v, *args, **kwargs):
        calls.append((k.shape[1], kwargs.get("mask") is not None))
        return getattr(host, f"attention_{name}")(q, k, v, *args, **kwargs)

    patched = model.clone()
    patched.model_options["transformer_options"]["optimized_attention_override"] = override
    return patched


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_with_prompts_of_77_154_and_231_tokens_in_one_batch(comfy, backend):
    """Seven words of one text, and the last words of the two long ones; the negative holds the phrase and stays."""
    family, calls = FAMILIES["sd1"], []
    short, long, longest = family.conditioning(PROMPT), far("sd1", 154), far("sd1", 231)
    positive, negative = [*short, *long, *longest], family.conditioning("blurry red dog")
    second = left(33, 50, 0.7)
    told = [Told(short[0][0], [(left(), (2, 3), 1.0, 0.3)])]
    for text, rows in ((long, (150, 151)), (longest, (227, 228))):
        told.append(Told(text[0][0], [(second, rows, 0.6, 0.1)]))
    model, latent = on_backend(family.model(), backend, calls), family.latent(1, 17, 13)
    plain = sample(model, latent, positive, negative)
    explicit = sample(Explicit(*told).on(model), latent, positive, negative)
    assert not any(masked for _, masked in calls)
    patched = place(model, region("red dog"), region("green bird", second, 0.6, 0.1))
    assert close(sample(patched, latent, positive, negative), explicit, plain)
    assert {keys for keys, masked in calls if masked} == {462}


@pytest.mark.parametrize(
    ("name", "batch", "size", "cfg"),
    [("sdxl", 2, (19, 13), 3.0), ("sdxl", 1, (13, 19), 1.0), ("sd2_v", 1, (11, 15), 3.0), ("sd15", 4, (9, 18), 3.0)],
)
def test_every_unet_family_at_odd_sizes(comfy, name, batch, size, cfg):
    """832x1216 is 13:19; v-prediction; batch 4; CFG 1 without a negative."""
    family = FAMILIES[name]
    positive, negative, latent = family.conditioning(), family.conditioning("blurry"), family.latent(batch, *size)
    soft = torch.rand(1, 30, 21, generator=torch.Generator().manual_seed(3))
    told = Told(positive[0][0], [(left(), (2, 3), 1.0, 0.3), (soft, (7,), 0.0, 0.5)])
    patched = place(family.model(), region(), region("cat", soft, 0.0, 0.5))
    plain = sample(family.model(), latent, positive, negative, cfg=cfg)
    explicit = sample(Explicit(told).on(family.model()), latent, positive, negative, cfg=cfg)
    assert close(sample(patched, latent, positive, negative, cfg=cfg), explicit, plain)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_close_to_float32(comfy, dtype):
    """As close as the model without regions is."""
    from comfy.supported_models import SD15

    family = FAMILIES["sd1"]
    positive, negative, latent = family.conditioning(), family.conditioning("blurry"), family.latent(1, 8, 8)
    model, seen = tiny_build.build(SD15, tiny_unet.FORM, num_heads=4), []
    outs = []
    for compute in (None, dtype):
        model = model.clone()
        model.set_model_compute_dtype(compute)
        model.set_model_attn2_patch(lambda n, context, value, options: (seen.append(n.dtype), (n, context, value))[1])
        outs += [sample(m, latent, positive, negative) for m in (model, place(model, region()))]
    plain_exact, exact, plain, half = outs
    noise = rms(plain - plain_exact)
    assert dtype in seen and within(half, exact, noise) and not within(plain, exact, noise)
