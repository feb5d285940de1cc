"""Sets up, starts the real host and makes the templates' pictures with TinyScenes: `python demo/run.py [--yes]`.

Any Python from 3.10 on starts it; it goes on with the host's. Pictures and a contact sheet go to demo/out/.
LATENT_MANIPULATION_PACKS names the folders of other packs; a template that needs one that is not there is left out.
"""

import io
import json
import math
import sys
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
sys.path[0] = str(ROOT / "tools")
import alias  # noqa: E402, F401
from pack.tools.client import Client, Result  # noqa: E402
from pack.tools.inside import ended, host_python  # noqa: E402
from pack.tools.server import named_packs, serve  # noqa: E402

GRAPHS = ROOT / "workflows" / "api"
INPUTS = ROOT / "workflows" / "inputs"
OUT = ROOT / "demo" / "out"
COLUMNS, WIDE, HIGH, MOST = 3, 380, 290, 2000  # the contact sheet, in pixels: a picture at most, all of it at most
FIRST = (
    "Regions - each phrase in its place",
    "Keep my subject - new scene",
    "Bias - one look for a comic",
    "Mask - a phrase in a picture",
    "Concepts - add and remove",
    "Keep my subject - and edit the scene",
    "Regions - swap two subjects",
    "Regions - find a thing and place it",
    "Slider - style strength",
)
GAP, LABEL = 10, 18  # pixels between pictures, of a label's height


def load_graphs(folder: Path = GRAPHS) -> dict[str, dict]:
    """Name -> API graph, the most convincing ones first, without those that need a checkpoint file."""
    order = {name: place for place, name in enumerate(FIRST)}
    paths = sorted(folder.glob("*.json"), key=lambda path: (order.get(path.stem, len(FIRST)), path))
    graphs = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
    return {name: graph for name, graph in graphs.items() if "CheckpointLoaderSimple" not in classes(graph)}


def classes(graph: dict) -> set[str]:
    return {node["class_type"] for node in graph.values()}


def runnable(graphs: dict[str, dict], known: set[str]) -> dict[str, dict]:
    """Those whose node classes are all known; says which others need nodes of another pack."""
    for name, graph in graphs.items():
        missing = classes(graph) - known
        if missing:
            print(f"{name}: left out, it needs {', '.join(sorted(missing))} of another pack", flush=True)
    return {name: graph for name, graph in graphs.items() if classes(graph) <= known}


def save(name: str, graph: dict, result: Result) -> list[Path]:
    """Writes what a graph's Save Image nodes made, not what other nodes show, to demo/out/<name>-<n>.png; n counts from
    1 in the order of the node ids."""
    paths = []
    saved = [node for node in result.images if graph[node]["class_type"] == "SaveImage"]
    for node in sorted(saved, key=lambda node: (len(node), node)):
        for picture in result.images[node]:
            paths.append(OUT / f"{name}-{len(paths) + 1}.png")
            paths[-1].write_bytes(picture)
    return paths


def contact_sheet(paths: list[Path]) -> bytes:
    """All pictures, none enlarged, three in a row, each above its file's name, at most 2000 pixels high, as one PNG."""
    from PIL import Image, ImageDraw

    rows = math.ceil(len(paths) / COLUMNS)
    high = min(HIGH, (MOST - GAP) // rows - LABEL - GAP)
    width, height = COLUMNS * (WIDE + GAP) + GAP, rows * (high + LABEL + GAP) + GAP
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    for place, path in enumerate(paths):
        row, column = divmod(place, COLUMNS)
        middle, below = GAP + column * (WIDE + GAP) + WIDE // 2, GAP + row * (high + LABEL + GAP) + high
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((WIDE, high))
        sheet.paste(picture, (middle - picture.width // 2, below - picture.height))
        draw.text((middle, below + 4), path.stem, fill="black", anchor="ma")
    data = io.BytesIO()
    sheet.save(data, "PNG")
    return data.getvalue()


def run_graph(client: Client, name: str, graph: dict) -> list[Path]:
    """The pictures of one graph; prints what went wrong."""
    client.upload_inputs(graph, INPUTS)
    result = client.run(graph)
    for line in result.errors:
        print(f"{name}: {line}", flush=True)
    paths = save(name, graph, result)
    for node, texts in result.texts.items():
        print(f"{name}, node {node}: {' '.join(texts)}", flush=True)
    print(f"{name}: {len(paths)} picture{'' if len(paths) == 1 else 's'}", flush=True)
    return [] if result.errors else paths


def make_pictures(host: Path, python: Path) -> int:
    graphs = load_graphs()
    if not graphs:
        print(f"There is no graph to run in {GRAPHS}.")
        return 1
    OUT.mkdir(exist_ok=True)
    print(f"Starting ComfyUI with this pack (its output: {OUT / 'server.log'})", flush=True)
    with serve(host, python, named_packs(), log=OUT / "server.log") as server:
        client = Client(server.url)
        here = runnable(graphs, set(client.object_info()))
        made = {name: run_graph(client, name, graph) for name, graph in here.items()}
    paths = [path for pictures in made.values() for path in pictures]
    if paths:
        (OUT / "contact-sheet.png").write_bytes(contact_sheet(paths))
        print(f"Pictures: {len(paths)}, in {OUT}\nAll on one sheet: {OUT / 'contact-sheet.png'}")
    return 0 if all(made.values()) else 1


if __name__ == "__main__":
    ended(lambda: make_pictures(*host_python()))
