"""The canvas's modules, tested by node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_modules_of_the_canvas():
    node = shutil.which("node")
    if not node:
        pytest.skip("there is no node here, which runs the tests of js/canvas")
    files = sorted(map(str, (ROOT / "tests" / "js").glob("*.test.mjs")))
    done = subprocess.run([node, "--test", *files], capture_output=True, encoding="utf-8", timeout=300)
    assert files and done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "# fail 0" in done.stdout or "ℹ fail 0" in done.stdout


def test_only_extensions_end_in_js_and_modules_are_short():
    """The host imports every .js of the folder by itself."""
    scripts = sorted(path.relative_to(ROOT / "js") for path in (ROOT / "js").rglob("*.*js"))
    assert [str(path) for path in scripts if path.suffix == ".js"] == ["regions.js", "said.js"]
    for path in scripts:
        assert len((ROOT / "js" / path).read_text(encoding="utf-8").splitlines()) <= 200, path
