"""What is shipped runs no foreign code and talks to nobody; ids and inputs are what tests/test_ids.py froze."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from pack.tests.trust.tally import Check, Tally
from pack.tools.archive import names

ROOT = Path(__file__).absolute().parents[2]
MODULES = set(
    "pickle marshal shelve dill subprocess socket ssl http urllib requests aiohttp ftplib smtplib ctypes".split()
)
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.load", "pickle.load", "os.execv"}
SCRIPT = ("eval(", "new Function", "XMLHttpRequest", "WebSocket(", "importScripts", "http://", "https://")


def run(tally: Tally) -> None:
    for path in shipped(".py"):
        found = sorted(set(forbidden(ast.parse(path.read_text(encoding="utf-8")))))
        tally.expect(not found, str(path.relative_to(ROOT)), f"uses {', '.join(found)}")
    for path in shipped(".js", ".mjs"):
        text = path.read_text(encoding="utf-8")
        found = [word for word in SCRIPT if word in text]
        tally.expect(not found, str(path.relative_to(ROOT)), f"uses {', '.join(found)}")
    ids(tally)


def shipped(*endings: str) -> list[Path]:
    """The files of the archive whose names end so."""
    return [ROOT / name for name in names() if name.endswith(endings)]


def forbidden(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module.split(".")[0] in MODULES:
            yield node.module
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in CALLS:
            yield f"{ast.unparse(node.func)}()"


def ids(tally: Tally) -> None:
    from pack.tests.test_ids import FROZEN, described
    from pack.tests.trust.executor import OWN

    for name in sorted({*FROZEN, *OWN}):
        now = json.loads(json.dumps(described(OWN[name]))) if name in OWN else None
        tally.expect(now == FROZEN.get(name), name, "is not what tests/node_ids.json froze")


CHECK = Check(
    "Nothing hidden in what is shipped",
    "each file that the archive holds: no eval, exec, pickle, subprocess, network; each id, input and output as frozen",
    run,
)
