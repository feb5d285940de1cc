"""What tests/run.py adds to pytest, seen in a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
START = """
import sys
sys.path[0] = sys.argv[1]
import alias, pytest
from pack.tests.reporting import LeftOut, OneServer
sys.exit(pytest.main(["-q", *sys.argv[2:]], plugins=[LeftOut(["No moon\\n is here."]), OneServer()]))
"""
SKIPPING = """
import pytest
@pytest.mark.parametrize("i", range(3))
def test_one(i):
    pytest.skip("no moon")
def test_two():
    pytest.skip("no sun")
def test_three():
    pass
"""
WRITING = """
import os
def test_it():
    open(__file__ + ".worker", "w").write(os.environ["PYTEST_XDIST_WORKER"])
"""


def lines(folder: Path, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", START, str(TOOLS), *arguments]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_what_did_not_run_is_a_line_per_reason_before_the_last_line(tmp_path):
    (tmp_path / "test_it.py").write_text(SKIPPING)
    said = lines(tmp_path)
    assert said[-4:-1] == ["No moon is here.", "3 skipped: no moon", "1 skipped: no sun"]
    assert said[-1].startswith("1 passed, 4 skipped in ")


def test_two_processes_share_files_but_one_has_the_live_server(tmp_path):
    pytest.importorskip("xdist")
    places = [tmp_path / "tests" / name for name in ("live/test_a.py", "live/test_b.py", "other/test_c.py")]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(WRITING)
    lines(tmp_path, "-n", "2", "--dist", "loadfile", "--rootdir", str(tmp_path), "--import-mode=importlib")
    a, b, c = (Path(f"{place}.worker").read_text() for place in places)
    assert a == b != c
