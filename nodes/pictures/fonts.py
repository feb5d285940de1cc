"""The font for words under pictures, in whatever script they are."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator

from PIL import ImageFont

SYSTEM = (  # where Pillow's own has no letters: Chinese, Japanese and Korean, then Cyrillic, Greek, Arabic, ...
    *("NotoSansCJK-Regular.ttc", "SourceHanSans-Regular.ttc", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
    *("DroidSansFallbackFull.ttf", "msyh.ttc", "YuGothM.ttc", "malgun.ttf"),
    *("PingFang.ttc", "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc", "Arial Unicode.ttf"),
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "segoeui.ttf", "Arial.ttf"),
)
NOWHERE = "\U0010ffff"  # no character: a font draws the box of those that it lacks
LACKING = "No font of this system has all letters of the labels; install one, such as Noto Sans CJK."


@functools.lru_cache(256)
def font_for(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, or the first of the system's that has every letter of a text; else one that lacks fewest."""
    letters = {letter for letter in text if letter.isprintable() and not letter.isspace()}
    best, least = None, len(letters) + 1
    for font in _fonts(size):
        lacking = _lacking(font, letters)
        if not lacking:
            return font
        best, least = (font, lacking) if lacking < least else (best, least)
    logging.getLogger(__name__).warning("Latent Manipulation: %s", LACKING)
    return best


def _fonts(size: int) -> Iterator[ImageFont.FreeTypeFont]:
    yield ImageFont.load_default(size)
    yield from filter(None, (_of_system(name, size) for name in SYSTEM))


@functools.cache
def _of_system(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    """Pillow looks for a name in the system's folders."""
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def _lacking(font: ImageFont.FreeTypeFont, letters: set[str]) -> int:
    box = bytes(font.getmask(NOWHERE))
    return sum(bytes(font.getmask(letter)) == box for letter in letters)
