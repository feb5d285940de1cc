"""Imports go down only: attention, sampling < patches/models < patches/run < patches < nodes; and never in a circle."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TORCH = {"torch", "numpy", "__future__", "dataclasses", "math", "typing", "collections", "re", "itertools", "functools"}
TORCH |= {"unicodedata", "inspect", "numbers", "logging"}
HOST = TORCH | {
    "comfy",
    "contextlib",
    "copy",
    "uuid",
    "threading",
    "contextvars",
    "einops",
    "os",
    "pathlib",
    "folder_paths",
}
MATHS = {".attention", ".sampling"}
ROOMS = {".patches.models", ".patches.run"}
ALLOWED = {
    "attention": TORCH | {".attention", "difflib"},
    "sampling": TORCH | {".sampling"},
    "patches/models": HOST | MATHS | {".patches.models"},
    "patches/run": HOST | MATHS | ROOMS,
    "patches": HOST | MATHS | ROOMS | {".patches", "safetensors"},
    "nodes": TORCH
    | MATHS
    | ROOMS
    | {".patches", ".nodes", "comfy_api", "comfy_execution", "comfy", "node_helpers"}
    | {"os", "json", "PIL", "spacy"},
}


def runs(tree: ast.AST) -> list[ast.AST]:
    """All nodes of a file but those that only type checkers read."""
    hidden = [
        set(map(id, ast.walk(node)))
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    ]
    return [node for node in ast.walk(tree) if not any(id(node) in inside for inside in hidden)]


def own_imports(path: Path) -> set[str]:
    """Our own modules that a file imports, such as 'patches.run.rows'."""
    names = set()
    for node in runs(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            here = path.relative_to(ROOT).parts[:-1]
            target = [*here[: len(here) - node.level + 1], *filter(None, (node.module or "").split("."))]
            inner = [".".join([*target, alias.name]) for alias in node.names]
            names |= {name if module_of(name) else ".".join(target) for name in inner}
    return names


def module_of(name: str) -> Path | None:
    path = ROOT.joinpath(*name.split("."))
    return next((found for found in (path.with_suffix(".py"), path / "__init__.py") if found.is_file()), None)


def imported(path: Path) -> set[str]:
    """Top-level names of packages, and our own folders as '.folder' or '.folder.room'."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names | {room_of(name) for name in own_imports(path)}


def room_of(name: str) -> str:
    rooms = [room for room in ROOMS if f".{name}.".startswith(f"{room}.")]
    return rooms[0] if rooms else "." + name.split(".")[0]


def files_of(folder: str) -> list[Path]:
    """Those of a room of its own are not those of the folder around it."""
    rooms = [ROOT / room for room in ALLOWED if room.startswith(f"{folder}/")]
    found = sorted((ROOT / folder).rglob("*.py"))
    return [path for path in found if not any(room in path.parents for room in rooms)]


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_go_down_only(folder):
    assert files_of(folder)
    for path in files_of(folder):
        extra = imported(path) - ALLOWED[folder]
        assert not extra, f"{path.relative_to(ROOT)} imports {sorted(extra)}"


def test_no_circle():
    """Every file can be read after all that it imports."""
    files = [path for folder in ALLOWED for path in files_of(folder) if path.name != "__init__.py"]
    left = {path: {found for name in own_imports(path) if (found := module_of(name)) in files} for path in files}
    while ready := [path for path, needs in left.items() if not needs & left.keys()]:
        for path in ready:
            del left[path]
    assert not left, sorted(str(path.relative_to(ROOT)) for path in left)


def test_the_root_imports_nothing_at_module_level():
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
