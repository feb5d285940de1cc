"""Tags what a CLIP encodes with its token pieces, so that nodes find a phrase in the conditioning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from comfy.sd import CLIP
from comfy.sd1_clip import SDTokenizer
from torch import Tensor

from ...attention.layout import Chunks, Token, length, place, spans
from ...attention.phrases import Encoder, Piece, Tag
from ...attention.pieces import UNREADABLE, Reader, style_of

KEY = "lm_phrases"

_DROPS_TEMPLATE = {"qwen_image", "krea2", "mage_flow", "joyimage"}
"""Host modules whose encoders cut rows from the front only (the template before the prompt)."""

_MARKS = {"<unk>", "<pad>", "<s>", "</s>", "<bos>", "<eos>"}
"""Entries without text that sentencepiece tokenizers of the host do not list as special."""


@dataclass(frozen=True)
class TagTokens:
    """Stands for `encode_token_weights`: the same tensors, and the tag in the result's third element."""

    encode: Callable = field(repr=False)
    model: torch.nn.Module = field(repr=False)
    readers: dict[str, Reader] = field(repr=False)

    def __call__(self, tokens: dict[str, Chunks], *args, **kwargs) -> tuple[Tensor, Tensor | None, dict]:
        out = self.encode(tokens, *args, **kwargs)
        extra = (out[2] if len(out) > 2 else None) or {}
        tag = self.tag(tokens, out[0].shape[-2], extra)
        return (*out[:2], {**extra, KEY: tag}, *out[3:])

    def tag(self, tokens: dict[str, Chunks], rows: int, extra: dict) -> Tag:
        """The text of every encoder that can be read, and where it lies in a tensor of `rows` tokens."""
        given = {name: chunks for name, chunks in tokens.items() if self._is_encoded(name, chunks)}
        blocks = self._blocks(given, rows, extra)
        encoders = []
        for name in filter(self.readers.__contains__, given):
            first, end = blocks.get(name, (0, 0))
            chunks = place(given[name], _width(self.model, name))
            texts = ((text, at + first) for text, at in _texts(chunks, self.readers[name]))
            pieces = (Piece(text, row if 0 <= row < end else None) for text, row in texts)
            encoders.append(Encoder(name, tuple(pieces)))
        return Tag(tuple(encoders), rows)

    def _is_encoded(self, name: str, chunks: Chunks) -> bool:
        """Tokens of an encoder that was not loaded (SD3 without T5) go nowhere."""
        return isinstance(chunks, list) and _encoder(self.model, name, default=self) is not None

    def _blocks(self, given: dict[str, Chunks], rows: int, extra: dict) -> dict[str, tuple[int, int]]:
        if "t5xxl_ids" in extra:  # Anima: the model turns the tensor into one row per T5 token
            return {"t5xxl": (0, sum(map(length, given["t5xxl"])))}
        if any(isinstance(token, dict) for chunks in given.values() for chunk in chunks for token, *_ in chunk):
            return {}  # an image takes as many rows as its size asks for
        lengths = {name: sum(map(length, chunks)) for name, chunks in given.items()}
        modules = {cls.__module__.rpartition(".")[2] for cls in type(self.model).__mro__}
        return spans(lengths, rows, bool(modules & _DROPS_TEMPLATE))


def track_phrases(clip: CLIP) -> CLIP:
    """A clone whose conditionings carry a Tag; ValueError where its tokenizer cannot be read."""
    if clip is None:
        raise ValueError("Track Phrases got no CLIP, as this checkpoint holds no text encoder; load one beside it.")
    tracked = clip.clone()
    encode = tracked.patcher.get_model_object("encode_token_weights")
    patch = TagTokens(encode, tracked.cond_stage_model, readers(clip))
    tracked.patcher.add_object_patch("encode_token_weights", patch)
    return tracked


def read_tag(options: dict) -> Tag:
    """The tag of one conditioning entry (the dict beside its tensor); ValueError where there is none."""
    if KEY not in options:
        raise ValueError(
            "This conditioning does not say which words it was made of; put Track Phrases between the CLIP loader and "
            "the text encode node, and encode with a stock node if another one drops the words."
        )
    return options[KEY]


def readers(clip: CLIP) -> dict[str, Reader]:
    """A reader for each encoder that the CLIP's tokenizer feeds; ValueError if there is none."""
    tokens = clip.tokenize("a")
    tokenizers = {name: _tokenizer(clip.tokenizer, name) for name in tokens} if isinstance(tokens, dict) else {}
    found = {name: _reader(tokenizer) for name, tokenizer in tokenizers.items() if tokenizer is not None}
    if not found:
        raise ValueError(
            f"Track Phrases cannot read the tokenizer {type(clip.tokenizer).__name__} of this CLIP; "
            "use a text encoder of the host's own loaders, such as those of SD1, SDXL, SD3 or Flux."
        )
    return found


def _tokenizer(tokenizer: object, name: str) -> SDTokenizer | None:
    parts = (getattr(tokenizer, attribute, None) for attribute in (f"clip_{name}", name))
    return next((part for part in parts if hasattr(part, "inv_vocab") and hasattr(part, "tokenizer")), None)


def _reader(part: SDTokenizer) -> Reader:
    marks = {token for token, text in part.inv_vocab.items() if text in _MARKS}
    special = frozenset(marks.union(getattr(part.tokenizer, "all_special_ids", ())))
    pads = part.end_token is None or part.pad_token in special  # CLIP-G pads with "!", but only after its end token
    silent = frozenset({part.start_token} | ({part.pad_token} if pads else set()))
    return Reader(part.inv_vocab, style_of(part.inv_vocab.values()), part.end_token, silent, special)


def _encoder(model: torch.nn.Module, name: str, default: object = None) -> object:
    """The sub-model behind a tokenizer's key; `default` if the model does not keep it under a known name."""
    return getattr(model, f"clip_{name}", getattr(model, name, default))


def _width(model: torch.nn.Module, name: str) -> int | None:
    """Channels of an encoder's token embeddings, if they can be read."""
    transformer = getattr(_encoder(model, name), "transformer", None)
    embeddings = transformer.get_input_embeddings() if hasattr(transformer, "get_input_embeddings") else None
    return getattr(embeddings, "embedding_dim", None)


def _texts(chunks: list[list[tuple[Token, int]]], reader: Reader) -> Iterator[tuple[str, int]]:
    """Text and position of every token that is neither start, end nor padding."""
    for chunk in chunks:
        for token, at in chunk:
            readable = not torch.is_tensor(token) and not isinstance(token, dict)
            if readable and token == reader.end:
                break
            if not readable or token not in reader.silent:
                yield (reader.text(token) if readable else UNREADABLE), at
