"""Small vocabularies in the formats of tokenizers whose files come with the weights, not with the host.

The host's own classes read them. Ids that its encoders look for (a template's marks) are the real ones.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path

import torch

WORDS = ("a", "red", "cat", "dog", "on", "beach", "user", "image", "Describe", "the", "background")
LLAMA_MARKS = {"<|begin_of_text|>": 128000, "<|start_header_id|>": 128006, "<|end_header_id|>": 128007}
LLAMA_MARKS |= {"<|eot_id|>": 128009, "<image>": 128257, "<pad>": 128258}
LLAMA_IDS = {"user": 882, "\n\n": 271}
TEKKEN_MARKS = {"<unk>": 0, "<s>": 1, "</s>": 2, "[INST]": 3, "[/INST]": 4, "<pad>": 11}
TEKKEN_MARKS |= {"[SYSTEM_PROMPT]": 17, "[/SYSTEM_PROMPT]": 18}
HARMONY_MARKS = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>")


def sentencepiece(pad: int, end: int, start: int, unknown: int) -> torch.Tensor:
    """A sentencepiece model of WORDS as the host keeps it: bytes (N,)."""
    from sentencepiece import SentencePieceTrainer

    model, ids = io.BytesIO(), dict(pad_id=pad, eos_id=end, bos_id=start, unk_id=unknown)
    sentences = iter([" ".join(WORDS)] * 20)
    SentencePieceTrainer.train(
        sentence_iterator=sentences, model_writer=model, model_type="word", vocab_size=40, hard_vocab_limit=False,
        minloglevel=2, **ids,
    )  # fmt: skip
    return torch.frombuffer(bytearray(model.getvalue()), dtype=torch.uint8)


def llama(folder: Path) -> None:
    """Writes tokenizer.json, byte-level BPE with Llama 3's marks."""
    ids, merges = _byte_pairs()
    for text, number in LLAMA_IDS.items():
        ids["".join(_CHARS[byte] for byte in text.encode())] = number
    pattern = {"type": "Split", "pattern": {"Regex": _pattern()}}
    start = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|begin_of_text|>"}}]}
    marks = [{"content": text, "id": number} for text, number in LLAMA_MARKS.items()]
    model = {"vocab": ids, "merges": [" ".join(pair) for pair in merges]}
    parts = {"model": model, "added_tokens": marks, "pre_tokenizer": pattern, "post_processor": start}
    (folder / "tokenizer.json").write_text(json.dumps(parts), encoding="utf-8")


def tekken() -> bytes:
    """Mistral's format: bytes first, then the beginnings of each word."""
    parts = [bytes([byte]) for byte in range(256)] + [part.encode() for part in _beginnings() if len(part) > 1]
    vocabulary = [{"rank": n, "token_bytes": base64.b64encode(part).decode()} for n, part in enumerate(parts)]
    marks = [{"rank": number, "token_str": text} for text, number in TEKKEN_MARKS.items()]
    config = {"default_num_special_tokens": 1000, "default_vocab_size": 1000 + len(parts)}
    return json.dumps({"config": config, "vocab": vocabulary, "special_tokens": marks}).encode()


def harmony(template: str) -> torch.Tensor:
    """A tokenizer.json with the marks of GPT-OSS and a template's words as the host keeps it: bytes (N,)."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(*_byte_pairs(re.findall("[A-Za-z]+", template))))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(list(HARMONY_MARKS))
    return torch.frombuffer(bytearray(tokenizer.to_str().encode()), dtype=torch.uint8)


def _beginnings(more: Iterable[str] = ()) -> list[str]:
    """Of each word with a space before it and without, shorter ones first: pairs that merge stand before."""
    words = [*WORDS, *more]
    words += [*(f" {word}" for word in words), "\n\n"]
    return list(dict.fromkeys(word[:n] for word in words for n in range(1, len(word) + 1)))


def _byte_pairs(more: Iterable[str] = ()) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """GPT-2's stand-ins for bytes -> id, and which two pieces merge."""
    parts = ["".join(_CHARS[byte] for byte in part.encode()) for part in _beginnings(more) if len(part) > 1]
    ids = {char: byte for byte, char in _CHARS.items()} | {part: 256 + n for n, part in enumerate(parts)}
    return ids, [(part[:-1], part[-1]) for part in parts]


def _stand_ins() -> dict[int, str]:
    from pack.attention.pieces import _byte_of_char

    return {byte: char for char, byte in _byte_of_char().items()}


def _pattern() -> str:
    from comfy.text_encoders.bpe_tokenizer import _LLAMA_PATTERN

    return _LLAMA_PATTERN


_CHARS = _stand_ins()
