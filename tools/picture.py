"""Pictures of templates: what a graph paints, or a card where that takes a checkpoint file."""

import io
import re
from pathlib import Path

from .client import Client

SIDE, QUALITY = 512, 90  # pixels, JPEG quality
BAND, MARGIN, DARK = 92, 8, "#20242c"  # a card's: pixels of the band below, around the picture, the band's colour
OWN = re.compile(r"(?: with (\S+))? \((\w[\w.]*)\)$")  # ends the title of a template for a checkpoint file
LIKE = {  # such a template -> the one with the same effect, where that has another title
    "Keep my subject - own picture (SD1.5)": "Keep my subject - new scene",
    "Regions - with ControlNet (SD1.5)": "Regions - with ControlNet",
    "Regions - with IP-Adapter (SD1.5)": "Regions - with IP-Adapter",
}


def painted(url: str, graph: dict, inputs: Path) -> tuple[list[str], bytes]:
    """What went wrong, and the picture that an API graph saves. inputs: folder of its input pictures."""
    client = Client(url)
    client.upload_inputs(graph, inputs)
    result = client.run(graph)
    if result.errors or not result.images:
        return result.errors or ["made no picture"], b""
    (saved,) = [node for node, entry in graph.items() if entry["class_type"] == "SaveImage"]
    return [], result.images[saved][-1]


def card(name: str, folder: Path) -> bytes:
    """A square PNG for a template that takes a checkpoint file: the effect as TinyScenes shows it, from its picture in
    `folder`, and a band that says so."""
    from PIL import Image, ImageDraw, ImageFont, ImageOps

    shown = Image.open(folder / f"{LIKE.get(name, OWN.sub('', name))}.jpg").convert("RGB")
    shown = shown.crop(ImageOps.invert(shown.convert("L")).point(lambda grey: 255 * (grey > MARGIN)).getbbox())
    room = (SIDE - 2 * MARGIN, SIDE - BAND - 2 * MARGIN)
    made = Image.new("RGB", (SIDE, SIDE), "white")
    made.paste(ImageOps.pad(shown, room, color="white"), (MARGIN, MARGIN))
    pen = ImageDraw.Draw(made)
    pen.rectangle((0, SIDE - BAND, SIDE, SIDE), fill=DARK)
    for text, (middle, size) in zip(band(name), ((34, 26), (70, 20)), strict=True):
        font = ImageFont.load_default(size)
        pen.text((SIDE / 2, SIDE - BAND + middle), text, fill="white", font=font, anchor="mm")
    data = io.BytesIO()
    made.save(data, "PNG")
    return data.getvalue()


def band(name: str) -> tuple[str, str]:
    """The two lines below a card's picture."""
    other, family = OWN.search(name).groups()
    more = f" + {other}" if other else ""
    return f"{family}{more}: your own checkpoint", "shown: TinyScenes, a toy model"


def save(data: bytes, path: Path) -> None:
    """A picture as a square JPEG of at most 512 pixels across, on white."""
    from PIL import Image, ImageOps

    image = Image.open(io.BytesIO(data)).convert("RGB")
    side = min(SIDE, max(image.size))
    image = ImageOps.pad(image, (side, side), color="white")
    image.save(path, quality=QUALITY, optimize=True)
