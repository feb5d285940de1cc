"""What a template's picture is made with, but for the frontend (tests/live/test_templates.py)."""

import io

import pytest
from pack.tools import picture

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: run tests/run.py")


def test_a_card_shows_the_picture_of_the_same_effect_above_a_dark_band(tmp_path):
    shown = Image.new("RGB", (512, 512), "white")
    shown.paste((0, 0, 255), (100, 200, 200, 250))  # what a template painted, on white
    shown.save(tmp_path / "Mask - x.jpg", quality=100)
    made = Image.open(io.BytesIO(picture.card("Mask - x (SDXL)", tmp_path)))
    assert made.size == (512, 512) and made.getpixel((4, 500)) == (0x20, 0x24, 0x2C)
    red, _, blue = made.getpixel((256, 210))
    assert red < 8 and blue > 247  # in the middle above the band, as large as there is room
    assert made.getpixel((20, 210))[2] > 247 and made.getpixel((256, 20)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Mask - x (SDXL)", ("SDXL: your own checkpoint", "shown: TinyScenes, a toy model")),
        (
            "Regions - with IP-Adapter (SD1.5)",
            ("SD1.5 + IP-Adapter: your own checkpoint", "shown: TinyScenes, a toy model"),
        ),
    ],
)
def test_a_card_says_what_it_shows(name, lines):
    assert picture.band(name) == lines


def test_a_saved_picture_is_square_and_at_most_512_wide(tmp_path):
    data = io.BytesIO()
    Image.new("RGB", (1600, 400), "blue").save(data, "PNG")
    picture.save(data.getvalue(), tmp_path / "x.jpg")
    saved = Image.open(tmp_path / "x.jpg")
    assert saved.size == (512, 512)
    assert min(saved.getpixel((256, 100))) > 247 and saved.getpixel((256, 256))[2] > 247
