"""A tiny text encoder of each of the host's classes, behind its own tokenizer.

clip = encoder("krea2")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module

import torch
from pack.tests import tiny, tiny_vocabularies
from pack.tests.shrunk import has, small_eyes, small_vocabularies
from pack.tests.tiny_vocabularies import sentencepiece


def llm(layers: int = 4) -> dict:
    """Sizes of a language model; encoders that read certain layers need as many."""
    sizes = dict(hidden_size=16, intermediate_size=16, num_attention_heads=2, num_key_value_heads=1)
    return sizes | dict(num_hidden_layers=layers)


GPT_OSS = llm(24) | dict(head_dim=8, num_local_experts=2, num_experts_per_tok=1, vocab_size=1000)
BERT = dict(hidden_size=32, intermediate_size=32, num_attention_heads=2, num_hidden_layers=1)
DUAL = dict(text_projection_type="dual_linear")


@dataclass(frozen=True)
class Kind:
    """One class of text encoders, in the module comfy.text_encoders.`module`."""

    module: str
    tokenizer: str
    model: str
    sizes: dict = field(default_factory=dict)
    """The host's name of an encoder -> its sizes."""
    make: dict | None = None
    """Arguments of `model`, where it is a function that makes the class."""
    vocabulary: Callable[[], dict] = dict
    """The host's tokenizer_data."""


def spiece(name: str = "spiece_model", **ids: int) -> Callable[[], dict]:
    return lambda: {name: sentencepiece(**ids)}


def newbie() -> dict:
    model = GEMMA()["spiece_model"]
    return {"gemma_spiece_model": model, "jina_spiece_model": model}


def tekken() -> dict:
    return {"tekken_model": tiny_vocabularies.tekken()}


def harmony() -> dict:
    from comfy.text_encoders.gpt_oss import _lens_render_chat

    return {"tokenizer_json": tiny_vocabularies.harmony(_lens_render_chat(""))}


GEMMA = spiece(pad=0, end=1, start=2, unknown=3)
JINA = dict(hidden_size=16, intermediate_size=16, num_attention_heads=4, num_hidden_layers=4)
UMT5 = dict(pad=0, end=1, start=-1, unknown=2)

