"""Letters that Pillow's own font lacks."""

import pytest

pytest.importorskip("PIL")

from PIL import ImageFont


@pytest.fixture
def fonts(comfy):
    from pack.nodes.pictures import fonts

    fonts.font_for.cache_clear()
    yield fonts
    fonts.font_for.cache_clear()


def test_latin_letters_stay_in_pillows_own_font(fonts):
    assert fonts.font_for("a dog, 12 %", 20).getname() == ImageFont.load_default(20).getname()


@pytest.mark.parametrize(("text", "other"), [("猫", "狗"), ("ж", "щ"), ("α", "ω")])
def test_other_letters_are_told_apart_or_the_log_says_why_not(fonts, text, other, caplog):
    one, another = (bytes(fonts.font_for(letter, 20).getmask(letter)) for letter in (text, other))
    if one == another:
        assert fonts.LACKING in caplog.text
    else:
        assert not caplog.text


def test_a_font_of_the_system_is_taken_where_the_own_one_lacks_letters(fonts, monkeypatch, caplog):
    """As if a font for Latin letters had only boxes for ż and ł, and the system another font."""
    own, other = ImageFont.load_default(20), ImageFont.load_default(21)
    boxes = {id(own): set("żł"), id(other): set("ł")}
    monkeypatch.setattr(fonts, "_fonts", lambda size: iter([own, other]))
    monkeypatch.setattr(fonts, "_lacking", lambda font, letters: len(letters & boxes[id(font)]))
    assert fonts.font_for("ż", 20) is other and fonts.font_for("z", 20) is own
    assert not caplog.text
    assert fonts.font_for("żł", 20) is other and fonts.LACKING in caplog.text
