"""Makes a template from its API graph, in the host's own frontend: `python tools/template.py [names] [--check]`.

workflows/api/<name>.json is written by hand, ids such as "9:14" saying that node 14 is in the subgraph 9; a headless
chromium opens it in a running ComfyUI, lays it out with the note workflows/notes/<name>.md as layouts.json says, and
saves workflows/<name>.json; the frontend's export of that becomes the API graph.
--check opens the saved templates as a user with a small screen does, runs them, and compares what they export.
--picture runs the API graph for workflows/<name>.jpg, or draws a card where it needs a checkpoint file.
LATENT_MANIPULATION_PACKS names the folders of other packs.
"""

import argparse
import json
import sys
import uuid
from pathlib import Path

if __name__ == "__main__":
    import alias  # noqa: F401
from pack.tools.browser import in_frontend, wrong
from pack.tools.host import ROOT
from pack.tools.inside import ended, host_python
from pack.tools.picture import OWN, card, painted, save
from pack.tools.server import named_packs, serve
from pack.tools.sources import with_sources

WORKFLOWS = ROOT / "workflows"
LAYOUTS = json.loads((ROOT / "tools" / "layouts.json").read_text(encoding="utf-8"))  # name -> see layout.mjs, group
LEAST_ZOOM = 0.6  # at 1440 x 900; the classic renderer drops all text under 0.571
LINE = 110  # characters of a JSON line


def plain(api: dict) -> dict:
    """An API graph in the order of its ids, without `_meta` (titles)."""
    order = sorted(api, key=lambda node: (len(node), node))
    return {node: {key: api[node][key] for key in ("class_type", "inputs")} for node in order}


def differences(wanted: dict, got: dict, extra: bool = False) -> list[str]:
    """Lines on how two API graphs differ, without `_meta`; extra: `got` may hold inputs that `wanted` left out."""
    lines = [f"node {node}: only in one of the two" for node in sorted(set(wanted) ^ set(got))]
    for node in sorted(set(wanted) & set(got)):
        one, two = wanted[node], got[node]
        kinds = [entry.get("class_type", "nothing") for entry in (one, two)]  # the frontend names only what it knows
        if kinds[0] != kinds[1]:
            lines.append(f"node {node}: {kinds[0]} became {kinds[1]}")
        names = set(one["inputs"]) if extra else set(one["inputs"]) | set(two["inputs"])
        for name in sorted(names):
            values = [
                json.dumps(entry["inputs"][name]) if name in entry["inputs"] else "nothing" for entry in (one, two)
            ]
            if one["inputs"].get(name) != two["inputs"].get(name):
                lines.append(f"node {node} ({kinds[0]}), input '{name}': {values[0]} became {values[1]}")
    return lines


def pretty(value: object, indent: int = 0) -> str:
    """JSON that shows what is short in one line."""
    flat = json.dumps(value, ensure_ascii=False)
    deep = isinstance(value, dict) and any(isinstance(part, dict) for part in value.values())
    if not isinstance(value, dict | list) or not value or (len(flat) + indent <= LINE and not deep):
        return flat
    parts = [pretty(part, indent + 2) for part in (value.values() if isinstance(value, dict) else value)]
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {part}" for key, part in zip(value, parts, strict=True)]
    inner = (",\n" + " " * (indent + 2)).join(parts)
    ends = "{}" if isinstance(value, dict) else "[]"
    return f"{ends[0]}\n{' ' * (indent + 2)}{inner}\n{' ' * indent}{ends[1]}"


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def source(name: str) -> dict:
    """The job for an API graph; titles are left to the frontend."""
    note = WORKFLOWS / "notes" / f"{name}.md"
    text = note.read_text(encoding="utf-8").strip() if note.is_file() else ""
    job = {"name": name, "api": plain(read(WORKFLOWS / "api" / f"{name}.json")), "note": text}
    return {**job, "layout": LAYOUTS[name]} if name in LAYOUTS else job


def with_lasting_ids(ui: dict, name: str) -> dict:
    """A UI graph whose id and those of its subgraphs are made from its name, not by chance."""
    kinds = [ui["id"], *(part["id"] for part in ui.get("definitions", {}).get("subgraphs", []))]
    text = json.dumps(ui)
    for number, kind in enumerate(kinds):
        address = f"latent-manipulation/{name}" + (f"/{number}" if number else "")
        text = text.replace(kind, str(uuid.uuid5(uuid.NAMESPACE_URL, address)))
    return json.loads(text)