ENCODERS = {
    "sd2": Kind("sd2_clip", "SD2Tokenizer", "SD2ClipModel", {"clip_h": tiny.CLIP_G}),
    "hidream": Kind("hidream", "HiDreamTokenizer", "HiDreamTEModel", {"llama": llm()}),
    "hidream_o1": Kind("hidream_o1", "HiDreamO1Tokenizer", "HiDreamO1TE"),
    "flux2": Kind("flux", "Flux2Tokenizer", "Flux2TEModel", {"mistral3_24b": llm(31)}, None, tekken),
    "klein": Kind("flux", "KleinTokenizer", "klein_te", {"qwen3_4b": llm(28)}, {}),
    "ernie": Kind("ernie", "ErnieTokenizer", "ErnieTEModel", {"ministral3_3b": llm()}, None, tekken),
    "qwen_image": Kind("qwen_image", "QwenImageTokenizer", "QwenImageTEModel", {"qwen25_7b": llm()}),
    "ovis": Kind("ovis", "OvisTokenizer", "OvisTEModel", {"qwen3_2b": llm()}),
    "longcat": Kind("longcat_image", "LongCatImageTokenizer", "LongCatImageTEModel", {"qwen25_7b": llm()}),
    "z_image": Kind("z_image", "ZImageTokenizer", "ZImageTEModel", {"qwen3_4b": llm()}),
    "omnigen2": Kind("omnigen2", "Omnigen2Tokenizer", "Omnigen2Model", {"qwen25_3b": llm()}),
    "krea2": Kind("krea2", "Krea2Tokenizer", "Krea2TEModel", {"qwen3vl_4b": llm(36)}),
    "mage_flow": Kind("mage_flow", "MageFlowTokenizer", "MageFlowTEModel", {"qwen3vl_4b": llm()}),
    "joyimage": Kind("joyimage", "JoyImageTokenizer", "JoyImageTEModel", {"qwen3vl_8b": llm()}),
    "boogu": Kind("boogu", "BooguTokenizer", "BooguTEModel", {"qwen3vl_8b": llm()}),
    "ideogram4": Kind("ideogram4", "Ideogram4Tokenizer", "Ideogram4TEModel", {"qwen3vl_8b": llm(36)}),
    "minimax": Kind("minimax", "MiniMaxH3Tokenizer", "MiniMaxH3TEModel", {"qwen3vl_32b": llm()}),
    "hunyuan_image": Kind("hunyuan_image", "HunyuanImageTokenizer", "te", {"qwen25_7b": llm(), "": tiny.T5}, {}),
    "hunyuan_video15": Kind("hunyuan_image", "HunyuanVideo15Tokenizer", "te", {"qwen25_7b": llm()}, {"byt5": False}),
    "kandinsky5": Kind("kandinsky5", "Kandinsky5Tokenizer", "Kandinsky5TEModel", {"qwen25_7b": llm()}),
    "hunyuan_video": Kind("hunyuan_video", "HunyuanVideoTokenizer", "HunyuanVideoClipModel", {"llama": llm()}),
    "anima": Kind("anima", "AnimaTokenizer", "AnimaTEModel", {"qwen3_06b": llm()}),
    "lens": Kind("gpt_oss", "LensTokenizer", "LensTEModel", {}, None, harmony),
    "lumina2": Kind("lumina2", "LuminaTokenizer", "LuminaModel", {"gemma2_2b": llm()}, None, GEMMA),
    "netayume": Kind("lumina2", "NTokenizer", "te", {"gemma3_4b": llm()}, {"model_type": "gemma3_4b"}, GEMMA),
    "newbie": Kind("newbie", "NewBieTokenizer", "NewBieTEModel", {"": JINA}, None, newbie),
    "pixeldit": Kind("pixeldit", "PixelDiTGemma2Tokenizer", "PixelDiTGemma2TE", {"gemma2_2b": llm()}, None, GEMMA),
    "ltx2": Kind("lt", "LTXAVGemmaTokenizer", "ltxav_te", {"": llm()}, DUAL, GEMMA),
    "wan": Kind("wan", "WanT5Tokenizer", "WanT5Model", {"umt5xxl": tiny.T5}, None, spiece(**UMT5)),
    "hydit": Kind(
        "hydit", "HyditTokenizer", "HyditModel", {"hydit_clip": BERT, "mt5xl": tiny.T5}, None,
        spiece("mt5xl.spiece_model", **UMT5),
    ),
    "auraflow": Kind("aura_t5", "AuraT5Tokenizer", "AuraT5Model", {"pile_t5xl": tiny.T5}),
    "ltxv": Kind("lt", "LTXVT5Tokenizer", "ltxv_te", {}, {}),
    "mochi": Kind("genmo", "MochiT5Tokenizer", "MochiT5XXL"),
    "cosmos": Kind("cosmos", "CosmosT5Tokenizer", "CosmosT5XXL", {"": tiny.T5}),
    "cogvideo": Kind("cogvideo", "CogVideoXTokenizer", "CogVideoXT5XXL"),
    "pixart": Kind("pixart_t5", "PixArtTokenizer", "PixArtT5XXL"),
}  # fmt: skip


_NEEDS = dict.fromkeys(("hidream", "hunyuan_video", "flux2", "ernie"), "bpe_tokenizer") | {"ltx2": "gemma4"}
"""Of the host: its own reader of vocabularies; before Gemma 4, LTX-2's sizes could not be chosen."""


def is_known(name: str) -> bool:
    """Whether this host has what an encoder needs."""
    return has(ENCODERS[name].module) and has(_NEEDS.get(name, "llama"))


def encoder(name: str, **make):
    """A CLIP of the host with random weights; `make` are further arguments of its class."""
    from comfy.sd import CLIP
    from comfy.supported_models_base import ClipTarget
    from comfy.text_encoders import hunyuan_video

    kind = ENCODERS[name]
    module = import_module(f"comfy.text_encoders.{kind.module}")
    tokenizer = getattr(module, kind.tokenizer, None) or getattr(hunyuan_video, kind.tokenizer)
    model = getattr(module, kind.model)
    model = partial(model, **make) if kind.make is None else model(**kind.make | make)
    sizes = {"clip_l": tiny.CLIP_L, "clip_g": tiny.CLIP_G, "t5xxl": tiny.T5_WIDE if name == "hidream" else tiny.T5}
    options = {f"{part}_model_config": size for part, size in (sizes | kind.sizes).items()}
    options |= {"dtype": torch.float32, "gpt_oss_config": GPT_OSS}
    with small_eyes(), small_vocabularies():
        target = ClipTarget(tokenizer, lambda **given: filled(model(**given)))
        return CLIP(target, model_options=options, tokenizer_data=kind.vocabulary())


def filled(model: torch.nn.Module) -> torch.nn.Module:
    """Seeded random weights, also where the host makes them as it loads (Lens); BERT's rows show their own token."""
    for part in model.modules():
        if hasattr(part, "_orig_shape") and getattr(part, "weight", None) is None:
            part.weight = torch.nn.Parameter(torch.empty(part._orig_shape))
    tiny.fill(model)
    for part in model.modules():
        if type(part).__name__ == "BertOutput":
            torch.nn.init.zeros_(part.dense.weight)
    return model
