"""A prompt split into its subject, its scene and the words that name something to see."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..attention.words import PLACES, content_words, plain

if TYPE_CHECKING:
    from spacy.language import Language

_PIPELINES = ("en_core_web_sm", "en_core_web_md", "en_core_web_lg", "en_core_web_trf")
_SEEN = {"NOUN", "PROPN", "ADJ", "VERB"}
_MEDIUM = re.compile(
    r"\s*(?:(?:an?|the)\s+)?(?:(?!an?\s|the\s)[\w-]+\s+){0,3}?"
    r"(?:photo|photograph|picture|image|painting|drawing|sketch|illustration|render|rendering|portrait|close-?up|shot|"
    r"poster|watercolou?r)\s+of\s+",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+(?:['’-]\w+)*")


@dataclass(frozen=True)
class Word:
    """A word of the text: where it stands, and its part of speech if a pipeline said so (Universal POS tag)."""

    text: str
    start: int
    pos: str = ""


@dataclass(frozen=True)
class Split:
    """Parts of a prompt as typed; `method` says what found them."""

    subject: str
    scene: str
    content: list[str]
    method: str


def split(text: str, pipeline: Language | None) -> Split:
    """Splits at the first preposition of place; a text that starts with one has its subject after the first comma.

    text: a prompt; weights are taken off, and 'a photo of' before the subject is left out.
    pipeline: what `load_pipeline` returned. Without a preposition everything is subject.
    """
    text = plain(text)
    medium = _MEDIUM.match(text)
    body = text[medium.end() :] if medium else text
    words, method = _read(body, pipeline)
    subject, scene = _cut(body, next(filter(_opens_scene, words), None))
    return Split(_tidy(subject), _tidy(scene), _content(words), method)


def _cut(text: str, preposition: Word | None) -> tuple[str, str]:
    if preposition is None:
        return text, ""
    subject, scene = text[: preposition.start], text[preposition.start + len(preposition.text) :]
    if subject.strip():
        return subject, scene
    scene, _, subject = scene.partition(",")  # 'in a forest, a red cat'
    return subject, scene


def load_pipeline() -> Language | None:
    """An installed English pipeline, else spaCy's blank English, else None where spaCy is missing or broken."""
    try:
        import spacy
    except Exception as error:  # a spaCy built for another numpy or pydantic fails in many ways
        logging.getLogger(__name__).info("Split Subject Scene works without spaCy (%s).", error)
        return None
    installed = spacy.util.get_installed_models()
    name = next((name for name in _PIPELINES if name in installed), None)
    return spacy.load(name) if name else spacy.blank("en")


def _read(text: str, pipeline: Language | None) -> tuple[list[Word], str]:
    if pipeline is None:
        return [Word(match[0], match.start()) for match in _WORD.finditer(text)], "regular expression and prepositions"
    tokens = [token for token in pipeline(text) if not (token.is_space or token.is_punct)]
    words = [Word(token.text, token.idx, token.pos_) for token in tokens]
    if any(word.pos for word in words):
        return words, f"spaCy pipeline {pipeline.meta['lang']}_{pipeline.meta['name']}"
    return words, "spaCy tokenizer and prepositions"


def _opens_scene(word: Word) -> bool:
    """A preposition of place; with parts of speech, only a real one ('the lights turned on' has a particle)."""
    return word.text.lower() in PLACES and word.pos in ("", "ADP")


def _content(words: list[Word]) -> list[str]:
    if any(word.pos for word in words):
        return list(dict.fromkeys(word.text for word in words if word.pos in _SEEN))
    return content_words(word.text for word in words)


def _tidy(part: str) -> str:
    """Without the space and commas at the ends; brackets are escaped again, so that an encoder reads no weight."""
    return re.sub(r"\s+", " ", part).strip(" ,;").replace("(", "\\(").replace(")", "\\)")
