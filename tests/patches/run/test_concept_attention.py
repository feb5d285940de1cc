"""LEDITS++ masks (SOURCES 2.7): attention of the edit's words AND the largest of the edit, recomputed by hand."""

import math

import pytest
import torch
from pack.tests.attending import Own
from pack.tests.patches.guiding import SD1, Watch, concept, edit, guided, paint
from pack.tests.patches.seeing import Reader
from pack.tests.tiny_models import FAMILIES

WORDS = {"edit": (1, 2, 3)}
"""Rows of 'a green beach'."""


def smoothed(picture):
    """(h, w): every cell from its nine neighbours, cell by cell; behind the edge the picture is mirrored."""
    height, width = picture.shape
    weights = {(y, x): math.exp(-(y * y)) * math.exp(-(x * x)) for y in (-1, 0, 1) for x in (-1, 0, 1)}
    out = torch.zeros_like(picture)
    for i in range(height):
        for j in range(width):
            for (y, x), weight in weights.items():
                a, b = abs(i + y), abs(j + x)
                a, b = min(a, 2 * (height - 1) - a), min(b, 2 * (width - 1) - b)
                out[i, j] += weight / sum(weights.values()) * picture[a, b]
    return out


def explicit(attention, psi, threshold):
    """(1, 1, h, w) bool M1 and M2. attention: (h', w'), psi: (1, C, h, w)."""
    smooth = smoothed(attention.double())
    first = (smooth >= torch.quantile(smooth.flatten(), threshold)).double()[None, None]
    size = psi.double().abs().sum(1, keepdim=True)
    second = size >= torch.quantile(size.flatten(), threshold)
    return torch.nn.functional.interpolate(first, psi.shape[-2:], mode="nearest").bool(), second


def run_watched(reader, size, threshold=0.7, family=SD1):
    """Differences and edits of every step, and what the reader read in the concept's rows, step by step."""
    watch, steps = Watch(), []

    def node(model):
        return edit(model, concept(family=family, threshold=threshold), mask="ledits")

    def note(args):
        steps.append({key: list(value) for key, value in reader.seen.items()} if isinstance(reader.seen, dict) else [])
        reader.seen.clear()
        return args["denoised"]

    patched = watch.on(reader.on(family.model()), node)
    patched.set_model_sampler_post_cfg_function(note)
    paint(patched, family, size=size, steps=3)
    return watch, steps


@pytest.mark.parametrize("shape", [(1, 8), (8, 1), (1, 1), (2, 1), (5, 4)])
def test_smoothing_of_few_cells(comfy, shape):
    """A row of one cell is mirrored on itself."""
    from pack.patches.run.concept_attention import _smooth

    picture = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(_smooth(picture[None, None])[0, 0], smoothed(picture), atol=1e-6)


@pytest.mark.parametrize("size", [(17, 13), (13, 17), (16, 16), (20, 9)])
def test_both_masks_against_an_explicit_recomputation(comfy, size):
    """All blocks of the tiny model with a grid nearest to 256 cells: here its finest, in.1, out.2 and out.3."""
    watch, steps = run_watched(Reader(concept().conditioning[0][0], WORDS), size)
    nu = 0.0
    for (sigma, _), difference, made, seen in zip(
        watch.calls, watch.differences("negative"), watch.edits(), steps, strict=True
    ):
        attention = torch.stack([seen[block, "edit"][0][0] for block in ("in.1", "out.2", "out.3")]).mean(0)
        first, second = explicit(attention, difference, 0.7)
        assert 0 < (first & second).sum() < second.sum(), "one of the masks does nothing here"
        psi = 5.0 * (first & second) * difference / sigma
        wrong = ((made - sigma * (psi + 0.1 * nu)).abs() > 1e-5).any(1)  # of denoised values around 1
        assert wrong.sum() <= 1
        nu = 0.6 * made / sigma + 0.4 * nu


def test_the_grid_nearest_to_16_x_16_is_read(comfy):
    """At 32 x 32 the finest blocks see 32 x 32, the others 16 x 16."""
    watch, steps = run_watched(Reader(concept().conditioning[0][0], WORDS), (32, 32), 0.8)
    coarse = [block for block, _ in steps[0] if steps[0][block, "edit"][0].shape[-1] == 16]
    assert sorted(coarse) == ["in.3", "mid.0", "out.0", "out.1"]
    attention = torch.stack([steps[0][block, "edit"][0][0] for block in coarse]).mean(0)
    first, second = explicit(attention, watch.differences("negative")[0], 0.8)
    made = watch.edits()[0][0].abs().sum(0) > 0
    assert (made != (first & second)[0, 0]).sum() <= 1


@pytest.mark.parametrize("name", ["flux", "qwen_image", "wan", "lumina2", "sd3"])
def test_transformers(comfy, name):
    """Every block sees the same grid of 2 x 2 patches."""
    family, size = FAMILIES[name], (18, 14)
    latent = family.latent(1, *size)
    own = Own(name, tuple(latent.shape[2:]), words=((1, 2, 3),))
    chunks = []
    watch, steps = Watch(), []

    def note(args):
        steps.append(list(own.seen))
        own.seen.clear()
        return args["denoised"]

    def order(apply_model, args):
        chunks.append(list(args["cond_or_uncond"]))
        return apply_model(args["input"], args["timestep"], **args["c"])

    one = concept(family=family, threshold=0.7)
    patched = watch.on(own.on(family.model()), lambda model: edit(model, one, mask="ledits"))
    patched.set_model_sampler_post_cfg_function(note)
    patched.set_model_unet_function_wrapper(order)
    paint(patched, family, size=size, steps=2)
    row = chunks[0].index(2)
    attention = torch.stack([seen[row, 0] for seen in steps[0]]).mean(0)
    psi = watch.differences("negative")[0]
    psi = psi[:, :, 0] if psi.ndim == 5 else psi
    first, second = explicit(attention, psi, 0.7)
    made = watch.edits()[0][0].abs().sum(0).reshape(size) > 0
    assert (made != (first & second)[0, 0]).sum() <= 1 and 0 < made.sum() < second.sum()


def test_with_momentum_several_concepts_and_a_mask(comfy):
    mask = torch.zeros(1, 16, 16)
    mask[..., 4:] = 1.0
    concepts = concept(mask=mask, threshold=0.5), concept("at night", threshold=0.5, start=0.3)
    patched, maps = guided(SD1.model(), *concepts, mask="ledits")
    alone, other = guided(SD1.model(), concepts[0], mask="ledits")
    out = paint(patched, size=(17, 13), batch=2)
    assert torch.equal(paint(patched, size=(17, 13), batch=2), out)
    paint(alone, size=(17, 13), batch=2)
    both, (one,) = maps.runs[0], other.runs
    assert both.maps.shape == (2, 2, 17, 13) and not one.maps[..., :3].any()
    assert 0.1 < one.maps[..., 4:].mean() < 0.5 and 0.1 < both.maps[:, 1].mean() < 0.5
    assert set(one.maps[..., 5:].unique().tolist()) <= {i / 4 for i in range(5)}
