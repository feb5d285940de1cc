"""The spaCy pipeline that reads English on this machine."""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

_LOG = logging.getLogger(__name__)
_BROKEN = (ImportError, OSError, ValueError)
"""What a pipeline raises that was made for another spaCy, or lacks a file or a package."""


def load_pipeline() -> Language | None:
    """An installed English pipeline, else spaCy's blank English, else None where spaCy is missing or broken."""
    try:
        import spacy
    except Exception as error:  # a spaCy built for another numpy or pydantic fails in many ways
        _LOG.info("Split Subject and Scene works without spaCy (%s).", error)
        return None
    for name in trained():
        try:
            return _load(name)
        except _BROKEN as error:
            _LOG.warning("Split Subject and Scene cannot load the spaCy pipeline %s (%s).", name, error)
    return spacy.blank("en")


def trained() -> list[str]:
    """The installed English pipelines with a tagger, whatever their names: those with a parser first, then by name."""
    found = []
    for name, parts in _installed():
        if "tagger" in parts or "morphologizer" in parts:
            found.append(("parser" not in parts, name))
    return [name for _, name in sorted(found)]


def _installed() -> list[tuple[str, list[str]]]:
    """Names and parts of the English pipelines that packages declare to spaCy."""
    from spacy import util

    found = []
    for name in util.get_installed_models():
        try:
            meta = util.get_model_meta(os.path.dirname(util.registry.models.get(name).__file__))
        except _BROKEN as error:
            _LOG.warning("Split Subject and Scene cannot read the spaCy pipeline %s (%s).", name, error)
            continue
        if meta["lang"] == "en":
            found.append((name, meta.get("pipeline", [])))
    return found


@lru_cache(maxsize=1)  # loading takes a second, and a pipeline reads every text afresh
def _load(name: str) -> Language:
    from spacy import util

    return util.registry.models.get(name).load()  # spacy.load wants the package to be called as its module is
