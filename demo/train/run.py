"""Train one part of TinyScenes: `python demo/train/run.py autoencoder|unet|judge|export [options]`."""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
sys.path[0] = str(ROOT / "tools")
import alias  # noqa: E402, F401
from pack.tools.host import find_host  # noqa: E402

PARTS = ("autoencoder", "unet", "judge", "export")


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in PARTS:
        raise SystemExit(f"usage: python demo/train/run.py {'|'.join(PARTS)} [options]")
    sys.path.insert(0, str(find_host() or ""))
    import torch
    from comfy.cli_args import args

    args.cpu = not torch.cuda.is_available()
    sys.argv = sys.argv[1:]
    importlib.import_module(f"pack.demo.train.{sys.argv[0]}").main()


if __name__ == "__main__":
    main()
