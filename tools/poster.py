"""Draws what stands for the pack: the README's first picture, the registry's icon and banner. Needs Pillow."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw, ImageFont

INK, PAPER, PALE, NIGHT = "#20242c", "#ffffff", "#eef1f6", "#141a2b"
RED, BLUE = "#dc1a1f", "#1a47e0"  # of TinyScenes' things
SKY, SNOW = "#b9cbe4", "#f4f7fc"
TILE, GAP, EDGE = 224, 10, 24  # pixels of the first picture: a result, between results, around all
ICON, BANNER = 400, (1260, 540)  # pixels; the registry wants a square of at most 400, and 21:9
FINE = 4  # shapes are drawn so much larger, then made small, for smooth edges

Regions = list[tuple[str, tuple[float, float, float, float], str]]  # phrase; left, top, width, height in 0..1; colour


def text(pen: ImageDraw.ImageDraw, at: tuple[float, float], words: str, size: int, fill=INK, anchor="la") -> None:
    pen.text(at, words, fill=fill, font=ImageFont.load_default(size), anchor=anchor)


def corners(box: tuple[float, float, float, float], side: int) -> tuple[float, ...]:
    """left, top, right, bottom in pixels of a square picture."""
    left, top, width, height = box
    return left * side, top * side, (left + width) * side, (top + height) * side


def framed(picture: Image.Image, regions: Regions, side: int) -> Image.Image:
    """A result, `side` pixels square, with the outline of each region."""
    out = picture.convert("RGB").resize((side, side), Image.LANCZOS)
    pen = ImageDraw.Draw(out)
    for _, box, colour in regions:
        pen.rectangle(corners(box, side), outline=colour, width=max(2, side // 90))
    return out


def drawn(regions: Regions, side: int) -> Image.Image:
    """The regions alone, as they were drawn: filled boxes with their phrases."""
    out = Image.new("RGB", (side, side), PALE)
    pen = ImageDraw.Draw(out, "RGBA")
    pen.rectangle((0, 0, side - 1, side - 1), outline="#c3cad6")
    for phrase, box, colour in regions:
        left, top, right, bottom = corners(box, side)
        pen.rectangle((left, top, right, bottom), fill=colour + "40", outline=colour, width=3)
        text(pen, ((left + right) / 2, (top + bottom) / 2), phrase.replace(" ", "\n", 1), 18, anchor="mm")
    return out


def rows(without: list[Image.Image], within: list[Image.Image], regions: Regions, side: int, ink: str, paper: str):
    """Results above each other, the same seed in a column: `without` over `within`, each row with its label."""
    label, count = side // 10 + 8, len(without)
    out = Image.new("RGB", (count * (side + GAP) - GAP, 2 * (side + label) + GAP), paper)
    pen = ImageDraw.Draw(out)
    for row, (words, pictures) in enumerate((("without", without), ("with regions", within))):
        y = row * (side + label + GAP)
        text(pen, (0, y + label / 2 - 2), words, side // 11 + 2, ink, "lm")
        for column, picture in enumerate(pictures):
            out.paste(framed(picture, regions, side), (column * (side + GAP), y + label))
    return out


def hero(prompt: str, without: list[Image.Image], within: list[Image.Image], regions: Regions) -> Image.Image:
    """What is drawn and written on the left, what comes of it on the right."""
    grid, panel = rows(without, within, regions, TILE, INK, PAPER), TILE + 40
    out = Image.new("RGB", (4 * EDGE + panel + grid.width, 2 * EDGE + grid.height), PAPER)
    pen = ImageDraw.Draw(out)
    out.paste(grid, (out.width - EDGE - grid.width, EDGE))
    text(pen, (EDGE, EDGE + 14), "draw where each phrase goes", 19, anchor="lm")
    out.paste(drawn(regions, panel), (EDGE, EDGE + 32))
    y = EDGE + 32 + panel + 24
    text(pen, (EDGE, y), "the prompt", 20)
    for i, line in enumerate([*wrapped(prompt, 26), "", "same seed in each column"]):
        text(pen, (EDGE, y + 32 + 28 * i), line, 19, "#555d6b")
    return out


def wrapped(words: str, width: int) -> list[str]:
    """Lines of at most `width` characters."""
    lines = [""]
    for word in words.split():
        lines = [*lines[:-1], f"{lines[-1]} {word}".strip()] if len(lines[-1] + word) < width else [*lines, word]
    return lines


def star(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """Corners of a five-pointed star."""
    turns = [(math.pi * (i / 5 - 0.5), radius * (0.46, 1.05)[i % 2 == 0]) for i in range(10)]
    return [(x + r * math.cos(a), y + r * math.sin(a)) for a, r in turns]


def selected(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], colour: str) -> None:
    """A region as it looks when it is chosen: its outline with a handle at each corner."""
    pen.rectangle(box, fill=colour + "38", outline=colour, width=9 * FINE)
    left, top, right, bottom = box
    for x in (left + 5 * FINE, right - 5 * FINE):
        for y in (top + 5 * FINE, bottom - 5 * FINE):
            reach = 13 * FINE
            pen.rectangle((x - reach, y - reach, x + reach, y + reach), fill=PAPER, outline=colour, width=6 * FINE)


def icon() -> Image.Image:
    """A red circle and a blue star in the snow, each in the box that was drawn for it; the corners are transparent."""
    side = ICON * FINE
    out = Image.new("RGB", (side, side), SKY)
    pen = ImageDraw.Draw(out, "RGBA")
    pen.ellipse((-0.5 * side, 0.52 * side, 1.1 * side, 1.9 * side), fill=SNOW)
    pen.ellipse((0.4 * side, 0.6 * side, 1.7 * side, 1.9 * side), fill="#e6edf8")
    line = 9 * FINE
    selected(pen, tuple(round(v * side) for v in (0.09, 0.09, 0.54, 0.54)), RED)
    pen.ellipse([v * side for v in (0.165, 0.165, 0.465, 0.465)], fill=RED, outline=INK, width=line)
    selected(pen, tuple(round(v * side) for v in (0.46, 0.46, 0.91, 0.91)), BLUE)
    points = star(0.685 * side, 0.7 * side, 0.17 * side)
    pen.polygon(points, fill=BLUE)
    pen.line([*points, *points[:2]], fill=INK, width=line, joint="curve")
    shape = Image.new("L", (side, side))
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, side - 1, side - 1), side // 6, fill=255)
    out.putalpha(shape)
    return out.resize((ICON, ICON), Image.LANCZOS)


def banner(without: list[Image.Image], within: list[Image.Image], regions: Regions) -> Image.Image:
    """The pack's name and what it does, beside results."""
    out = Image.new("RGB", BANNER, NIGHT)
    grid = rows(without, within, regions, 206, "#c6cee0", NIGHT)
    out.paste(grid, (BANNER[0] - grid.width - 36, (BANNER[1] - grid.height) // 2 - 4))
    mark = icon().resize((108, 108), Image.LANCZOS)
    out.paste(mark, (48, 56), mark)
    pen = ImageDraw.Draw(out)
    text(pen, (48, 186), "Latent", 70, PAPER)
    text(pen, (48, 262), "Manipulation", 70, PAPER)
    for i, line in enumerate(
        ("regions, masks, kept subjects,", "image bias, concepts and styles,", "in your own ComfyUI graph")
    ):
        text(pen, (50, 372 + 36 * i), line, 27, "#c6cee0")
    return out
