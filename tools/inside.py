"""Goes on with a Python that runs ComfyUI, for scripts that any Python may start."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from . import install
from .child import hand_over

INSIDE = "LATENT_MANIPULATION_INSIDE"  # set where this already runs with the host's Python


def ended(work: Callable[[], int]) -> NoReturn:
    """Ends this process with the exit code that `work` gives: 2 and a line where a setup fails, 130 if interrupted."""
    try:
        sys.exit(work())
    except install.SetupError as error:
        print(error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def host_python() -> tuple[Path, Path]:
    """(ComfyUI's folder, this Python), once this is a Python that runs it; else sets up and starts the script there.

    Without a host: one line and exit code 2. `--yes` on the command line answers the questions before a download.
    """
    if INSIDE in os.environ:
        return Path(os.environ["COMFYUI_PATH"]), Path(sys.executable)
    ended(_inside)


def _inside() -> int:
    host, python = install.set_up("--yes" in sys.argv)
    found = {"COMFYUI_PATH": str(host), INSIDE: "1"}
    return hand_over([str(python), *sys.argv], env={**os.environ, **found})


def enter() -> None:
    """Makes `import comfy` work in this script, as `host_python` does for servers."""
    host, _ = host_python()
    sys.argv = [word for word in sys.argv if word != "--yes"]
    sys.path.insert(0, str(host))
    import torch
    from comfy.cli_args import args

    args.cpu = not torch.cuda.is_available()
