"""Vocabulary entries of tokenizers as plain text, where a space marks the edge of a word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

UNREADABLE = "\ufffc"
"""Stands for a token without text (an embedding, an unknown character): no phrase reaches across it."""

_MARKS = {
    "clip": lambda piece: piece.endswith("</w>"),
    "byte": lambda piece: piece.startswith("Ġ"),
    "sentencepiece": lambda piece: piece.startswith("▁"),
    "wordpiece": lambda piece: piece.startswith("##"),
}


@dataclass(frozen=True)
class Reader:
    """One encoder's tokenizer, reduced to what turns token ids into text."""

    vocabulary: dict[int, str]
    style: str
    end: int | None
    """Ends the text of a chunk; only padding follows."""
    silent: frozenset[int]
    """Start and padding tokens: no text, and words reach across them into the next chunk."""
    special: frozenset[int]
    """Unknown characters and template marks: no text, and words end there."""

    def text(self, token: int) -> str:
        """The text of a vocabulary id."""
        known = token in self.vocabulary and token not in self.special
        return text_of(self.vocabulary[token], self.style) if known else UNREADABLE


def style_of(vocabulary: Iterable[str]) -> str:
    """How a vocabulary marks words: 'clip' (</w> ends one), 'byte' (GPT-2), 'sentencepiece' or 'wordpiece'."""
    pieces = list(vocabulary)
    counts = {style: sum(map(mark, pieces)) for style, mark in _MARKS.items()}
    return max(counts, key=counts.get)


def text_of(piece: str, style: str) -> str:
    """A vocabulary entry as text: 'cat</w>' -> 'cat ', '▁cat' -> ' cat', 'Ġcat' -> ' cat'.

    A piece that holds only some bytes of a character gives lone surrogates (PEP 383); joined pieces are whole again.
    """
    if style == "clip":
        return _from_bytes(piece.removesuffix("</w>")) + (" " if piece.endswith("</w>") else "")
    if style == "byte":
        return _from_bytes(piece)
    if style == "wordpiece":
        return piece.removeprefix("##") if piece.startswith("##") else " " + piece
    if re.fullmatch(r"<0x[0-9A-F]{2}>", piece):
        return bytes([int(piece[3:5], 16)]).decode("utf-8", "surrogateescape")
    return piece.replace("▁", " ")


def _from_bytes(piece: str) -> str:
    table = _byte_of_char()
    if not all(char in table for char in piece):
        return piece
    return bytes(table[char] for char in piece).decode("utf-8", "surrogateescape")


@cache
def _byte_of_char() -> dict[str, int]:
    """GPT-2's printable stand-ins for the 256 bytes (github.com/openai/gpt-2, src/encoder.py, bytes_to_unicode)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}
