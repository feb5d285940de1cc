"""What several tests of patches share."""

import pytest


@pytest.fixture
def folders(comfy, tmp_path, monkeypatch):
    """Folder of the host's input, output and temp."""
    import folder_paths

    for name in ("input", "output", "temp"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return tmp_path
