"""Imports go down only (DESIGN: attention, sampling < patches < nodes < demo)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TORCH = {"torch", "numpy", "__future__", "dataclasses", "math", "typing", "collections", "re", "itertools", "functools"}
TORCH |= {"unicodedata", "inspect", "numbers", "logging"}
ALLOWED = {
    "attention": TORCH | {".attention", "difflib"},
    "sampling": TORCH | {".sampling"},
    "patches": TORCH
    | {".attention", ".sampling", ".patches", "comfy", "contextlib", "copy", "uuid", "threading"}
    | {"os", "pathlib", "folder_paths", "safetensors"},
    "nodes": TORCH
    | {".attention", ".sampling", ".patches", ".nodes", "comfy_api", "comfy", "node_helpers"}
    | {"os", "json", "PIL", "spacy"},
}


def imported(path: Path) -> set[str]:
    """Top-level names a file imports; our own folders as '.folder'."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            here = path.relative_to(ROOT).parts[:-1]
            target = [*here[: len(here) - node.level + 1], *(node.module or "").split(".")]
            names.add("." + target[0] if target[0] else "." + node.names[0].name)
    return names


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_go_down_only(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for path in files:
        extra = imported(path) - ALLOWED[folder]
        assert not extra, f"{path.relative_to(ROOT)} imports {sorted(extra)}"


def test_the_root_imports_nothing_at_module_level():
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
