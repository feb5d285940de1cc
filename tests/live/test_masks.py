"""The mask nodes in a real host's graphs, where the shared inputs arrive by name."""

import io

import pytest

pytest.importorskip("PIL", reason="Pillow is not installed: run tests/run.py")
from PIL import Image  # noqa: E402

READ = {"threshold": "otsu", "combine": "union", "softness": 0.0, "lambda": 0.2, "quantile": 0.8, "fraction": 0.4}
READ |= {"refine": 0, "found": 0.12, "always_mask": False}
LOOK = {"levels": 2, "seed": 0, "start_percent": 0.6, "end_percent": 0.9, "blocks": ""}


def graph(**read: object) -> dict:
    """Paints a circle, reads its mask from the sampler's run and by a probe of the picture."""
    made = {
        "1": ("LM_LoadTinyScenes", {}),
        "2": ("LM_TrackPhrases", {"clip": ["1", 1]}),
        "3": ("CLIPTextEncode", {"clip": ["2", 0], "text": "a red circle on a beach"}),
        "4": ("EmptyLatentImage", {"width": 128, "height": 104, "batch_size": 1}),
        "5": ("LM_AttentionCapture", {"model": ["1", 0], "phrase": "red circle", "self_attention": True, "blocks": ""}),
        "6": ("KSampler", {"model": ["5", 0], "positive": ["3", 0], "negative": ["3", 0], "latent_image": ["4", 0]}),
        "7": ("VAEDecode", {"samples": ["6", 0], "vae": ["1", 2]}),
        "8": ("LM_MaskFromAttentionMaps", {"maps": ["5", 1], "latent": ["6", 0], "phrase": "", **READ, **read}),
        "9": ("LM_SubjectMaskFromAttention", {"model": ["1", 0], "conditioning": ["3", 0], "latent": ["6", 0], **LOOK}),
    }
    made["5"][1].update(start_percent=0.5, end_percent=1.0)
    made["6"][1].update(seed=1, steps=8, cfg=1.0, sampler_name="euler", scheduler="normal", denoise=1.0)
    made["9"][1].update(phrase="red circle", image=["7", 0], **{**READ, **read})
    for node in ("8", "9"):
        made[f"{node}1"] = ("MaskToImage", {"mask": [node, 0]})
        made[f"{node}2"] = ("PreviewImage", {"images": [f"{node}1", 0]})
        made[f"{node}3"] = ("PreviewImage", {"images": [node, 1]})
        made[f"{node}4"] = ("PreviewAny", {"source": [node, 2]})
    return {node: {"class_type": kind, "inputs": inputs} for node, (kind, inputs) in made.items()}


@pytest.mark.parametrize("read", [{}, {"threshold": "log_mean", "refine": 1, "softness": 0.5, "combine": "each"}])
def test_masks_heat_and_presence_come_out(client, read):
    result = client.run(graph(**read))
    assert result.errors == []
    for node in ("8", "9"):
        mask, heat = (Image.open(io.BytesIO(result.images[f"{node}{i}"][0])) for i in (2, 3))
        assert mask.size == heat.size == (128, 104)
        low, high = mask.convert("L").getextrema()
        assert (low, high) == (0, 255)
        assert 0.12 < float(result.texts[f"{node}4"][0]) < 1


def test_optional_inputs_may_be_missing_and_others_may_not(client):
    prompt = graph()
    del prompt["9"]["inputs"]["image"], prompt["8"]["inputs"]["refine"]
    result = client.run(prompt)
    assert {line.split(": ", 1)[1] for line in result.errors} == {"Required input is missing"}
    assert all("'refine'" in line for line in result.errors)
    assert Image.open(io.BytesIO(result.images["92"][0])).size == (128, 104) and "82" not in result.images


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        ({"threshold": "magic"}, "Value not in list"),
        ({"refine": 9}, "Value 9 bigger than max of 4"),
        ({"lambda": -7.0}, "Value -7.0 smaller than min of -3.0"),
        ({"quantile": 1.5}, "Value 1.5 bigger than max of 1.0"),
        ({"combine": "both"}, "Value not in list"),
    ],
)
def test_wrong_values_are_refused(client, read, reason):
    result = client.run(graph(**read))
    (name,) = read
    assert result.images == {} and result.errors
    assert all(f"input '{name}': {reason}" in line for line in result.errors)
