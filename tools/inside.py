"""Runs the rest of a script inside the host: with a Python that has what ComfyUI needs, and with its modules."""

import os
import sys

from . import install
from .child import hand_over

INSIDE = "LATENT_MANIPULATION_INSIDE"  # set where this already runs with the host's Python


def enter() -> None:
    """Makes `import comfy` work in this script; starts the script again with the host's Python where it must.

    Exits with 2 and one line if there is no host.
    """
    if INSIDE not in os.environ:
        try:
            host, python = install.set_up("--yes" in sys.argv)
        except install.SetupError as error:
            print(error)
            sys.exit(2)
        script = str(sys.modules["__main__"].__file__)
        env = {**os.environ, INSIDE: "1", "COMFYUI_PATH": str(host)}
        sys.exit(hand_over([str(python), script, *(word for word in sys.argv[1:] if word != "--yes")], env))
    sys.path.insert(0, os.environ["COMFYUI_PATH"])
    import torch
    from comfy.cli_args import args

    args.cpu = not torch.cuda.is_available()
