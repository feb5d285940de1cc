"""The host's text encoders with small towers for pictures and small vocabularies, for the time of a block."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from pack.tests import tiny_vocabularies

EYES = dict(hidden_size=32, intermediate_size=32)


def has(module: str) -> bool:
    """Whether this host has comfy.text_encoders.`module`; older ones lack some."""
    return find_spec(f"comfy.text_encoders.{module}") is not None


@contextmanager
def small_eyes() -> Iterator[None]:
    """The towers that see pictures, whose sizes are no settings in the host."""
    from comfy.text_encoders import llama, qwen_vl

    with pytest.MonkeyPatch.context() as patch:
        if has("qwen3vl"):
            _small_eyes_of_qwen3vl(patch)
        for key, value in (EYES | dict(num_attention_heads=2, num_hidden_layers=1)).items():
            patch.setitem(llama.GEMMA3_VISION_CONFIG, key, value)
        tower = qwen_vl.Qwen2VLVisionTransformer
        small = EYES | dict(num_heads=2, num_layers=1)
        patch.setattr(qwen_vl, "Qwen2VLVisionTransformer", lambda **given: tower(**given | small))
        yield


def _small_eyes_of_qwen3vl(patch: pytest.MonkeyPatch) -> None:
    from comfy.text_encoders import qwen3vl

    for sizes in qwen3vl.QWEN3VL_VISION.values():
        for key, value in (EYES | dict(depth=1, deepstack_visual_indexes=[0])).items():
            patch.setitem(sizes, key, value)
    patch.setitem(qwen3vl.QWEN3VL_VISION_COMMON, "num_heads", 2)


@contextmanager
def small_vocabularies() -> Iterator[None]:
    """Llama 3's file lies in no host."""
    from transformers import Qwen2Tokenizer, T5TokenizerFast

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if has("bpe_tokenizer"):
            tiny_vocabularies.llama(Path(folder))
            bpe = import_module("comfy.text_encoders.bpe_tokenizer")
            patch.setattr(bpe, "from_tokenizer_json", partial(lambda read, path: read(folder), bpe.from_tokenizer_json))
        for kind in (Qwen2Tokenizer, T5TokenizerFast):
            patch.setattr(kind, "from_pretrained", partial(shared, kind.from_pretrained))
        yield


@cache
def shared(read: Callable, folder: str):
    """The tokenizers of most encoders, whose files and vocabularies are read once."""
    tokenizer = read(folder)
    tokenizer.get_vocab = cache(tokenizer.get_vocab)
    return tokenizer
