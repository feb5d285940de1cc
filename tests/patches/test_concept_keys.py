"""Concepts that act by attention: equal to the plain computation, exact where off, and no row of the model."""

import logging

import pytest
import torch
from pack.tests import tiny_adapter
from pack.tests.patches.beside import state
from pack.tests.patches.guiding import SD1, Rows, concept, edit, guided, paint
from pack.tests.patches.placing import place, region
from pack.tests.tiny_models import FAMILIES


def inside(text="a green beach", family=SD1, **options):
    return concept(text, family, how="attention", **options)


class Plain:
    """z + strength (z_c - z_0) in every attn2, each attention by hand, for the positive half of a batch [+, -]."""

    def __init__(self, text, neutral, strength, share=None):
        self.text, self.neutral, self.strength, self.share = text[0][0], neutral[0][0], strength, share

    def on(self, model):
        patched = model.clone()
        network = patched.get_model_object("diffusion_model")
        for name, module in network.named_modules():
            if name.endswith("attn2"):
                patched.add_object_patch(f"diffusion_model.{name}.forward", self._forward(module))
        return patched

    def _forward(self, module):
        def attend(x, text):
            q, k, v = module.to_q(x), module.to_k(text), module.to_v(text)
            q, k, v = (t.unflatten(2, (module.heads, -1)).transpose(1, 2) for t in (q, k, v))
            return torch.nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

        def forward(x, context=None, value=None, mask=None, transformer_options=None):
            out = attend(x, context)
            size = len(x) // len(transformer_options["cond_or_uncond"])
            for i, side in enumerate(transformer_options["cond_or_uncond"]):
                at = slice(i * size, (i + 1) * size)
                if side == 0:
                    d = [attend(x[at], t.to(x).expand(size, -1, -1)) for t in (self.text, self.neutral)]
                    z = out[at] + self.strength * self._share(x) * (d[0] - d[1])
                    grown = (z.abs().sum(-1, True) / out[at].abs().sum(-1, True)).clamp(min=2.5)
                    out[at] = z * 2.5 / grown
            return module.to_out(out)

        return forward

    def _share(self, x):
        if self.share is None:
            return 1.0
        side = int(x.shape[1] ** 0.5)
        return torch.nn.functional.interpolate(self.share[:, None], (side, side), mode="area").flatten(2).mT


LEFT = torch.zeros(1, 16, 16)
LEFT[..., :8] = 1.0


@pytest.mark.parametrize("name", ["sd1", "sdxl"])
@pytest.mark.parametrize("how", [{}, {"cfg": 1.0}, {"batch": 2}])
def test_as_the_plain_computation(comfy, name, how):
    family = FAMILIES[name]
    plain = Plain(family.conditioning("a green beach"), family.conditioning("blurry"), 2.0)
    explicit, base = paint(plain.on(family.model()), family, **how), paint(family.model(), family, **how)
    ours = paint(edit(family.model(), inside(family=family, scale=10.0)), family, **how)
    assert (explicit - base).abs().max() > 1e-2 * explicit.abs().max()
    assert (ours - explicit).abs().max() < 1e-4 * explicit.abs().max()


def test_under_a_mask_with_a_weight(comfy):
    plain = Plain(SD1.conditioning("a green beach"), SD1.conditioning("blurry"), 0.5, LEFT)
    explicit, ours = paint(plain.on(SD1.model())), paint(edit(SD1.model(), inside(mask=LEFT, weight=0.5)))
    assert (ours - explicit).abs().max() < 1e-4 * explicit.abs().max()
    assert not torch.equal(ours, paint(edit(SD1.model(), inside(weight=0.5))))


def test_no_row_of_the_model(comfy):
    for cfg, chunks in ((3.0, 2), (1.0, 1)):
        rows = Rows()
        out = paint(edit(rows.on(SD1.model()), inside(), inside("at night", remove=True)), cfg=cfg)
        assert rows.chunks == [chunks] * 4 and not torch.equal(out, paint(SD1.model(), cfg=cfg))


