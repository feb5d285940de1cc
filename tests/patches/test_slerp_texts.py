"""Moving the conditionings of models that read more than one text, and the list of what belongs to a text."""

import ast

import pytest
import torch
from pack.tests.conftest import HOST
from pack.tests.tiny_models import sample
from pack.tests.tiny_texts import TEXTS, vectors

BASE, TARGET = "a cat on a farm", "two dogs at sea"


def moved(base, target, theta, neutral=None, **how):
    from pack.patches.slerp import TextMove, move_text

    return move_text(base, target, neutral, TextMove(theta, **how))


@torch.inference_mode()  # as the host samples: Anima's text adapter is for that alone
def paint(family, positive):
    return sample(family.model(), family.latent(1, 8, 8), positive, family.conditioning(""), steps=1)


@pytest.mark.parametrize("name", TEXTS)
def test_theta_1_draws_the_target_s_picture_and_theta_0_is_base(comfy, name):
    family = TEXTS[name]
    base, target = family.conditioning(BASE), family.conditioning(TARGET)
    wanted = paint(family, target)
    assert not torch.equal(wanted, paint(family, base))
    assert torch.equal(wanted, paint(family, moved(base, target, 1.0)))
    assert moved(base, target, 0.0) is base


MOVED = ["hidream", "hunyuan_image", "hunyuan_video15", "hydit"]


@pytest.mark.parametrize("name", MOVED)
@pytest.mark.parametrize("mode", ["per_token", "global", "lerp", "nlerp"])
def test_every_text_moves_alike(comfy, name, mode):
    from pack.sampling.slerp import move

    family = TEXTS[name]
    base, target = family.conditioning(BASE), family.conditioning(TARGET)
    [[_, options]] = out = moved(base, target, 0.4, mode=mode)
    texts = [key for key, _ in family.more if key.startswith("conditioning")]
    assert texts and all(
        torch.equal(options[key], move(base[0][1][key], target[0][1][key], 0.4, mode)) for key in texts
    )
    assert paint(family, out).isfinite().all()
    assert not torch.equal(paint(family, out), paint(family, base))


def test_masks_of_further_texts_are_united(comfy):
    family = TEXTS["hydit"]
    [[_, options]] = moved(family.conditioning("a cat"), family.conditioning(TARGET), 0.4)
    for key in ("attention_mask", "attention_mask_mt5xl"):
        assert options[key].sum() == len(TARGET) and options[key].shape == family.conditioning()[0][1][key].shape


def test_word_numbers_are_told_from_vectors(comfy):
    family = TEXTS["anima"]
    base, target = family.conditioning(BASE), family.conditioning(TARGET)
    for theta in (-1.0, 0.3, 1.5):
        with pytest.raises(ValueError, match="t5xxl_ids of these prompts differs.*use theta 0 .* or 1") as told:
            moved(base, target, theta)
        assert "\n" not in str(told.value)
    assert torch.equal(moved(base, base, 0.5)[0][1]["t5xxl_ids"], base[0][1]["t5xxl_ids"])
    still = moved(base, target, 0.5, target)[0]
    assert torch.equal(still[0], base[0][0]) and torch.equal(still[1]["t5xxl_ids"], base[0][1]["t5xxl_ids"])
    lyrics = [family.conditioning(BASE), family.conditioning(TARGET)]
    for i, ((_, options),) in enumerate(lyrics):
        options |= {"conditioning_lyrics": torch.tensor([[1, 2, i]]), "t5xxl_ids": None, "t5xxl_weights": None}
    with pytest.raises(ValueError, match="conditioning_lyrics of these prompts differs"):
        moved(*lyrics, 0.5)


def quoted(text, prompt):
    """HunyuanImage's conditioning; its second text is there only where words stand in quotes."""
    [[first, options]] = TEXTS["hunyuan_image"].conditioning(prompt)
    options = {key: value for key, value in options.items() if key != "conditioning_byt5small"}
    return [[first, {**options, **({"conditioning_byt5small": vectors(len(text), 1472)(text)} if text else {})}]]


