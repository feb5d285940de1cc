"""Which files of an unpacked archive something reads: ComfyUI, the registry, Python, the frontend, or a page."""

from __future__ import annotations

import ast
import json
import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

READ = ("__init__.py", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")  # by the host or the registry
IDS = json.loads((Path(__file__).parent / "node_ids.json").read_text(encoding="utf-8"))
BY_HOST = (  # names that ComfyUI and its frontend look for
    rf"js/docs/({'|'.join(IDS)})(/\w+)?\.md",
    r"locales/\w+(-\w+)?/(main|commands|settings|nodeDefs)\.json",
    r"js/[^/]+\.js",
    r"workflows/[^/]+\.json",
    r"subgraphs/[^/]+\.json",
)
LINK = re.compile(r"(?:\]\(|<img[^>]* src=\")([^)\s\"]+)")
IMPORT = re.compile(r"(?:from|import)\s*\(?\"(\.[^\"]+)\"")
SERVED = "/extensions/latent-manipulation/"  # where the host serves js/


def links(root: Path, page: str) -> Iterator[tuple[str, str]]:
    """(link as written, the path in the archive that it means) for each link to a file in a Markdown page."""
    for link in LINK.findall((root / page).read_text(encoding="utf-8")):
        target = unquote(link.split("#")[0])
        if target.startswith(SERVED):
            yield link, "js/" + target.removeprefix(SERVED)
        elif target and ":" not in target:
            yield link, found(root, page, target)


def found(root: Path, page: str, target: str) -> str:
    """Help pages in another language lie one folder deeper, but the frontend starts at js/docs for them, too."""
    places = [posixpath.normpath(posixpath.join(posixpath.dirname(page), target))]
    places += [f"js/docs/{target}"] if page.startswith("js/docs/") else []
    return next((place for place in places if (root / place).is_file()), places[0])


def imports(root: Path, module: str) -> Iterator[str]:
    """The files of this pack that a Python file imports, with the packages that they are in."""
    tree = ast.parse((root / module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = Path(module).parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for place in [base, *(base / alias.name for alias in node.names)]:
                yield from (f"{place}.py", f"{place}/__init__.py", f"{place.parent}/__init__.py")


def weights(root: Path, module: str) -> Iterator[str]:
    """The weights, beside it, that a Python file names."""
    text = (root / module).read_text(encoding="utf-8")
    return (f"{Path(module).parent}/weights/{name}" for name in re.findall(r"\"([\w.]+\.safetensors)\"", text))


def read_by(root: Path, name: str) -> Iterable[str]:
    """The files that are in use because this one is; some may not exist."""
    if name.endswith(".py"):
        return [*imports(root, name), *weights(root, name)]
    if name.endswith((".js", ".mjs")):
        parts = IMPORT.findall((root / name).read_text(encoding="utf-8"))
        return [posixpath.normpath(posixpath.join(posixpath.dirname(name), part)) for part in parts]
    if name.endswith(".md"):
        return [place for _, place in links(root, name)]
    return [name.removesuffix(".json") + ".jpg"] if re.fullmatch(BY_HOST[3], name) else []


def used(root: Path) -> set[str]:
    """The files, relative to `root`, that are read at some time."""
    there = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    waiting = [name for name in there if name in READ or any(re.fullmatch(rule, name) for rule in BY_HOST)]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in there:
            seen.add(name)
            waiting += (os.path.normpath(other).replace(os.sep, "/") for other in read_by(root, name))
    return seen
