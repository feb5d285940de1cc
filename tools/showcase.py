"""Makes what stands for the pack, from a run of its first template: `python tools/showcase.py [--yes]`.

pictures/hero.jpg is the README's first picture; icon.png and banner.jpg are for the registry. The template's prompt,
regions and seed are taken as they are; nothing is chosen among the results.
"""

import io
import json
from pathlib import Path

if __name__ == "__main__":
    import alias  # noqa: F401
from pack.tools.client import Client
from pack.tools.host import ROOT
from pack.tools.inside import ended, host_python
from pack.tools.server import serve

TEMPLATE = ROOT / "workflows" / "api" / "Regions - each phrase in its place.json"
PICTURES = ROOT / "pictures"
COUNT, WIDE = 4, 3  # results in a row of the first picture, and of the banner


def only(graph: dict, kind: str) -> dict:
    """The inputs of the one node of this class."""
    (found,) = [node["inputs"] for node in graph.values() if node["class_type"] == kind]
    return found


def shown(graph: dict) -> tuple[str, list]:
    """The prompt, and the regions that were drawn for it as (phrase, box, colour)."""
    (prompt,) = [
        text
        for node in graph.values()
        if (text := node["inputs"].get("text")) and node["class_type"] == "CLIPTextEncode"
    ]
    drawing = json.loads(only(graph, "LM_RegionCanvas")["drawing"])
    return prompt, [(one["phrase"], tuple(one["box"]), one["colour"]) for one in drawing["regions"]]


def single(graph: dict, count: int) -> dict:
    """The graph with `count` pictures in a row, saved one by one: first those without regions."""
    out = json.loads(json.dumps(graph))
    only(out, "EmptyLatentImage")["batch_size"] = count
    (decoded,) = [node for node, entry in out.items() if entry["class_type"] == "VAEDecode"]
    only(out, "SaveImage")["images"] = [decoded, 0]
    return out


def make(host: Path, python: Path) -> int:
    from pack.tools import poster
    from PIL import Image

    graph = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    prompt, regions = shown(graph)
    with serve(host, python) as server:
        result = Client(server.url).run(single(graph, COUNT))
    if result.errors:
        print(*result.errors, sep="\n")
        return 1
    (saved,) = [node for node, entry in graph.items() if entry["class_type"] == "SaveImage"]
    made = [Image.open(io.BytesIO(data)) for data in result.images[saved]]
    without, within = made[:COUNT], made[COUNT:]
    PICTURES.mkdir(exist_ok=True)
    poster.hero(prompt, without, within, regions).save(PICTURES / "hero.jpg", quality=90, optimize=True)
    poster.banner(without[:WIDE], within[:WIDE], regions).save(PICTURES / "banner.jpg", quality=90, optimize=True)
    poster.icon().save(PICTURES / "icon.png", optimize=True)
    return 0


if __name__ == "__main__":
    ended(lambda: make(*host_python()))