def test_a_text_of_one_side_alone(comfy):
    family, none, some = TEXTS["hunyuan_image"], quoted("", BASE), quoted("OPEN", TARGET)
    for base, target in ((none, some), (some, none)):
        assert torch.equal(paint(family, moved(base, target, 1.0)), paint(family, target))
        with pytest.raises(ValueError, match="Only some of the prompts have conditioning_byt5small"):
            moved(base, target, 0.5)
    same = moved(quoted("OPEN", BASE), some, 0.5, none)[0][1]["conditioning_byt5small"]  # target - neutral
    assert torch.equal(same, some[0][1]["conditioning_byt5small"])
    kept = moved(some, none, 0.5, quoted("", "red"))[0][1]["conditioning_byt5small"]
    assert torch.equal(kept, some[0][1]["conditioning_byt5small"])
    with pytest.raises(ValueError, match="Only some of the prompts have conditioning_byt5small"):
        moved(none, some, 0.5, none)


def test_lengths_of_a_further_text(comfy):
    from pack.sampling.slerp import move

    base, target, neutral = quoted("OPEN", BASE), quoted("CLOSED", TARGET), quoted("NOTHING", "")
    with pytest.raises(ValueError, match=r"conditioning_byt5small are of different length \(4 and 6 rows of text\)"):
        moved(base, target, 0.5)
    out = moved(base, target, 0.5, neutral, direction="target - base")[0][1]["conditioning_byt5small"]
    a, b, rows = (side[0][1]["conditioning_byt5small"] for side in (base, target, neutral))
    assert torch.equal(out, move(torch.cat([a, rows[:, -2:]], 1), b, 0.5))
    llama = [TEXTS["hidream"].conditioning(text) for text in (BASE, TARGET, "")]
    for count, ((_, options),) in zip((6, 9, 5), llama, strict=True):
        options["conditioning_llama3"] = options["conditioning_llama3"][:, :, :count]
    out = moved(*llama[:2], 0.5, llama[2], direction="target - base")[0][1]["conditioning_llama3"]
    a, b, rows = (side[0][1]["conditioning_llama3"] for side in llama)
    assert torch.equal(out, move(torch.cat([a, rows[:, :, -3:]], 2), b, 0.5))


def test_other_widths_and_a_phrase_are_refused(comfy):
    family = TEXTS["hidream"]
    base, target, other = family.conditioning(BASE), family.conditioning(TARGET), family.conditioning(TARGET)
    other[0][1]["conditioning_llama3"] = torch.zeros(1, 3, 9, 40)
    with pytest.raises(ValueError, match="conditioning_llama3 come from different models.*base 4 x 40, target 3 x 40"):
        moved(base, other, 0.5)
    with pytest.raises(ValueError, match="A phrase cannot be found in conditioning_llama3"):
        moved(base, target, 0.5, phrase="cat")


def added(function):
    """Names that an encoder's function puts into a dict."""
    for part in ast.walk(function):
        keys = part.keys if isinstance(part, ast.Dict) else []
        stored = isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store)
        for key in (*keys, *([part.slice] if stored else ())):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value


INNER = {"cond", "max_detections", "layer"}  # in the items of sam3_multi_cond, and an option for an encoder


def test_the_list_holds_all_that_the_host_s_text_encoders_add(comfy):
    from pack.patches.run.texts import TEXT

    found = set()
    for path in (HOST / "comfy" / "text_encoders").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == "encode_token_weights":
                found |= set(added(node))
    assert len(found) > 6 and found - INNER <= set(TEXT)


def test_a_concept_brings_all_its_texts(comfy):
    """HiDream-O1 reads its prompt from the token numbers alone."""
    from pack.patches.run.texts import TEXT

    assert {"text_input_ids", "conditioning_llama3", "conditioning_lyrics"} <= set(TEXT) and "cross_attn" not in TEXT


def test_zeros_as_long_as_sd3_s_text_are_cut_alike(comfy):
    """Conditioning Zero Out as neutral, or as base."""
    rng = torch.Generator().manual_seed(0)
    base, target = (torch.randn(1, 154, 16, generator=rng) for _ in range(2))
    base[:, :77, 8:], target[:, :77, 8:] = 0, 0
    base, target, nothing = ([[text, {}]] for text in (base, target, torch.zeros(1, 154, 16)))
    out = moved(base, target, 1.0, nothing)[0][0]
    assert out.shape == (1, 154, 16) and torch.allclose(out, base[0][0] + target[0][0], atol=1e-5)
    assert moved(nothing, target, 1.0)[0][0] is target[0][0]
    assert moved(nothing, target, 0.5, mode="lerp")[0][0].shape == (1, 154, 16)
