"""Tags what a CLIP encodes with its token pieces, so that nodes find a phrase in the conditioning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from comfy.sd import CLIP
from comfy.sd1_clip import SDClipModel, SDTokenizer
from torch import Tensor

from ...attention.layout import Chunks, Token, kept, length, place, spans
from ...attention.phrases import Encoder, Piece, Tag
from ...attention.pieces import UNREADABLE, Reader, style_of
from .encoded import Given, watched

KEY = "lm_phrases"

_COUNTED = {"lt", "gpt_oss"}
"""Host modules whose encoders make other numbers of what they gave (LTX-2, Lens); they cut rows from the front only."""

_CLIPS = {"l", "g"}
"""Encoders that stand side by side in the same rows."""

_MARKS = {"<unk>", "<pad>", "<s>", "</s>", "<bos>", "<eos>"}
"""Entries without text that sentencepiece tokenizers of the host do not list as special."""


@dataclass(frozen=True)
class TagTokens:
    """Stands for `encode_token_weights`: the same tensors, and the tag in the result's third element."""

    encode: Callable = field(repr=False)
    model: torch.nn.Module = field(repr=False)
    readers: dict[str, Reader] = field(repr=False)

    def __call__(self, tokens: dict[str, Chunks], *args, **kwargs) -> tuple[Tensor, Tensor | None, dict]:
        encoders = ((name, _encoder(self.model, name)) for name in tokens)
        with watched({name: part for name, part in encoders if isinstance(part, SDClipModel)}) as gave:
            out = self.encode(tokens, *args, **kwargs)
        extra = (out[2] if len(out) > 2 else None) or {}
        first = (0,) * (out[0].ndim - 2)  # of the batch
        tag = self.tag(tokens, gave, out[0][first], extra)
        return (*out[:2], {**extra, KEY: tag}, *out[3:])

    def tag(self, tokens: dict[str, Chunks], gave: dict[str, Given], final: Tensor, extra: dict) -> Tag:
        """The text of every encoder that can be read, and where it lies in the tensor `final` (rows, C)."""
        given = {name: chunks for name, chunks in tokens.items() if self._is_encoded(name, chunks)}
        rows = self._rows(given, gave, final, extra)
        encoders = []
        for name in filter(self.readers.__contains__, given):
            pictures = gave[name].pictures if name in gave else {}
            chunks = place(given[name], _width(self.model, name), pictures)
            pieces = (Piece(text, rows.get(name, {}).get(at)) for text, at in _texts(chunks, self.readers[name]))
            encoders.append(Encoder(name, tuple(pieces)))
        return Tag(tuple(encoders), len(final))

    def _is_encoded(self, name: str, chunks: Chunks) -> bool:
        """Tokens of an encoder that was not loaded (SD3 without T5) go nowhere."""
        return isinstance(chunks, list) and _encoder(self.model, name, default=self) is not None

    def _rows(
        self, given: dict[str, Chunks], gave: dict[str, Given], final: Tensor, extra: dict
    ) -> dict[str, dict[int, int]]:
        """Encoder -> position of its token -> row; what is not known is not in it."""
        lengths = {name: sum(map(length, chunks)) for name, chunks in given.items()}
        if "t5xxl_ids" in extra:  # Anima: the model turns the tensor into one row per T5 token
            return {"t5xxl": {row: row for row in range(lengths["t5xxl"])}}
        modules = {cls.__module__.rpartition(".")[2] for cls in type(self.model).__mro__}
        counted = bool(modules & _COUNTED)
        others = [name for name in gave if name not in _CLIPS and gave[name].states is not None and not counted]
        held = {name: kept(gave[name].rows, final) for name in others}
        whole = {name: rows for name, rows in held.items() if len(rows) == len(final)}
        if whole or not all(held.values()) or _pictured(given):
            return whole
        blocks = spans(lengths, len(final), counted)
        return {name: {row - first: row for row in range(max(first, 0), end)} for name, (first, end) in blocks.items()}


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
    special = frozenset(_marks(part).union(getattr(part.tokenizer, "all_special_ids", ())))
    pads = part.end_token is None or part.pad_token in special  # CLIP-G pads with "!", but only after its end token
    silent = frozenset({part.start_token} | ({part.pad_token} if pads else set()))
    return Reader(part.inv_vocab, style_of(part.inv_vocab.values()), part.end_token, silent, special)


def _marks(part: SDTokenizer) -> set[int]:
    """Entries like <s>, <|end|> or [INST] that stand for no text."""
    marks = {token: text for token, text in part.inv_vocab.items() if text[:1] in "<[" and text[-1:] in ">]"}
    return {token for token, text in marks.items() if text in _MARKS or not part.decode([token])}


def _pictured(given: dict[str, Chunks]) -> bool:
    """A picture takes as many rows as its size asks for."""
    return any(isinstance(token, dict) for chunks in given.values() for chunk in chunks for token, *_ in chunk)


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
