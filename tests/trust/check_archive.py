"""The registry's archive, unpacked and alone in a ComfyUI of its own, as it is installed."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

from pack.tests.trust.tally import Check, Tally

SERVED = "/extensions/latent-manipulation/"
TEMPLATE = "Regions - find a thing and place it"  # a probe, a mask, regions and the embedded model


def run(tally: Tally) -> None:
    from pack.tools.archive import pack
    from pack.tools.client import Client
    from pack.tools.server import serve

    host = Path(os.environ["COMFYUI_PATH"])
    with tempfile.TemporaryDirectory() as folder, tally.case("the archive"):
        packed, root = Path(folder) / "node.zip", Path(folder) / "pack"
        pack(packed)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(root)
        with serve(host, Path(sys.executable), root=root) as server:
            client = Client(server.url)
            served(tally, client, root)
            paint(tally, client)


def served(tally: Tally, client, root: Path) -> None:
    """All nodes, scripts, help pages and templates are offered."""
    from pack.tests.used import IDS

    there = {name for name in client.object_info() if name.startswith("LM_")}
    tally.expect(there == set(IDS), "nodes", sorted(there ^ set(IDS)))
    scripts = [path.name for path in (root / "js").glob("*.js")]
    offered = json.loads(client.fetch("/extensions"))
    for name in scripts:
        tally.expect(f"{SERVED}{name}" in offered, name, "is no extension of the frontend")
    for page in sorted(path.name for path in (root / "js" / "docs").glob("*.md")):
        with tally.case(page):
            tally.expect(bool(client.fetch(f"{SERVED}docs/{page}")), page, "is empty")
    titles = {path.stem for path in (root / "workflows").glob("*.json")}
    listed = set(json.loads(client.fetch("/workflow_templates"))["latent-manipulation"])
    tally.expect(listed == titles, "templates", sorted(listed ^ titles))


def paint(tally: Tally, client) -> None:
    from pack.tools.host import ROOT

    graph = json.loads((ROOT / "workflows" / "api" / f"{TEMPLATE}.json").read_text(encoding="utf-8"))
    result = client.run(graph, progress=False)
    tally.expect(not result.errors and bool(result.images), TEMPLATE, result.errors or "made no picture")


CHECK = Check(
    "The archive works alone",
    "packed as `comfy node pack` does, unpacked into an empty custom_nodes: nodes, scripts, help pages, a template",
    run,
)
