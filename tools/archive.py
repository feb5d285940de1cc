"""The registry's archive, as `comfy node pack` makes it: what git tracks, without what .comfyignore names."""

import subprocess
import zipfile
from pathlib import Path

from .host import ROOT, SetupError


def listed(root: Path, *options: str) -> set[str]:
    """What `git ls-files` says. SetupError: there is no git, or this is no checkout."""
    try:
        done = subprocess.run(["git", "-C", str(root), "ls-files", "-z", *options], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"Git does not know what belongs to {root}, so it cannot be packed: clone it.") from error
    return {name for name in done.stdout.decode().split("\0") if name}


def names(root: Path = ROOT) -> list[str]:
    """Paths of the archive's files, relative to the pack's folder."""
    left_out = listed(root, "--cached", "--ignored", "--exclude-from=.comfyignore")
    return sorted(name for name in listed(root) - left_out if (root / name).exists())


def pack(target: Path, root: Path = ROOT) -> None:
    """Writes the archive to the file `target`."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names(root):
            archive.write(root / name, name)
