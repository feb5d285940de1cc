"""Words of the prompt that no concept may touch: their place is looked ahead for when the first acts."""

import pytest
import torch
from pack.tests.patches.guiding import SD1, Rows, concept, edit, paint
from pack.tests.patches.seeing import capture
from pack.tests.tiny_models import FAMILIES

KEEP = ("red dog",)
HOW = {"steps": 4, "scheduler": "simple", "size": (12, 16), "batch": 2}  # at percents 0, 0.25, 0.5, 0.75


def foreseen(model, before: int, family=SD1, latent_image=None, **options):
    """(B, 12, 16): where the host's own Euler run, in big steps from step `before` of HOW's on, looks at KEEP."""
    import comfy.sample
    import comfy.samplers
    from pack.attention.readout import read_out
    from pack.patches.edit_masks import READ
    from pack.patches.run.window import Window

    sampling = model.get_model_object("model_sampling")
    sigmas = comfy.samplers.calculate_sigmas(sampling, "simple", 4)
    first, last = float(sigmas[before]), float(sampling.percent_to_sigma(0.9))
    big = [first, (first * last) ** 0.5, last, 0.0]
    watched, seen = capture(model, *KEEP, self_attention=True, window=Window(before / 4, 1.0))
    latent = family.latent(2, 12, 16) if latent_image is None else latent_image
    noise = comfy.sample.prepare_noise(latent, 1)
    given = family.conditioning(), family.conditioning("blurry"), latent
    sigmas, euler = torch.cat([sigmas[:before], torch.tensor(big)]), comfy.samplers.ksampler("euler")
    comfy.sample.sample_custom(watched, noise, 3.0, euler, sigmas, *given, disable_pbar=True, seed=1, **options)
    kept = read_out(seen.runs[0], KEEP, (12, 16), READ).mask
    assert seen.runs[0].self_grid == (12, 16)
    return torch.nn.functional.max_pool2d(kept, 3, 1, 1)  # a margin of one cell


def free(kept):
    """A mask of all but what is kept, in pixels."""
    return (1 - kept).repeat_interleave(8, 1).repeat_interleave(8, 2)


def same(ours, drawn, without) -> bool:
    """Equal up to the rounding of a schedule's levels, and further than that from the picture that keeps nothing."""
    rounding = 1e-5 * float(drawn.abs().max())
    assert (without - drawn).abs().max() > 20 * rounding, "what is kept changes nothing here"
    return bool((ours - drawn).abs().max() <= rounding)


@pytest.mark.parametrize("before", [0, 2])
def test_what_is_kept_is_left_out_of_every_concept(comfy, before):
    """As a drawn mask of all but its place."""
    kept = foreseen(SD1.model(), before)
    assert 0 < kept.mean() < 1
    texts = [("a green beach", before / 4), ("at night", 0.75)]
    ours = paint(edit(SD1.model(), *(concept(text, start=at) for text, at in texts), keep=KEEP), **HOW)
    drawn = paint(edit(SD1.model(), *(concept(text, start=at, mask=free(kept)) for text, at in texts)), **HOW)
    assert same(ours, drawn, paint(edit(SD1.model(), *(concept(t, start=at) for t, at in texts)), **HOW))


def test_inside_a_denoise_mask_the_rest_of_the_picture_is_known(comfy):
    """The look ahead keeps what the sampler will keep."""
    half = torch.zeros(1, 1, 12, 16)
    half[..., 8:] = 1
    picture = torch.randn(2, 4, 12, 16, generator=torch.Generator().manual_seed(3))
    kept = foreseen(SD1.model(), 0, latent_image=picture, noise_mask=half)

    def masked(*concepts, **settings):
        from pack.tests.tiny_models import sample

        given = SD1.conditioning(), SD1.conditioning("blurry")
        options = {"steps": 4, "scheduler": "simple", "noise_mask": half}
        return sample(edit(SD1.model(), *concepts, **settings), picture, *given, **options)

    assert same(masked(concept(), keep=KEEP), masked(concept(mask=free(kept))), masked(concept()))


def test_it_costs_three_calls_of_the_model_once(comfy):
    rows = Rows()
    paint(rows.on(edit(SD1.model(), concept(start=0.5), concept("at night", start=0.75), keep=KEEP)), **HOW)
    assert rows.chunks == [2, 2, 2, 2, 2, 3, 4]
    assert [level for level, _, _ in rows.seen][2:5] == sorted([level for level, _, _ in rows.seen][2:5], reverse=True)


def test_regions_act_in_what_is_foreseen(comfy):
    """A region that acts only later moves the place all the same."""
    from pack.patches.run.window import Window
    from pack.tests.patches.placing import place, region

    def placed(model):
        return place(model, region("red dog", strength=30.0), window=Window(0.6, 1.0))

    kept = foreseen(placed(SD1.model()), 2)
    assert not torch.equal(kept, foreseen(SD1.model(), 2))
    brief = dict(start=0.5, end=0.6)
    ours = paint(placed(edit(SD1.model(), concept(**brief), keep=KEEP)), **HOW)
    drawn = paint(placed(edit(SD1.model(), concept(mask=free(kept), **brief))), **HOW)
    assert same(ours, drawn, paint(placed(edit(SD1.model(), concept(**brief))), **HOW))


