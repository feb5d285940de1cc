"""A prompt split into its subject, what that does, its scene and the words that name something to see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...attention.words import PLACES, content_words, plain

if TYPE_CHECKING:
    from spacy.language import Language

_SEEN = {"NOUN", "PROPN", "ADJ", "VERB"}
_THINGS = {"NOUN", "PROPN", "PRON"}
_LINKS = {"AUX", "ADV", "PART", "REL"}
_CLAUSES = {"ROOT", "acl", "relcl", "advcl"}
_FINER = {"RP": "PART", "WDT": "REL", "WP": "REL", "PRP$": "DET", "POS": "DET"}
"""Tags that say more than the part of speech: particles, 'that' and 'who', 'his', possessive 's."""

_MEDIUM = re.compile(
    r"\s*(?:(?:an?|the)\s+)?(?:(?!an?\s|the\s)[\w-]+\s+){0,3}?"
    r"(?:photo|photograph|picture|image|painting|drawing|sketch|illustration|render|rendering|portrait|close-?up|shot|"
    r"poster|watercolou?r)\s+of\s+",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_PLACE = re.compile(
    r"(?<![\w'’-])(?:(?:deep|high|far|away|right|just|directly|out|up|down|from)\s+){0,3}"
    r"(?:(?:next|close|adjacent)\s+to|(?:in|out)side\s+of|in\s+between|(?:in|on|at|by)\s+(?:the\s+)?(?:very\s+)?"
    r"(?:front|top|bottom|middle|midst|heart|cent(?:er|re)|edge|side|back|end|foot|base|corner)\s+of|"
    rf"(?P<word>{'|'.join(sorted(PLACES))}))(?![\w'’-])",
    re.IGNORECASE,
)
"""Prepositions of place of one or several words, with what may stand before them ('high above', 'right next to')."""

_LONGEST = 1000
"""Characters without a space; spaCy's tokenizer needs minutes for thousands of brackets in a row."""


@dataclass(frozen=True)
class Word:
    """A word of the text: where it stands, its part of speech (Universal POS) and dependency (spaCy's labels)."""

    text: str
    start: int
    pos: str = ""
    dep: str = ""


@dataclass(frozen=True)
class Split:
    """Parts of a prompt as typed; `method` says what found them."""

    subject: str
    action: str
    scene: str
    content: list[str]
    method: str


def split(text: str, pipeline: Language | None) -> Split:
    """Splits at the first preposition of place; a text that starts with one has its subject after the first comma.

    text: a prompt; weights are taken off, and 'a photo of' before the subject is left out.
    pipeline: what `load_pipeline` returned. Only with parts of speech is the action taken out of the subject.
    Without a preposition there is no scene.
    """
    text = plain(text)
    medium = _MEDIUM.match(text)
    body = text[medium.end() :] if medium else text
    words, method = _read(body, pipeline)
    places = _places(body, words)
    start, stop, scene = _cut(body, places)
    verb, action = _verb(body, [word for word in words if start <= word.start < stop], stop)
    parts = (_tidy(body[a:b]) for a, b in ((start, verb), (action, stop), scene))
    return Split(*parts, _content(words, places), method)


def _read(text: str, pipeline: Language | None) -> tuple[list[Word], str]:
    if pipeline is None or re.search(rf"\S{{{_LONGEST}}}", text):
        return [Word(match[0], match.start()) for match in _WORD.finditer(text)], "regular expression and prepositions"
    tokens = [token for token in pipeline(text) if not (token.is_space or token.is_punct)]
    words = [Word(token.text, token.idx, _FINER.get(token.tag_, token.pos_), token.dep_) for token in tokens]
    if any(word.pos for word in words):
        return words, f"spaCy pipeline {pipeline.meta['lang']}_{pipeline.meta['name']}"
    return words, "spaCy tokenizer and prepositions"


def _places(text: str, words: list[Word]) -> list[tuple[int, int]]:
    """Where prepositions of place stand; with parts of speech, only real ones (not the first of "turned on in")."""
    pos = {word.start: word.pos for word in words}
    found = _PLACE.finditer(text)
    return [match.span() for match in found if not match["word"] or pos.get(match.start("word"), "") in ("", "ADP")]


def _cut(text: str, places: list[tuple[int, int]]) -> tuple[int, int, tuple[int, int]]:
    """Where the subject begins and ends, and where the scene does."""
    if not places:
        return 0, len(text), (0, 0)
    start, stop = places[0]
    if text[:start].strip():
        return 0, start, (stop, len(text))
    comma = text.find(",", stop)  # 'in a forest, a red cat'
    return (comma, len(text), (stop, comma)) if comma >= 0 else (0, 0, (stop, len(text)))


def _verb(text: str, words: list[Word], stop: int) -> tuple[int, int]:
    """Where the noun phrase ends and the action begins ('a lion | that is | sleeping'), else `stop` twice.

    The verb stands behind a noun ('a man reading', not 'a burning house'), or a parser says that it begins a clause.
    """
    first, named = 0, False  # `first`: of the auxiliaries and adverbs right before this word
    for i, word in enumerate(words):
        acts = word.pos in ("VERB", "AUX") or word.dep in ("acl", "relcl")
        if acts and first and _adjacent(text, words[first - 1], words[first]):
            if words[first - 1].pos in _THINGS or (named and word.dep in _CLAUSES):
                return words[first].start, _action(words[first:]).start
        if word.pos not in _LINKS:
            first = i + 1
        named = named or word.pos in _THINGS or word.pos == "NUM"
    return stop, stop


def _adjacent(text: str, left: Word, right: Word) -> bool:
    return text[left.start + len(left.text) : right.start].isspace()


def _action(words: list[Word]) -> Word:
    """The first word that is no auxiliary or 'that', unless the auxiliary is the only verb ('the sky is blue')."""
    main = any(word.pos == "VERB" for word in words)
    return next((word for word in words if word.pos not in ("AUX", "REL")), words[0]) if main else words[0]


def _content(words: list[Word], places: list[tuple[int, int]]) -> list[str]:
    """Without the nouns of prepositions ('on top of')."""
    inside = {i for start, stop in places for i in range(start, stop)}
    free = [word for word in words if word.start not in inside]
    if any(word.pos for word in words):
        return list(dict.fromkeys(word.text for word in free if word.pos in _SEEN))
    return content_words(word.text for word in free)


def _tidy(part: str) -> str:
    """Without the space and commas at the ends; brackets are escaped again, so that an encoder reads no weight."""
    return re.sub(r"\s+", " ", part).strip(" ,;").replace("(", "\\(").replace(")", "\\)")
