"""Sets up and runs the tests: `python tests/run.py [--yes] [--all] [pytest's arguments]`, with any Python from 3.10 on.

Three tiers: pure tensors, the host in this process, a live server. Without a ComfyUI (and none can be fetched) only the
first runs, and it says what was left out. Two processes share the tests, unless there are arguments for pytest.
The exit code and the last line are pytest's.

--all: then the long tests of every promise too, on this ComfyUI and on a second one (its folder in COMFYUI_FLOOR); they
print a table and write it to bench/TRUST.md.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
sys.path[0] = str(ROOT / "tools")
import alias  # noqa: E402, F401
from pack.tools import host as hosts  # noqa: E402
from pack.tools import install, testing  # noqa: E402
from pack.tools.child import hand_over  # noqa: E402

PURE = ["torch", "numpy", "PIL", "safetensors"]
PACKAGES = ["torch==2.11.0", "numpy", "pillow", "safetensors"]
ASKED = "LATENT_MANIPULATION_TESTS"  # set in the child that runs pytest: lines on what is left out, or ""
TWO = ["-n", "2", "--dist", "loadfile"]


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


def prepare(yes: bool) -> tuple[Path, dict[str, str], list[str]]:
    """(Python for pytest, its additional environment variables, lines on what is left out and how to get it)."""
    try:
        host, python = install.set_up(yes)
        found, label, left_out = {"COMFYUI_PATH": str(host)}, hosts.host_version(host), []
    except hosts.SetupError as error:
        found, label = {}, "pure"
        left_out = [f"The tests that need ComfyUI (in this process, and as a live server) did not run. {error}"]
        install.say(f"Only the tests without ComfyUI will run. {error}")
        python = pure_python(yes)
    python, lost = testing.environment(python, label)
    return python, found, [*left_out, *lost]


def run_pytest(arguments: list[str]) -> int:
    """In the child. pytest is called, not `-m pytest`, which would put the root on sys.path."""
    import pytest
    from pack.tests.reporting import LeftOut, OneServer

    plugins = [LeftOut(os.environ.pop(ASKED).splitlines())]
    two = [] if hosts.missing(Path(sys.executable), ["xdist"]) else TWO
    os.chdir(ROOT)
    long = "--all" in arguments
    code = pytest.main([word for word in arguments if word != "--all"] or two, plugins=[*plugins, OneServer()])
    return int(code) or (run_long() if long else 0)


def run_long() -> int:
    """The long tests, with this Python. 0: every promise holds."""
    from pack.tests.trust.report import run_all

    named = (os.environ.get(name) for name in ("COMFYUI_PATH", "COMFYUI_FLOOR"))
    return run_all([(Path(host), Path(sys.executable)) for host in named if host])


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
    return hand_over(command, env={**os.environ, **found, ASKED: "\n".join(left_out)})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
