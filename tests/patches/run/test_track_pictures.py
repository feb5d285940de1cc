"""Track Phrases where pictures stand among the words of a prompt: each takes as many rows as its size asks for."""

import pytest
import torch
from pack.attention.phrases import positions
from pack.tests.patches.run.test_track_encoders import TEXT, tracked
from pack.tests.patches.tracked import tag_of

pytestmark = pytest.mark.usefixtures("comfy")


def first_changed(clip, **given):
    """The rows of "cat", and the first row that changes with it; `given` as the host's edit nodes give it."""
    texts = (TEXT, TEXT.replace("cat", "dog"))
    (cat,), (dog,) = (clip.encode_from_tokens_scheduled(clip.tokenize(text, **given)) for text in texts)
    return positions("cat", tag_of(cat)), int((cat[0] != dog[0])[0].any(-1).nonzero()[0])


def pictures(*sides):
    return [torch.rand(1, side, side, 3, generator=torch.Generator().manual_seed(side)) for side in sides]


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("qwen_image", (56,)),
        ("longcat", (56,)),
        ("krea2", (64, 96)),
        ("mage_flow", (64, 96)),
        ("joyimage", (256,)),
        ("boogu", (64,)),
        ("minimax", (64, 96)),
    ],
)
def test_the_row_of_a_word_behind_pictures(name, sides):
    ((row,),), changed = first_changed(tracked(name), images=pictures(*sides))
    assert row == changed


def test_several_pictures_of_qwen_image_edit():
    """As in Text Encode Qwen Image Edit Plus: its own template, and names before the pictures."""
    clip = tracked("qwen_image")
    template = "<|im_start|>system\nDescribe it.<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    seen = "".join(f"Picture {n}: <|vision_start|><|image_pad|><|vision_end|>" for n in (1, 2))
    rows = [first_changed(clip, images=pictures(*sides), llama_template=template.format(seen + "{}"))
            for sides in ((56, 84), (56, 140))]  # fmt: skip
    assert [changed for _, changed in rows] == [row for ((row,),), _ in rows]
    assert rows[1][1] - rows[0][1] == 25 - 9  # one row for 28 x 28 pixels


@pytest.mark.parametrize("interleave", [1, 4])
def test_a_picture_before_the_words_of_hunyuan_video(interleave):
    """Its rows are put in front of the words', every so many of them."""
    from comfy_extras.nodes_hunyuan import PROMPT_TEMPLATE_ENCODE_VIDEO_I2V

    seen = torch.randn(1, 9, 16, generator=torch.Generator().manual_seed(0))
    given = dict(llama_template=PROMPT_TEMPLATE_ENCODE_VIDEO_I2V, image_embeds=seen, image_interleave=interleave)
    ((row,),), changed = first_changed(tracked("hunyuan_video"), **given)
    assert row == changed > len(range(0, 9, interleave))
