"""Train one part of TinyScenes: `python demo/train/run.py autoencoder|unet|judge|export|control|adapter [options]`."""

import importlib
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).absolute().parents[2] / "tools")
import alias  # noqa: E402, F401
from pack.tools.inside import enter  # noqa: E402

PARTS = ("autoencoder", "judge", "unet", "export", "control", "adapter")

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in PARTS:
        raise SystemExit(f"usage: python demo/train/run.py {'|'.join(PARTS)} [options]")
    enter()
    sys.argv = sys.argv[1:]
    importlib.import_module(f"pack.demo.train.{sys.argv[0]}").main()
