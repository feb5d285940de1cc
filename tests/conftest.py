"""Makes the repository importable as `pack`, and puts a ComfyUI (if one is found) on the path, on the CPU."""

import gc
import sys
import types
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pack = types.ModuleType("pack")  # never put ROOT itself on sys.path: our nodes/ would hide the host's nodes.py
pack.__path__ = [str(ROOT)]
sys.modules["pack"] = pack

from pack.tools import archive  # noqa: E402
from pack.tools.host import SetupError, find_host  # noqa: E402

HOST = find_host()
if HOST:
    sys.path.insert(0, str(HOST))
    try:
        from comfy.cli_args import args

        args.cpu = True
        import utils  # noqa: F401, as main.py does: nodes.py puts comfy/, which has a utils.py, first on the path
    except ImportError:  # this Python lacks the host's requirements: the tests that need them skip
        sys.path.remove(str(HOST))


@pytest.fixture(scope="session")
def comfy():
    """The host's `comfy` package, or a skip that says what is missing."""
    return pytest.importorskip("comfy.model_patcher", reason="no ComfyUI found: set COMFYUI_PATH or run tests/run.py")


@pytest.fixture(autouse=True, scope="module")
def cheap_garbage():
    """The host collects all garbage whenever a patched model is gone; it need not search what was there before.

    What is garbage by now must go first: frozen, a dead model would stay in the host's list, which then collects anew
    at every load and warns of a leak.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def kept():
    """Patched models that the host has loaded."""
    models = []
    yield models
    models.clear()


@pytest.fixture(autouse=True)
def still_loaded(kept):
    """What a test leaves loaded lives until another test is over, as in a graph that stays open.

    Patched models that die in one collection (nodes of the host make circles) leave a dead entry in the host's list,
    which then collects all garbage and warns at every load.
    """
    yield
    management = sys.modules.get("comfy.model_management")
    if management:
        loaded = management.current_loaded_models
        loaded[:] = [entry for entry in loaded if not entry.is_dead()]
        kept[:] = [entry.model for entry in loaded]


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """With tensors this small a second thread only waits, on a busy machine for minutes."""
    pytest.importorskip("torch").set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def own_previews(tmp_path_factory):
    """Previews of nodes go to a folder of the tests, not to the host's."""
    try:
        import folder_paths
    except ImportError:
        return
    folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory) -> Path:
    """The registry's archive in a folder of its own."""
    folder = tmp_path_factory.mktemp("archive")
    try:
        archive.pack(folder / "node.zip")
    except SetupError as error:
        pytest.skip(str(error))
    with zipfile.ZipFile(folder / "node.zip") as packed:
        packed.extractall(folder / "pack")
    return folder / "pack"