def make(url: str, names: list[str], screenshots: Path | None) -> int:
    """Writes workflows/<name>.json and its twin, unless the frontend changed something; the number of failures."""
    graphs = [source(name) for name in names]
    failed = 0
    for graph, answer in zip(graphs, in_frontend(url, graphs, screenshots), strict=True):
        name = graph["name"]
        lines = wrong(answer) + differences(graph["api"], answer["api"], extra=True)
        lines += [f"opened again, {line}" for line in differences(answer["api"], answer["again"])]
        failed += report(name, lines)
        if not lines:
            made = {
                WORKFLOWS / f"{name}.json": with_lasting_ids(with_sources(answer["ui"]), name),
                WORKFLOWS / "api" / f"{name}.json": plain(answer["api"]),
            }
            for path, content in made.items():
                path.write_text(pretty(content) + "\n", encoding="utf-8", newline="\n")
    return failed


def saved(name: str) -> dict:
    """The job for a UI graph; it runs if it takes no model file."""
    runs = "LM_LoadTinyScenes" in {node["class_type"] for node in read(WORKFLOWS / "api" / f"{name}.json").values()}
    return {"name": name, "ui": read(WORKFLOWS / f"{name}.json"), "run": runs}


def check(url: str, names: list[str], screenshots: Path | None, vue: bool = False) -> int:
    """Opens and runs what is saved: each must export its twin and be seen well; the number of failures."""
    graphs = [saved(name) for name in names]
    failed = 0
    for name, answer in zip(names, in_frontend(url, graphs, screenshots, vue), strict=True):
        twin = read(WORKFLOWS / "api" / f"{name}.json")
        print(f"{name}: zoom {answer['zoom']:.2f}", flush=True)
        failed += report(
            name,
            wrong(answer) + unseen(answer) + differences(twin, answer["again"]),
        )
    return failed


def unseen(answer: dict) -> list[str]:
    """Lines on what a user with a small screen and the frontend's own settings would see badly."""
    lines = [f"it opens at zoom {answer['zoom']:.2f}, under {LEAST_ZOOM}"] if answer["zoom"] < LEAST_ZOOM else []
    return (
        lines + [f"overlap: {pair}" for pair in answer["overlaps"]] + [f"deprecated: {k}" for k in answer["deprecated"]]
    )


def report(name: str, lines: list[str]) -> bool:
    for line in dict.fromkeys(lines):
        print(f"{name}: {line}", flush=True)
    if not lines:
        print(f"{name}: as written", flush=True)
    return bool(lines)


def picture(url: str, names: list[str]) -> int:
    """Makes workflows/<name>.jpg; the number of failures."""
    failed = 0
    for name in names:
        if OWN.search(name):
            lines, data = [], card(name, WORKFLOWS)
        else:
            lines, data = painted(url, read(WORKFLOWS / "api" / f"{name}.json"), WORKFLOWS / "inputs")
        failed += report(name, lines)
        if data:
            save(data, WORKFLOWS / f"{name}.jpg")
    return failed


def work(options: argparse.Namespace, host: Path, python: Path) -> int:
    names = options.names or [path.stem for path in sorted((WORKFLOWS / "api").glob("*.json"))]
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    with serve(host, python, named_packs()) as server:
        if options.picture:
            return picture(server.url, names)
        if options.check:
            return check(server.url, names, options.screenshots, options.vue)
        return make(server.url, names, options.screenshots)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="such as 'Slider - style strength'; none: all in workflows/api")
    parser.add_argument("--check", action="store_true", help="compare what is saved; write nothing")
    parser.add_argument("--vue", action="store_true", help="check in Nodes 2.0, not in the classic renderer")
    parser.add_argument("--picture", action="store_true", help="run the API graphs and save their pictures")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="also show each template as opened")
    parser.add_argument("--yes", action="store_true", help="answers the questions before a download")
    return parser.parse_args(arguments)


def main() -> int:
    return 1 if work(parse(sys.argv[1:]), *host_python()) else 0


if __name__ == "__main__":
    ended(main)
