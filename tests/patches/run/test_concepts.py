"""A concept is the sampled prompt's own entry with another text: what it inherits, what it may not bring."""

import torch
from pack.tests import tiny_control
from pack.tests.patches.guiding import SD1, Rows, concept, edit, guided, paint
from pack.tests.tiny_models import FAMILIES, sample


def rows_of(model, *concepts, latent=None, positive=None, negative=None, steps=1, **settings):
    """The processed entries of every concept, the guider's own, and the model calls of a run."""
    from pack.patches.run.run import Effect, attach

    found, calls = [], Rows()

    class Keep(Effect):
        def guide(self, run, x, denoised):
            semantic = run.effects[0]
            found.append((semantic.rows, run.guider.conds))
            return denoised

    latent = SD1.latent() if latent is None else latent
    positive, negative = positive or SD1.conditioning(), negative or SD1.conditioning("blurry")
    patched = attach(edit(calls.on(model), *concepts, **settings), Keep)
    out = sample(patched, latent, positive, negative, steps=steps)
    assert out.isfinite().all()
    return *found[0], calls


def with_options(conditioning, **options):
    return [[text, {**given, **options}] for text, given in conditioning]


def half(first):
    mask = torch.zeros(1, 16, 16)
    mask[..., :8] = 1.0
    return mask if first else 1 - mask


def test_only_the_text_is_another(comfy):
    (rows,), conds, calls = rows_of(SD1.model(), concept())
    (row,), (own,) = rows, conds["positive"]
    changed = {"cross_attn", "model_conds", "uuid", "lm_phrases", "strength"}
    assert {name for name in own if own[name] is not row.get(name)} <= changed and set(row) - set(own) <= {"strength"}
    assert torch.equal(row["model_conds"]["c_crossattn"].cond, concept().conditioning[0][0])
    assert row["uuid"] != own["uuid"] and calls.chunks == [3]


def test_sdxl_takes_the_concepts_pooled_vector_and_the_prompts_sizes(comfy):
    family, model = FAMILIES["sdxl"], FAMILIES["sdxl"].model()
    sizes = {"width": 640, "height": 512, "crop_w": 32, "target_width": 768}
    positive = with_options(family.conditioning(), **sizes)
    beach = concept(family=family)
    beach.conditioning[0][1]["pooled_output"] = pooled = torch.randn(1, 1280)
    given = {"latent": family.latent(), "negative": family.conditioning("")}
    (rows,), conds, calls = rows_of(model, beach, positive=positive, **given)
    y, own = (entry["model_conds"]["y"].cond for entry in (rows[0], conds["positive"][0]))
    assert torch.equal(y[:, :1280], pooled) and torch.equal(y[:, 1280:], own[:, 1280:])
    default = rows_of(model, beach, positive=family.conditioning(), **given)[0][0][0]
    assert not torch.equal(y[:, 1280:], default["model_conds"]["y"].cond[:, 1280:]) and calls.chunks == [3]


def test_flux_inherits_guidance(comfy):
    family = FAMILIES["flux"]
    beach = with_options(family.conditioning("a beach"), guidance=9.0)
    given = {"latent": family.latent(), "positive": with_options(family.conditioning(), guidance=2.5)}
    one = concept(family=family)
    one.conditioning[:] = beach
    (rows,), conds, calls = rows_of(family.model(), one, negative=family.conditioning(""), **given)
    assert rows[0]["model_conds"]["guidance"].cond.item() == 2.5 and calls.chunks == [3]


def test_qwen_takes_the_concepts_own_attention_mask(comfy):
    family = FAMILIES["qwen_image"]
    mask = torch.ones(1, family.rows)
    mask[:, 8:] = 0
    masked, plain = concept(family=family), concept(family=family)
    masked.conditioning[0][1]["attention_mask"] = mask
    given = {"latent": family.latent(), "positive": with_options(family.conditioning(), attention_mask=1 - mask)}
    given["negative"] = family.conditioning("")
    (rows,), _, _ = rows_of(family.model(), masked, **given)
    assert torch.equal(rows[0]["model_conds"]["attention_mask"].cond, mask)
    (rows,), _, _ = rows_of(family.model(), plain, **given)
    assert "attention_mask" not in rows[0]["model_conds"]


def test_prompts_of_different_length_share_a_call(comfy):
    (rows,), _, calls = rows_of(SD1.model(), concept(rows=154))
    assert rows[0]["model_conds"]["c_crossattn"].cond.shape[1] == 154 and calls.chunks == [3]
    long = SD1.conditioning(rows=154)
    assert rows_of(SD1.model(), concept(), positive=long)[2].chunks == [3]


