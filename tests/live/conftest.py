"""One real ComfyUI for all tests of this folder."""

import sys
from pathlib import Path

import pytest
from pack.tools import host as hosts
from pack.tools.client import Client
from pack.tools.server import named_packs, serve


@pytest.fixture(scope="session")
def runnable() -> tuple[Path, Path]:
    """(ComfyUI's folder, a Python that runs it)."""
    host = hosts.find_host()
    if host is None:
        pytest.skip("no ComfyUI found: set COMFYUI_PATH or run tests/run.py")
    own = Path(sys.executable)
    python = own if not hosts.missing(own, hosts.needed_modules(host)) else hosts.find_python(host)
    if python is None:
        pytest.skip(f"no Python here can run {host}: set COMFYUI_PYTHON or run tests/run.py")
    return host, python


@pytest.fixture(scope="session")
def server(runnable):
    with serve(*runnable, named_packs()) as running:
        yield running


@pytest.fixture(scope="session")
def client(server) -> Client:
    return Client(server.url)