OFF = {
    "scale 0": {"scale": 0.0},
    "weight 0": {"weight": 0.0},
    "a black mask": {"mask": torch.zeros(1, 8, 8)},
    "a window between two steps": {"start": 0.5, "end": 0.501},
}


@pytest.mark.parametrize("name", OFF)
def test_off_is_exact(comfy, name):
    assert torch.equal(paint(edit(SD1.model(), inside(**OFF[name]))), paint(SD1.model()))
    beside = edit(SD1.model(), concept(), inside(**OFF[name]))
    assert torch.equal(paint(beside), paint(edit(SD1.model(), concept())))


def test_a_removed_text_that_the_prompt_does_not_hold(comfy):
    """Equal to the neutral text, it has no direction."""
    assert torch.equal(paint(edit(SD1.model(), inside("blurry", remove=True))), paint(SD1.model()))


def test_a_picture_does_not_depend_on_its_neighbours(comfy):
    patched = edit(SD1.model(), inside(mask=LEFT), inside("at night", remove=True))
    pair, one = paint(patched, batch=2), paint(patched)
    assert torch.allclose(pair[:1], one, atol=1e-4)


def test_nothing_is_changed_and_a_second_run_is_equal(comfy):
    model = SD1.model()
    before = state(model)
    patched, maps = guided(model, inside(start=0.3))
    placed, out = state(patched), paint(patched)
    assert torch.equal(paint(patched), out) and state(model) == before and state(patched) == placed
    assert not maps.runs[0].sigmas and not maps.runs[0].maps.any()


@pytest.mark.parametrize("text", ["a green beach", "a long green beach by the sea"])
def test_beside_regions_in_any_order(comfy, text):
    one = place(edit(SD1.model(), inside(text)), region("dog"))
    other = edit(place(SD1.model(), region("dog")), inside(text))
    assert torch.equal(paint(one), paint(other))
    assert not torch.equal(paint(one), paint(edit(SD1.model(), inside(text))))
    assert not torch.equal(paint(one), paint(place(SD1.model(), region("dog"))))


def test_beside_an_ip_adapter(comfy):
    family = FAMILIES["sd15"]
    alone = tiny_adapter.double(family.model())
    ours = paint(edit(alone, inside(family=family)), family)
    assert ours.isfinite().all() and not torch.equal(ours, paint(alone, family))
    nothing = tiny_adapter.double(family.model(), weight=0.0)
    other = paint(edit(family.model(), inside(family=family)), family)
    through = paint(edit(nothing, inside(family=family)), family)
    assert (through - other).abs().max() < 1e-4 * other.abs().max()


def test_removal_needs_a_negative_prompt(comfy):
    from comfy_extras.nodes_custom_sampler import BasicGuider

    def draw(*concepts):
        import comfy.samplers

        guider = BasicGuider.execute(edit(SD1.model(), *concepts), SD1.conditioning()).result[0]
        sampler, sigmas = comfy.samplers.sampler_object("euler"), torch.tensor([5.0, 1.0, 0.0])
        noise = torch.randn(1, 4, 16, 16, generator=torch.manual_seed(1))
        return guider.sample(noise, torch.zeros_like(noise), sampler, sigmas, disable_pbar=True, seed=1)

    with pytest.raises(ValueError, match="Semantic Guidance: To remove a concept by attention it is measured"):
        draw(inside(remove=True))
    assert not torch.equal(draw(inside()), draw())


def test_settings_that_do_not_apply_are_said(comfy, caplog):
    with caplog.at_level(logging.WARNING):
        paint(edit(SD1.model(), inside(), mask="none"))
    assert "All concepts act by attention, where mask_mode" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        paint(edit(SD1.model(), inside()))
        paint(edit(SD1.model(), inside(), concept(), mask="none"))
    assert "by attention" not in caplog.text
