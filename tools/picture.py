"""Pictures of templates: what a graph paints, or the graph itself where that takes a checkpoint file."""

import io
import shutil
import tempfile
from pathlib import Path

from .browser import in_frontend, wrong
from .client import Client

SIDE, QUALITY = 512, 90  # pixels, JPEG quality
CANVAS, MARGIN, DARK = (60, 88, 1430, 820), 10, 40  # of a screenshot: pixels without bars, around, its background
MODELS = {"ckpt_name": "checkpoints", "control_net_name": "controlnet"}  # a loader's input: its folder


def painted(url: str, graph: dict, inputs: Path) -> tuple[list[str], bytes]:
    """What went wrong, and the picture that an API graph saves. inputs: folder of its input pictures."""
    client = Client(url)
    client.upload_inputs(graph, inputs)
    result = client.run(graph)
    if result.errors or not result.images:
        return result.errors or ["made no picture"], b""
    (saved,) = [node for node, entry in graph.items() if entry["class_type"] == "SaveImage"]
    return [], result.images[saved][-1]


def stand_ins(base: Path, host: Path, graph: dict) -> bool:
    """Whether a graph needs model files; then puts empty ones of their names into a server's base folder, and the
    host's example picture, so that the frontend has nothing to complain of."""
    inputs = [item for node in graph.values() for item in node["inputs"].items()]
    files = [base / "models" / MODELS[name] / value for name, value in inputs if name in MODELS]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    if files:
        (base / "input").mkdir(exist_ok=True)
        shutil.copy(host / "input" / "example.png", base / "input")
    return bool(files)


def opened(url: str, graph: dict) -> tuple[list[str], bytes]:
    """What the frontend could not open, and a screenshot of a saved template {name, ui} in it, cut to its nodes."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        (answer,) = in_frontend(url, [graph], Path(folder))
        shot = Image.open(Path(folder) / f"{graph['name']}.png").convert("RGB").crop(CANVAS)
    left, top, right, bottom = shot.convert("L").point(lambda grey: 255 * (grey > DARK)).getbbox()
    data = io.BytesIO()
    shot.crop((left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN)).save(data, "PNG")
    return wrong(answer), data.getvalue()


def save(data: bytes, path: Path) -> None:
    """A picture as a square JPEG of at most 512 pixels across, on white."""
    from PIL import Image, ImageOps

    image = Image.open(io.BytesIO(data)).convert("RGB")
    side = min(SIDE, max(image.size))
    image = ImageOps.pad(image, (side, side), color="white")
    image.save(path, quality=QUALITY, optimize=True)
