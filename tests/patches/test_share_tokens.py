"""The mix 'share' in transformers: the picture alone sees the pictures, not the text in the same attention."""

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
ALONE = ["wan", "cosmos_predict2", "anima", "ltxv", "kandinsky5", "kandinsky5_image"]
"""Their picture looks at itself in an attention of its own."""
MOVED = ["flux", "flux2", "lumina2", "z_image", "wan"]


class Explicit(ByHand):
    """Has every attention of the picture written out: first of the pictures, one by one, then of the real call."""

    def __init__(self, name: str, samples: Tensor, weight: float, apart: float = 0.0, factors=None) -> None:
        """factors: (D,) of the pictures' keys."""
        self.samples, self.weight, self.alone, self.factors = samples, weight, name in ALONE, factors
        height, width = (-(-side // FAMILIES[name].patch) for side in samples.shape[-2:])
        self.tokens, self.shift = height * width, apart * width

    def _act(self, apply_model, args):
        t, c = args["timestep"], args["c"]
        z = self.base.process_latent_in(self.samples)
        z = self.base.model_sampling.noise_scaling(t[:1], noise(self.samples), z)
        self.seen = [[] for _ in z]
        for picture, kept in zip(z, self.seen, strict=True):
            options = {"optimized_attention_override": lambda *a, kept=kept, **k: self.attend(kept, True, *a, **k)}
            options |= {"rope_options": self.rope(c["transformer_options"])} if self.shift else {}
            self.base.apply_model(picture[None], t[:1], transformer_options=options, **self.given)
        left = list(zip(*self.seen, strict=True))[::-1]
        options = {**c["transformer_options"]}
        options["optimized_attention_override"] = lambda *a, **k: self.attend(left, False, *a, **k)
        return apply_model(args["input"], t, **{**c, "transformer_options": options})

    def rope(self, options: dict) -> dict:
        theirs = {"scale_x": 1.0, "shift_x": 0.0, **options.get("rope_options", {})}
        return {**theirs, "shift_x": theirs["shift_x"] + theirs["scale_x"] * self.shift}

    def attend(self, kept: list, recording: bool, func, q, k, v, *rest, **given):
        """Text tokens stand before the picture's."""
        out, count = func(q, k, v, *rest, **given), rest[0] if rest else given["heads"]
        if given.get("skip_reshape"):
            parts = [tokens.double() for tokens in (q, k, v)]
        else:
            parts = [heads(tokens, count) for tokens in (q, k, v)]
        queries, keys = (part.shape[2] for part in parts[:2])
        if (queries, keys) != (self.tokens, self.tokens) if self.alone else queries <= self.tokens:
            return out
        if recording:
            kept.append([part[:, :, -self.tokens :] for part in parts])
            kept[-1][1] = kept[-1][1] * (1.0 if self.factors is None else self.factors)
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


def same(name, apart=0.0, model=None, factors=None, **settings):
    """Ours equals the reference."""
    model, samples = model or FAMILIES[name].model(), pictures(name)
    explicit = draw(Explicit(name, samples, 2.0, apart, factors).on(model, lambda patched: draw(patched, name)), name)
    ours, plain = draw(shared(model, samples, apart=apart, **settings), name), draw(model, name)
    assert close(ours, explicit, plain, 2e-5), (ours - explicit).abs().max() / plain.abs().max()


@pytest.mark.parametrize("name", JOINT + ALONE)
def test_every_family(comfy, name):
    if name in NEW and not FAMILIES[name].known:
        pytest.skip(f"this ComfyUI has no {FAMILIES[name].config}")
    same(name)


@pytest.mark.parametrize("name", MOVED)
def test_pictures_beside_the_one_that_is_made(comfy, name):
    """Their positions are moved as the host moves them; that makes another picture."""
    if name in NEW and not FAMILIES[name].known:
        pytest.skip(f"this ComfyUI has no {FAMILIES[name].config}")
    same(name, apart=1.0)
    model, samples = FAMILIES[name].model(), pictures(name)
    above, beside = (draw(shared(model, samples, apart=apart), name) for apart in (0.0, 1.0))
    assert (above - beside).abs().max() > 1e-2 * (draw(model, name) - above).abs().max()


def test_positions_that_another_node_moved(comfy):
    """ScaleROPE's stay, and a width is as wide as it makes it."""
    patched = FAMILIES["flux"].model().clone()
    patched.set_model_rope_options(2.0, 3.0, 1.0, 0.0, 1.0, 0.0)
    same("flux", apart=0.5, model=patched)


@pytest.mark.parametrize("name", ["wan", "flux"])
def test_without_a_mask_one_row_of_logits_serves_all_places(comfy, monkeypatch, name):
    """Where the picture looks at itself alone; where the text stands in the same call, it must not look."""
    from pack.patches.share import Sharing

    shapes, logits = [], Sharing._logits
    monkeypatch.setattr(Sharing, "_logits", lambda *given: shapes.append(logits(*given)) or shapes[-1])
    draw(shared(FAMILIES[name].model(), pictures(name)), name)
    assert {tuple(one.shape[2:]) for one in shapes} == ({(1, 128)} if name == "wan" else {(64 + 12, 128)})
