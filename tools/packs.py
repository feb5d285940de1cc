"""Other packs' code inside this process, as the host imports it."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from .server import PACKS, named_packs


def absent(name: str) -> str:
    """What to do where a pack is not here."""
    return f"{name} is not here: put it into the host's custom_nodes or name its folder in {PACKS}"


def imported(name: str, module: str) -> ModuleType:
    """The pack's module, from a folder that LATENT_MANIPULATION_PACKS names or from the host's custom_nodes.

    FileNotFoundError: it is in neither.
    """
    import folder_paths

    places = [*named_packs(), Path(folder_paths.base_path) / "custom_nodes" / name]
    found = next((place for place in places if (place / f"{module}.py").is_file()), None)
    if found is None:
        raise FileNotFoundError(absent(name))
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, found / "__init__.py", submodule_search_locations=[str(found)]
        )
        sys.modules[name] = package = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)
    return sys.modules[f"{name}.{module}"]
