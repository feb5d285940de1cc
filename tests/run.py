"""Sets up and runs all tests: `python tests/run.py [--yes] [pytest's arguments]`, with any Python from 3.10 on.

Three tiers: pure tensors, the host in this process, a live server. Without a ComfyUI (and none can be fetched) only the
first runs, and it says what was left out. The exit code and the last line are pytest's.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
sys.path[0] = str(ROOT / "tools")
import alias  # noqa: E402, F401
from pack.tools import host as hosts  # noqa: E402
from pack.tools import install  # noqa: E402
from pack.tools.child import hand_over  # noqa: E402

PURE = ["torch", "numpy", "PIL", "safetensors"]
PACKAGES = ["torch==2.11.0", "numpy", "pillow", "safetensors"]
ASKED = "LATENT_MANIPULATION_TESTS"  # set in the child that runs pytest: what is left out, or ""


class LeftOut:
    """Says before pytest's summary which tests did not run and how to get them."""

    def __init__(self, why: str):
        self.why = why

    def pytest_terminal_summary(self, terminalreporter) -> None:
        terminalreporter.section("not run")
        terminalreporter.write_line("The tests that need ComfyUI (in this process, and as a live server) did not run.")
        terminalreporter.write_line(self.why)


def pytest_folder(python: Path) -> list[str]:
    """[] if this Python has pytest, else a folder of our own that holds it: the environment stays as it is."""
    if not hosts.missing(python, ["pytest"]):
        return []
    version = ask(python, "import sys; print('%d.%d' % sys.version_info[:2])")
    folder = hosts.LOCAL / f"pytest-{version}"
    if not (folder / "pytest").is_dir():
        pips = [place for place in (python, Path(sys.executable)) if not hosts.missing(place, ["pip"])]
        if not pips:
            raise hosts.SetupError(f"{python} has neither pytest nor pip: install pytest there.")
        install.confirm(f"{python} has no pytest: fetching it (about 2 MB) to {folder}", True)
        options = ["--target", folder, "--python-version", version, "--only-binary=:all:"]
        install.pip("Installing pytest", pips[0], *options, "pytest")
    return [str(folder)]


def ask(python: Path, code: str) -> str:
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def pure_python(yes: bool) -> Path:
    """A Python with torch but no host: one that is here, else one of our own."""
    for python in hosts.candidates(None):
        if not hosts.missing(python, PURE):
            return python
    place = hosts.LOCAL / "venv-pure"
    python = hosts.python_in(place)
    if not python.is_file() or hosts.missing(python, PURE):
        install.confirm(f"No Python here has torch: fetching it (0.2 to 3 GB, by platform) to {place}", yes)
        install.pip("Installing torch", install.make_venv(place), *PACKAGES)
    return python


def prepare(yes: bool) -> tuple[Path, dict[str, str], str]:
    """(Python for pytest, its additional environment variables, what is left out and how to get it or "")."""
    try:
        host, python = install.set_up(yes)
        found, left_out = {"COMFYUI_PATH": str(host)}, ""
    except hosts.SetupError as error:
        found, left_out = {}, str(error)
        install.say(f"Only the tests without ComfyUI will run. {left_out}")
        python = pure_python(yes)
    path = [*pytest_folder(python), *filter(None, [os.environ.get("PYTHONPATH")])]
    if path:
        found["PYTHONPATH"] = os.pathsep.join(path)
    return python, found, left_out


def run_pytest(arguments: list[str]) -> int:
    """In the child. pytest is called, not `-m pytest`, which would put the root on sys.path."""
    import pytest

    left_out = os.environ.pop(ASKED)
    os.chdir(ROOT)
    return pytest.main(["-rs", *arguments], plugins=[LeftOut(left_out)] if left_out else [])


def main(arguments: list[str]) -> int:
    if ASKED in os.environ:
        return run_pytest(arguments)
    try:
        python, found, left_out = prepare("--yes" in arguments)
    except hosts.SetupError as error:
        install.say(f"No tests ran: {error}")
        return 2
    rest = [argument for argument in arguments if argument != "--yes"]
    command = [str(python), str(Path(__file__).absolute()), *rest]
    return hand_over(command, env={**os.environ, **found, ASKED: left_out})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