def test_the_positives_control_net_is_shared_and_so_is_the_call(comfy):
    positive, negative = tiny_control.control(SD1.conditioning(), SD1.conditioning("blurry"))
    (rows,), conds, calls = rows_of(SD1.model(), concept(), positive=positive, negative=negative)
    assert rows[0]["control"] is conds["positive"][0]["control"] and calls.chunks == [3]


def test_lora_hooks_act_on_concepts_too(comfy):
    hooks = tiny_control.lora_hooks(SD1.model())
    positive, negative = (tiny_control.hooked(SD1.conditioning(t), hooks) for t in ("a red dog", "blurry"))
    given = {"positive": positive, "negative": negative}
    (rows,), conds, calls = rows_of(SD1.model(), concept(), **given)
    assert rows[0]["hooks"] is conds["positive"][0]["hooks"] and calls.chunks == [3]
    out = sample(edit(SD1.model(), concept()), SD1.latent(), *given.values())
    assert not torch.equal(out, paint(edit(SD1.model(), concept()), steps=2))


def test_combined_prompts_make_one_row_and_different_ones_several(comfy):
    """Texts combined on the whole picture differ in nothing that a concept keeps."""
    dog, cat = SD1.conditioning("a red dog"), SD1.conditioning("a cat")
    (rows,), _, calls = rows_of(SD1.model(), concept(), positive=dog + with_options(cat, strength=0.5))
    assert len(rows) == 1 and rows[0]["strength"] == 1.5 and calls.chunks == [4]
    masked = with_options(dog, mask=half(True)) + with_options(cat, mask=half(False))
    (rows,), _, calls = rows_of(SD1.model(), concept(), positive=masked)
    assert len(rows) == 2 and calls.chunks == [5]


def test_a_row_in_two_parts_is_the_row_in_one(comfy):
    """The same prompt in two masks that add up, or twice in the whole picture, predicts what it predicts once."""
    one, dog = edit(SD1.model(), concept()), SD1.conditioning("a red dog")
    negative = SD1.conditioning("blurry")
    whole, plain = (sample(m, SD1.latent(), dog, negative, steps=4) for m in (one, SD1.model()))
    size = (whole - plain).abs().mean()
    for parts in (dog + SD1.conditioning("a red dog"), *_halves(dog)):
        assert (sample(one, SD1.latent(), parts, negative, steps=4) - whole).abs().mean() < 0.02 * size


def _halves(dog):
    return [with_options(dog, mask=half(True)) + with_options(dog, mask=half(False))]


def test_areas(comfy):
    """The concept has its rows in the same areas; where the whole picture has none, neither has it."""
    everywhere, corner = SD1.conditioning(), with_options(SD1.conditioning("a cat"), area=(8, 8, 4, 4), strength=2.0)
    (rows,), conds, _ = rows_of(SD1.model(), concept(), positive=everywhere + corner)
    assert [row.get("area") for row in rows] == [entry.get("area") for entry in conds["positive"]]
    assert [row.get("area") for row in rows] == [None, (8, 8, 4, 4)]
    assert len({row["model_conds"]["c_crossattn"].cond.data_ptr() for row in rows}) == 1


def test_timestep_ranges(comfy):
    first = with_options(SD1.conditioning(), start_percent=0.0, end_percent=0.45)
    last = with_options(SD1.conditioning("a cat"), start_percent=0.4501, end_percent=1.0)
    (rows,), _, calls = rows_of(SD1.model(), concept(), positive=first + last, steps=5)
    assert len(rows) == 2 and calls.chunks == [3] * 5


def test_a_default_prompt_stays_one(comfy):
    """ConditioningSetDefaultCombine of the host: where the others leave room."""
    corner = with_options(SD1.conditioning("a cat"), mask=half(True))
    given = corner + with_options(SD1.conditioning(), default=True)
    (rows,), _, calls = rows_of(SD1.model(), concept(), positive=given)
    assert [row.get("default") for row in rows] == [None, True] and calls.chunks == [5]
    full = with_options(SD1.conditioning("a cat"), mask=torch.ones(1, 16, 16))
    given = full + with_options(SD1.conditioning(), default=True)
    assert rows_of(SD1.model(), concept(), positive=given)[2].chunks == [3]


def test_five_axes_and_odd_sizes(comfy):
    family = FAMILIES["wan"]
    latent = family.latent(1, 9, 13, frames=3)
    masked = concept(family=family, mask=torch.ones(1, 40, 40))
    for mask in ("sega", "joint", "ledits", "none"):
        patched, maps = guided(family.model(), masked, mask=mask)
        out = sample(patched, latent, family.conditioning(), family.conditioning(""))
        assert out.shape == latent.shape and maps.runs[0].maps.shape == (1, 1, 9, 13)
