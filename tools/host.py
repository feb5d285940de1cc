"""Finds a ComfyUI and a Python that can run it. Standard library only; nothing is installed or changed here.

Run as a script it sets both up (see install.py): `python tools/host.py [--yes]`.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent  # not resolved: a pack linked into custom_nodes sits there
LOCAL = ROOT / ".host"  # everything this pack installs for itself
MODULES = {"pyyaml": "yaml", "pillow": "PIL"}  # requirements whose module has another name
PROBE = """
import importlib.util, sys
gone = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
print(*(["a Python of 3.10 or later"] if sys.version_info < (3, 10) else []), *gone, sep=",")
"""


class SetupError(ValueError):
    """What is missing, in one sentence a user can act on."""


def is_host(place: Path) -> bool:
    return (place / "comfy" / "model_patcher.py").is_file() and (place / "main.py").is_file()


def find_host(root: Path = ROOT) -> Path | None:
    """The ComfyUI to use, or None. A COMFYUI_PATH that holds none is not replaced by another place.

    root: the folder of this pack.
    """
    if os.environ.get("COMFYUI_PATH"):
        places = [Path(os.environ["COMFYUI_PATH"]).expanduser().absolute()]
    else:
        around = [root.parent.parent] if root.parent.name == "custom_nodes" else []
        home = Path.home()
        places = [*around, home / "comfy" / "ComfyUI", home / "ComfyUI", root / ".host" / "ComfyUI"]
    return next(filter(is_host, places), None)


def host_version(host: Path) -> str:
    """Such as "0.33.0"; "unknown" for a host that does not say."""
    file = host / "comfyui_version.py"
    found = re.search(r"__version__ = \"(.+?)\"", file.read_text(encoding="utf-8")) if file.is_file() else None
    return found[1] if found else "unknown"


def needed_modules(host: Path) -> list[str]:
    """Top-level modules that the host cannot start without: its requirements.txt up to its "non essential" part."""
    text = (host / "requirements.txt").read_text(encoding="utf-8")
    lines = re.split(r"(?im)^#\s*non.essential", text)[0].splitlines()
    names = [re.match(r"[\w.-]+", line)[0].lower() for line in map(str.strip, lines) if re.match(r"\w", line)]
    return [MODULES.get(name, name.replace("-", "_")) for name in names]


def missing(python: Path, modules: list[str]) -> list[str]:
    """The modules that `python` does not have (looked up, not imported: that is quick)."""
    try:
        command = [str(python), "-c", PROBE, *modules]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(python).parent)
    except (OSError, subprocess.TimeoutExpired):
        return ["a Python that starts"]
    return [name for name in done.stdout.strip().split(",") if name] if done.returncode == 0 else ["a working Python"]


def python_in(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / "Scripts" / "python.exe" if os.name == "nt" else environment / "bin" / "python"


def local_environment(host: Path) -> Path:
    """The environment this pack makes for this version of the host."""
    return LOCAL / f"venv-{host_version(host)}"


def candidates(host: Path | None) -> Iterator[Path]:
    """Pythons that exist, in the order in which they are tried. COMFYUI_PYTHON is not replaced by another one."""
    if os.environ.get("COMFYUI_PYTHON"):
        yield Path(os.environ["COMFYUI_PYTHON"]).expanduser().absolute()
        return
    yield Path(sys.executable)
    environments = [host / ".venv", host / "venv"] if host else []
    environments.append(Path.home() / "comfy" / "venv")
    places = [python_in(environment) for environment in environments]
    if host:
        places += [host.parent / "python_embeded" / "python.exe", python_in(local_environment(host))]
    yield from (place for place in places if place.is_file())


def find_python(host: Path) -> Path | None:
    """The first Python that has what this host needs, or None."""
    modules = needed_modules(host)
    return next((python for python in candidates(host) if not missing(python, modules)), None)


if __name__ == "__main__":
    import alias  # noqa: F401
    from pack.tools import install

    sys.exit(install.main(sys.argv[1:]))
