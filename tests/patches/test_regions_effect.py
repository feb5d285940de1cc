"""What regions do: where attention goes, which words, which functions, and the cells that remain."""

import pytest
import torch
from pack.tests.patches.placing import Explicit, Told, close, left, place, region
from pack.tests.tiny_models import FAMILIES, sample

FUNCTIONS = ["spatial_control", "paint_with_words", "dense_diffusion"]


def masses(name, function, strength, outside):
    """Mean probability of 'red dog' in cells of the left third and in those it does not touch, in the first block."""
    family, seen = FAMILIES[name], []

    def read(func, q, k, v, heads, *args, **kwargs):
        grid = kwargs["transformer_options"]["activations_shape"][2:]
        if k.shape[1] == 77 and q.shape[1] == grid[0] * grid[1] and not seen:
            by_head = [t.unflatten(2, (heads, -1)).transpose(1, 2) for t in (q, k)]
            scores = by_head[0] @ by_head[1].mT / by_head[0].shape[3] ** 0.5 + kwargs.get("mask", torch.zeros(1))
            found = scores.softmax(-1)[..., [2, 3]].sum(-1).mean((0, 1))
            cover = torch.nn.functional.interpolate(left()[:, None], grid, mode="area").flatten()
            seen.extend((float(found[cover == 1].mean()), float(found[cover == 0].mean())))
        return func(q, k, v, heads, *args, **kwargs)

    model = family.model().clone()
    model.model_options["transformer_options"]["optimized_attention_override"] = read
    patched = place(model, region(strength=strength, outside=outside), weight_function=function)
    sample(patched, family.latent(1, 13, 19), family.conditioning(), [], steps=1, cfg=1.0)
    return seen


@pytest.mark.parametrize("name", ["sd1", "sd2_v", "sdxl"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_attention_to_the_phrase_rises_inside_with_strength_and_falls_outside_with_outside(comfy, name, function):
    drawn = [masses(name, function, strength, 0.0) for strength in (0.0, 0.1, 0.3, 1.0)]
    pushed = [masses(name, function, 0.0, outside) for outside in (0.0, 0.1, 0.3)]
    (inside, still), (calm, outside) = zip(*drawn, strict=True), zip(*pushed, strict=True)
    assert all(more > 1.02 * less for less, more in zip(inside, inside[1:], strict=False))
    assert all(less < 0.98 * more for more, less in zip(outside, outside[1:], strict=False))
    assert max(still) - min(still) < 1e-6 and max(calm) - min(calm) < 1e-6


def test_weight_functions_sides_and_blocks_are_all_different_pictures(comfy):
    family, settings = FAMILIES["sd1"], [dict(weight_function=name) for name in FUNCTIONS]
    settings += [dict(apply_to="negative"), dict(apply_to="both"), dict(blocks="mid"), dict(blocks="out.0-1")]
    latent, positive, negative = family.latent(), family.conditioning(), family.conditioning("red dog")
    outs = [sample(place(family.model(), region(), **s), latent, positive, negative) for s in settings]
    outs.append(sample(family.model(), latent, positive, negative))
    scale = outs[-1].abs().max()
    assert min((a - b).abs().max() for i, a in enumerate(outs) for b in outs[:i]) > 1e-4 * scale


DOT = torch.zeros(1, 128, 128)
DOT[0, 70, 90] = 1


@pytest.mark.parametrize(
    ("regions", "told"),
    [
        ([("dog", dict(occurrence=1))], [(left(), (2,))]),
        ([("dog", dict(occurrence=2))], [(left(), (5,))]),
        ([("dog", {})], [(left(), (2, 5))]),
        ([("dog", {}), ("a dog", dict(mask=left().mT))], [(left(), (2, 5)), (left().mT, (1, 2, 4, 5))]),
        ([("dog", dict(mask=DOT))], [(DOT, (2, 5))]),
        ([("dog", dict(mask=DOT * 0))], [(DOT * 0, (2, 5))]),
        ([("dog", dict(mask=DOT * 0 + 1))], [(DOT * 0 + 1, (2, 5))]),
    ],
    ids=["first", "second", "all", "overlap", "one pixel", "empty", "everywhere"],
)
def test_occurrences_overlaps_and_extreme_masks_equal_the_reference(comfy, regions, told):
    family = FAMILIES["sd1"]
    given = family.latent(), family.conditioning("a dog and a dog"), family.conditioning("")
    told = Told(given[1][0][0], [(mask, rows, 1.0, 0.3) for mask, rows in told])
    explicit = sample(Explicit(told).on(family.model()), *given)
    patched = place(family.model(), *(region(phrase, **options) for phrase, options in regions))
    assert close(sample(patched, *given), explicit, sample(family.model(), *given))


def test_a_step_window_acts_in_its_steps_only(comfy):
    """Two steps; the second alone is noted by its x0 from the same x."""
    from pack.patches.run.window import Window

    family = FAMILIES["sd1"]

    def steps(**settings):
        seen, given = [], (family.latent(), family.conditioning(), family.conditioning(""))
        sample(
            place(family.model(), region(), **settings), *given, callback=lambda i, x0, x, n: seen.append(x0.clone())
        )
        return seen

    always, never = steps(), steps(window=Window(0.3, 0.3))
    first, second = steps(window=Window(0.0, 0.5)), steps(window=Window(0.5, 1.0))
    assert torch.equal(first[0], always[0]) and not torch.equal(first[1], always[1])
    assert torch.equal(second[0], never[0]) and not torch.equal(second[1], never[1])
    assert not torch.equal(always[0], never[0])


def test_v_prediction_with_zero_terminal_snr(comfy):
    """Its first sigma is 4518, where two backends of the unpatched model are 1e-4 apart; the strength stays SD1's."""
    import comfy.ldm.modules.attention as host
    from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete

    family, sigmas = FAMILIES["sd2_v"], []
    model = ModelSamplingDiscrete().patch(family.model(), "v_prediction", True)[0]
    other = model.clone()
    other.model_options["transformer_options"]["optimized_attention_override"] = lambda _, *a, **k: (
        host.attention_pytorch(*a, **k)
    )
    model.add_wrapper("apply_model", lambda run, x, t, *a, **k: (sigmas.append(float(t[0])), run(x, t, *a, **k))[1])
    given = family.latent(), family.conditioning(), family.conditioning("")
    out, plain = sample(place(model, region()), *given), sample(model, *given)
    explicit = sample(Explicit(Told(given[1][0][0], [(left(), (2, 3), 1.0, 0.3)])).on(model), *given)
    assert max(sigmas) > 4000 and out.isfinite().all()
    assert (
        (out - explicit).abs().max()
        <= 2 * (sample(other, *given) - plain).abs().max()
        < 1e-3 * (out - plain).abs().max()
    )
