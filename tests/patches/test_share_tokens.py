"""The mix 'share' in transformers whose text and picture meet in one attention: the picture alone sees the pictures."""

from __future__ import annotations

import pytest
import torch
from pack.tests.patches.infusing import close
from pack.tests.patches.infusing_tokens import FAMILIES, NEW, ByHand
from pack.tests.patches.sharing import heads, noise, shared
from pack.tests.patches.test_infuse_tokens import draw, known, pictures  # noqa: F401
from torch import Tensor

JOINT = ["flux", "chroma", "qwen_image", "sd3", "sd35", "lumina2", "z_image", "flux2", "mage_flow"]
"""Their picture's tokens come last, but for Lens, in every call that holds the text's too."""


class Explicit(ByHand):
    """Has every joint attention written out: first of the pictures, one by one, then of the real call."""

    def __init__(self, samples: Tensor, weight: float, tokens: int) -> None:
        self.samples, self.weight, self.tokens = samples, weight, tokens

    def _act(self, apply_model, args):
        t, c = args["timestep"], args["c"]
        z = self.base.process_latent_in(self.samples)
        z = self.base.model_sampling.noise_scaling(t[:1], noise(self.samples), z)
        self.seen = [[] for _ in z]
        for picture, kept in zip(z, self.seen, strict=True):
            options = {"optimized_attention_override": lambda *a, kept=kept, **k: self.attend(kept, True, *a, **k)}
            self.base.apply_model(picture[None], t[:1], transformer_options=options, **self.given)
        left = list(zip(*self.seen, strict=True))[::-1]
        options = {**c["transformer_options"]}
        options["optimized_attention_override"] = lambda *a, **k: self.attend(left, False, *a, **k)
        return apply_model(args["input"], t, **{**c, "transformer_options": options})

    def attend(self, kept: list, recording: bool, func, q, k, v, *rest, **given):
        """Text tokens stand before the picture's."""
        out, count = func(q, k, v, *rest, **given), rest[0] if rest else given["heads"]
        if given.get("skip_reshape"):
            parts = [tokens.double() for tokens in (q, k, v)]
        else:
            parts = [heads(tokens, count) for tokens in (q, k, v)]
        if parts[0].shape[2] <= self.tokens:
            return out
        if recording:
            kept.append([part[:, :, -self.tokens :] for part in parts])
            return out
        q, k, v = parts
        others = [torch.cat([picture[i] for picture in kept_layer], 2) for kept_layer in [kept.pop()] for i in (1, 2)]
        k2, v2 = (
            torch.cat([own, more.expand(len(own), -1, -1, -1)], 2) for own, more in zip((k, v), others, strict=True)
        )
        logits = torch.einsum("bhqd,bhkd->bhqk", q[:, :, -self.tokens :], k2) * q.shape[-1] ** -0.5
        odds = logits.exp()
        odds[..., k.shape[2] :] *= self.weight / len(self.samples)
        mine = (odds / odds.sum(-1, keepdim=True)) @ v2
        if given.get("skip_output_reshape"):
            return torch.cat([out[:, :, : -self.tokens], mine.to(out)], 2)
        return torch.cat([out[:, : -self.tokens], mine.transpose(1, 2).flatten(2).to(out)], 1)


@pytest.mark.parametrize("name", JOINT)
def test_every_joint_family(comfy, name):
    if name in NEW and not FAMILIES[name].known:
        pytest.skip(f"this ComfyUI has no {FAMILIES[name].config}")
    model, samples = FAMILIES[name].model(), pictures(name)
    tokens = 1
    for side in samples.shape[-2:]:
        tokens *= -(-side // FAMILIES[name].patch)
    explicit = Explicit(samples, 2.0, tokens).on(model, lambda patched: draw(patched, name))
    ours = draw(shared(model, samples), name)
    plain = draw(model, name)
    assert close(ours, draw(explicit, name), plain, 2e-5), (ours - draw(explicit, name)).abs().max() / plain.abs().max()