def test_other_readers_do_not_see_what_is_foreseen(comfy):
    from pack.patches.run.window import Window

    early = dict(window=Window(0.0, 0.5))
    (plain, alone), (model, beside) = capture(SD1.model(), "cat", **early), capture(SD1.model(), "cat", **early)
    paint(plain, **HOW)
    paint(edit(model, concept(start=0.5), keep=KEEP), **HOW)
    assert alone.runs[0].layers.keys() == beside.runs[0].layers.keys()
    for block, maps in alone.runs[0].layers.items():
        assert torch.equal(maps, beside.runs[0].layers[block])


@pytest.mark.parametrize("name", ["sdxl", "wan", "flux", "qwen_image"])
def test_in_other_families_a_second_run_is_the_first(comfy, name):
    family = FAMILIES[name]
    concepts = (concept(family=family, start=0.5),)
    how = {"family": family, "size": (12, 16)}
    model = edit(family.model(), *concepts, keep=KEEP)
    first, second = paint(model, **how), paint(model, **how)
    assert torch.equal(first, second) and not torch.equal(first, paint(edit(family.model(), *concepts), **how))


def test_words_to_keep_that_the_prompt_has_not_are_refused(comfy):
    with pytest.raises(ValueError, match="Semantic Guidance: The phrase 'zebra' is not in the prompt"):
        paint(edit(SD1.model(), concept(), keep=("zebra",)))


def test_nothing_is_read_where_no_concept_acts(comfy):
    assert torch.equal(paint(edit(SD1.model(), concept(scale=0.0), keep=("zebra",))), paint(SD1.model()))


def beside(kind: str, model):
    from pack.patches.run.window import Window
    from pack.tests.patches.infusing import SMALL, biased, pictures
    from pack.tests.patches.placing import place, region
    from pack.tests.patches.sharing import shared

    if kind == "region":
        return place(model, region("red dog", strength=30.0))
    if kind == "add":
        return biased(model, pictures(1, 12, 16), SMALL, input="noised", reuse=2)
    return shared(model, pictures(1, 12, 16), window=Window(0.0, 0.6))


@pytest.fixture
def places(comfy, monkeypatch) -> list:
    """What each run that follows keeps, (B, 12, 16)."""
    from pack.patches import edit_masks

    seen, wider = [], edit_masks._wider
    monkeypatch.setattr(edit_masks, "_wider", lambda *given: seen.append(wider(*given)) or seen[-1])
    return seen


@pytest.mark.parametrize("kind", ["region", "add", "share"])
def test_looking_ahead_leaves_nothing_in_effects_before_and_behind(places, kind):
    """Each step is that of a run with the mask drawn, in both orders of the nodes."""
    brief = dict(start=0.25, end=0.45)
    for put in (
        lambda *c, **how: edit(beside(kind, SD1.model()), *c, **how),
        lambda *c, **how: beside(kind, edit(SD1.model(), *c, **how)),
    ):
        ours = paint(put(concept(**brief), keep=KEEP), **HOW)
        drawn = paint(put(concept(mask=free(places[-1]), **brief)), **HOW)
        assert same(ours, drawn, paint(put(concept(**brief)), **HOW))


@pytest.mark.parametrize("name", ["sd1", "flux", "wan"])
def test_concepts_by_attention_do_not_act_in_what_is_foreseen(places, name):
    family = FAMILIES[name]
    inside = concept("a green beach", family=family, scale=15.0, start=0.0, how="attention")
    for concepts in ((concept(family=family, start=0.0),), (inside, concept(family=family, start=0.0))):
        paint(edit(family.model(), *concepts, keep=KEEP), family=family, size=(12, 16))
    assert torch.equal(*places)


def test_keyframes_of_hooks_are_as_they_were(places):
    """A LoRA that fades in keyframes has the strength of the step, not of what was foreseen."""
    from comfy.hooks import HookKeyframe, HookKeyframeGroup
    from pack.tests import tiny_control
    from pack.tests.tiny_models import sample

    def painted(*concepts, **settings):
        model, keyframes = SD1.model(), HookKeyframeGroup()
        for strength, start in ((1.0, 0.0), (0.5, 0.4), (0.0, 0.7)):
            keyframes.add(HookKeyframe(strength, start_percent=start))
        hooks = tiny_control.lora_hooks(model)
        hooks.set_keyframes_on_hooks(keyframes)
        positive, negative = tiny_control.hooked(SD1.conditioning(), hooks), SD1.conditioning("blurry")
        given = SD1.latent(2, 12, 16), positive, negative
        return sample(edit(model, *concepts, **settings), *given, steps=4, scheduler="simple")

    brief = dict(start=0.25, end=0.45)
    ours = painted(concept(**brief), keep=KEEP)
    drawn = painted(concept(mask=free(places[-1]), **brief))
    assert same(ours, drawn, painted(concept(**brief)))
