"""Makes a blueprint, a box of several nodes that the node search finds: `python tools/blueprint.py [names]`.

blueprints.json says what is in each, as an API graph, and what it shows outside; a headless chromium makes it in a
running ComfyUI, and subgraphs/<name>.json is what the frontend's Publish would write: the name is the file's.
--screenshots FOLDER also shows each box.
"""

import argparse
import json
import re
import uuid
from pathlib import Path

if __name__ == "__main__":
    import alias  # noqa: F401
from pack.tools.browser import in_frontend, wrong
from pack.tools.host import ROOT
from pack.tools.inside import ended, host_python
from pack.tools.server import serve
from pack.tools.template import differences, pretty, read, report

FOLDER = ROOT / "subgraphs"
SPECS = read(ROOT / "tools" / "blueprints.json")  # name -> description, nodes, and inputs and outputs as in box.mjs
CATEGORY = "Latent Manipulation"  # below Subgraph Blueprints
WIDTH = 320  # pixels
IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def source(name: str) -> dict:
    """The job for a blueprint."""
    slots = {key: SPECS[name][key] for key in ("inputs", "outputs")}
    return {"name": name, "api": SPECS[name]["nodes"], "box": {"title": name, "width": WIDTH, **slots}}


def blueprint(ui: dict, name: str) -> dict:
    """What the frontend publishes of a box, with its description; its ids are made from its name, not by chance."""
    (part,) = ui["definitions"]["subgraphs"]
    part["category"] = CATEGORY
    text = json.dumps({**ui, "extra": {"BlueprintDescription": SPECS[name]["description"]}})
    for number, chance in enumerate(dict.fromkeys(IDS.findall(text))):
        address = f"latent-manipulation/blueprints/{name}/{number}"
        text = text.replace(chance, str(uuid.uuid5(uuid.NAMESPACE_URL, address)))
    return json.loads(text)


def kept(spec: dict, got: dict) -> list[str]:
    """Lines on what an exported box, whose ids are "9:1", does not hold of the nodes asked for."""
    inner = {
        node.split(":")[-1]: {
            "class_type": entry["class_type"],
            "inputs": {
                key: [value[0].split(":")[-1], value[1]] if isinstance(value, list) else value
                for key, value in entry["inputs"].items()
            },
        }
        for node, entry in got.items()
    }
    return differences(spec["nodes"], inner, extra=True)


def make(url: str, names: list[str], screenshots: Path | None) -> int:
    """Writes subgraphs/<name>.json, unless the frontend changed something; the number of failures."""
    failed = 0
    for name, answer in zip(names, in_frontend(url, [source(name) for name in names], screenshots), strict=True):
        lines = wrong(answer) + kept(SPECS[name], answer["api"])
        lines += [f"opened again, {line}" for line in differences(answer["api"], answer["again"])]
        failed += report(name, lines)
        if not lines:
            text = pretty(blueprint(answer["ui"], name)) + "\n"
            (FOLDER / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="such as Regions; none: all in blueprints.json")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="also show each box as opened")
    parser.add_argument("--yes", action="store_true", help="answers the questions before a download")
    options = parser.parse_args()
    host, python = host_python()
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    with serve(host, python) as server:
        return 1 if make(server.url, options.names or list(SPECS), options.screenshots) else 0


if __name__ == "__main__":
    ended(main)
