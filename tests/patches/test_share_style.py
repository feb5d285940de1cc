"""The knob between copying and style: keys of other pictures, whose rotations by place are weakened or strengthened."""

from __future__ import annotations

import pytest
import torch
from pack.tests.patches import test_share_families as every
from pack.tests.patches.infusing_tokens import FAMILIES
from pack.tests.patches.sharing import shared
from pack.tests.patches.test_infuse_tokens import draw, known, pictures  # noqa: F401
from pack.tests.patches.test_share_tokens import same
from torch import Tensor

ROTATED = ["flux", "flux2_klein", "chroma", "chroma_radiance", "qwen_image", "lumina2", "z_image", "wan", "wan_animate"]
ROTATED += ["wan_s2v", "lens", "mage_flow", "kandinsky5", "krea2", "omnigen2", "boogu", "hidream", "hunyuan_video"]
family = every.family
EQUAL = ["flux", "flux2", "qwen_image", "lumina2", "z_image", "wan", "kandinsky5"]


def turns(family, monkeypatch) -> tuple[Tensor, Tensor]:
    """By how much each pair of a key's channels is turned from a place to the next down, and to the next on the right.

    In the first layer of a picture that is the same everywhere.
    """
    from pack.patches.share import Sharing

    seen, kept = [], Sharing._kept

    def watched(self, site, area, q, k, v):
        seen.append((site, k))
        return kept(self, site, area, q, k, v)

    with monkeypatch.context() as here:
        here.setattr(Sharing, "_kept", watched)
        grey = torch.full_like(every.pictures(family), 0.5)
        every.draw(shared(family.model(), grey, input="clean", style=0.5), family)
    site, k = seen[0]
    keys = torch.view_as_complex(k[0, 0].float().unflatten(1, (-1, 2)).contiguous()).unflatten(0, (-1, *site.grid))[0]
    return tuple((keys[place] * keys[0, 0].conj()).angle().abs() for place in ((1, 0), (0, 1)))


@pytest.mark.parametrize("name", ROTATED)
def test_the_axes_are_those_that_the_model_rotates(family, monkeypatch):
    """Height turns the second axis' pairs alone and width the third's, the first of them the fastest."""
    from pack.patches.models.layers import rotated

    axes = rotated(family.model().get_model_object("diffusion_model"))
    for axis, turned in zip((1, 2), turns(family, monkeypatch), strict=True):
        parts = turned.split([channels // 2 for channels in axes])
        assert (parts[axis].diff() < 0).all() and parts[axis][0] > 0.1
        assert all(part.max() < 1e-3 for number, part in enumerate(parts) if number != axis)


def test_the_fast_rotations_go_down_and_the_slow_ones_up():
    from pack.attention.sharing import frequencies

    found = frequencies((4, 6, 8), 0.5)
    height, width = (0.5, 1.0, 1.5), (0.5, 5 / 6, 7 / 6, 1.5)
    assert torch.allclose(found, torch.tensor([1.0] * 4 + [f for f in (*height, *width) for _ in range(2)]))
    assert torch.equal(frequencies((4, 6, 8), 0.0), torch.ones(18))
    assert torch.allclose(frequencies((4, 6, 8), -0.5) + found, torch.full((18,), 2.0))


@pytest.mark.parametrize("name", EQUAL)
@pytest.mark.parametrize("style", [-0.5, 1.0])
def test_keys_of_the_pictures_are_scaled_by_it(comfy, name, style):
    from pack.attention.sharing import frequencies
    from pack.patches.models.layers import rotated

    axes = rotated(FAMILIES[name].model().get_model_object("diffusion_model"))
    same(name, factors=frequencies(axes, style), style=style)


def test_it_acts_beside_pictures_that_stand_apart(comfy):
    model, samples = FAMILIES["flux"].model(), pictures("flux")
    outs = [draw(shared(model, samples, apart=apart, style=style), "flux") for apart in (0, 1) for style in (-1, 0, 1)]
    assert not [(i, j) for i, a in enumerate(outs) for j, b in enumerate(outs[:i]) if torch.equal(a, b)]
    assert torch.equal(outs[1], draw(shared(model, samples), "flux"))
