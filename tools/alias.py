"""Makes the repository importable as `pack` from a script: `sys.path[0] = <tools>; import alias`.

The root itself must never be on sys.path (our nodes/ would hide the host's nodes.py), and neither must the folder of
the script (demo/nodes.py would), so importing this file also takes `tools` off the path again.
"""

import sys
import types
from pathlib import Path

TOOLS = Path(__file__).absolute().parent

if "pack" not in sys.modules:
    pack = types.ModuleType("pack")
    pack.__path__ = [str(TOOLS.parent)]
    sys.modules["pack"] = pack
if sys.path and Path(sys.path[0] or ".").absolute() == TOOLS:
    del sys.path[0]
