"""Mask from Attention Maps on TinyScenes: without a phrase it shows which word acts where."""

import pytest
import torch
from pack.tests.tiny_models import sample

PROMPT = "a red circle left of a blue star on a beach"


@pytest.fixture(scope="module")
def run(comfy):
    """The decoded pictures of a run, its latent, and the node's call for a phrase."""
    from pack.demo.model import load
    from pack.nodes.masks import AttentionCapture, MaskFromAttentionMaps
    from pack.patches.run.track import track_phrases

    model, clip, vae = load()
    clip = track_phrases(clip)
    text, empty = (clip.encode_from_tokens_scheduled(clip.tokenize(words)) for words in (PROMPT, ""))
    patched, maps = AttentionCapture.execute(model, "red circle", True, 0.5, 1.0, "").result
    latent = sample(patched, torch.zeros(2, 4, 16, 16), text, empty, steps=10, cfg=5.0)
    schema = MaskFromAttentionMaps.GET_SCHEMA()
    given = {i.id: i.default for i in schema.inputs if getattr(i, "default", None) is not None}

    def read(phrase: str = "", **more):
        given["phrase"] = phrase
        return MaskFromAttentionMaps.execute(maps=maps, latent={"samples": latent}, **{**given, **more})

    return vae.decode(latent), maps.runs[0], read


def shown(output) -> torch.Tensor:
    """The first picture that the node shows in itself."""
    import folder_paths
    import numpy as np
    from PIL import Image

    one = output.ui.as_dict()["images"][0]
    return torch.from_numpy(np.array(Image.open(f"{folder_paths.get_temp_directory()}/{one['filename']}"))) / 255


def test_the_circle_is_its_word_s_and_the_ground_the_beach_s(run):
    from pack.attention.ranking import rank

    picture, captured, _ = run
    ranking = rank(captured, (128, 128))
    red = (picture[..., 0] > picture[..., 1:3].amax(-1) + 0.3).cpu()
    assert red.any(1).any(1).all()
    own = ranking.owner == ranking.words.index("red circle")
    assert sorted(ranking.words) == ["beach", "blue", "red circle", "star"]
    assert own[red].float().mean() > 0.7 and own[~red].float().mean() < 0.2


def test_without_a_phrase_the_node_shows_the_words_else_the_heat(run):
    picture, _, read = run
    without, given = read(image=picture), read("red circle", image=picture)
    words, heat = without.result[3], given.result[1]
    assert words.shape[0] == 2 and words.shape[2] == 256 and words.shape[1] > 256
    assert (shown(without) - words[0]).abs().max() < 0.01 and (shown(given) - heat[0]).abs().max() < 0.01
    assert torch.equal(without.result[0], given.result[0])  # the mask stays that of the captured phrases
    assert torch.equal(words, given.result[3])


def test_a_long_prompt_shows_its_first_words_and_counts_the_rest(comfy):
    from pack.attention.captured import Captured
    from pack.attention.ranking import rank
    from pack.nodes.pictures.word_map import SHOWN, _rest, word_picture

    words = tuple(f"word{i}" for i in range(20))
    maps = torch.eye(20).reshape(1, 20, 4, 5) + 0.001
    captured = Captured(words, {}, {"in.1": maps}, None, (0, 0), torch.zeros(1, 4, 4, 5))
    assert _rest(rank(captured, (4, 5))) == f"no word, or one of {20 - SHOWN} more: 40%"
    assert word_picture(captured, (4, 5), None).shape[0] == 1
