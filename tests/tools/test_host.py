"""The order in which a ComfyUI and a Python are looked for, and what is said when there is none."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pack.tools import host as hosts

TOOLS = Path(hosts.__file__).parent


def make_host(place: Path, version: str = "0.33.0") -> Path:
    (place / "comfy").mkdir(parents=True)
    (place / "comfy" / "model_patcher.py").write_text("")
    (place / "main.py").write_text("")
    (place / "comfyui_version.py").write_text(f'# made by a tool\n__version__ = "{version}"\n')
    (place / "requirements.txt").write_text("torch\nPyYAML\n")
    return place


def make_python(environment: Path) -> Path:
    python = hosts.python_in(environment)
    python.parent.mkdir(parents=True)
    python.write_text("")
    return python


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty home folder, and no wishes from the environment."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    monkeypatch.delenv("COMFYUI_PYTHON", raising=False)
    return home


def test_places_are_tried_in_order(home, tmp_path, monkeypatch):
    pack = tmp_path / "outer" / "custom_nodes" / "ours"
    pack.mkdir(parents=True)
    assert hosts.find_host(pack) is None
    order = [pack / ".host" / "ComfyUI", home / "ComfyUI", home / "comfy" / "ComfyUI", tmp_path / "outer"]
    for place in order:
        make_host(place)
        assert hosts.find_host(pack) == place
    monkeypatch.setenv("COMFYUI_PATH", str(make_host(tmp_path / "wished")))
    assert hosts.find_host(pack) == tmp_path / "wished"


def test_a_wished_place_without_a_host_is_not_replaced(home, tmp_path, monkeypatch):
    make_host(home / "ComfyUI")
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "wished"))
    assert hosts.find_host(tmp_path) is None


def test_a_custom_nodes_folder_of_something_else_is_no_host(home, tmp_path):
    pack = tmp_path / "outer" / "custom_nodes" / "ours"
    pack.mkdir(parents=True)
    make_host(home / "ComfyUI")
    assert hosts.find_host(pack) == home / "ComfyUI"


def test_pythons_are_tried_in_order(home, tmp_path, monkeypatch):
    monkeypatch.setattr(hosts, "LOCAL", tmp_path / "local")
    host = make_host(tmp_path / "ComfyUI", "9.8.7")
    environments = [host / ".venv", host / "venv", home / "comfy" / "venv"]
    portable = tmp_path / "python_embeded" / "python.exe"
    portable.parent.mkdir()
    portable.write_text("")
    ours = make_python(tmp_path / "local" / "venv-9.8.7")
    expected = [Path(sys.executable), *map(make_python, environments), portable, ours]
    assert list(hosts.candidates(host)) == expected
    portable.unlink()
    shutil.rmtree(host / ".venv")
    assert list(hosts.candidates(host)) == [expected[0], *expected[2:4], ours]
    monkeypatch.setenv("COMFYUI_PYTHON", str(tmp_path / "wished"))
    assert list(hosts.candidates(host)) == [tmp_path / "wished"]


def test_the_first_python_that_can_run_the_host_is_taken(home, tmp_path, monkeypatch):
    host = make_host(tmp_path / "ComfyUI")
    fit = make_python(home / "comfy" / "venv")
    make_python(host / "venv")
    monkeypatch.setattr(hosts, "missing", lambda python, modules: [] if python == fit else ["torch"])
    assert hosts.find_python(host) == fit
    monkeypatch.setattr(hosts, "missing", lambda python, modules: ["torch"])
    assert hosts.find_python(host) is None


def test_missing_names_what_a_python_lacks(tmp_path):
    own = Path(sys.executable)
    assert hosts.missing(own, ["json", "email"]) == []
    assert hosts.missing(own, ["json", "no_such_module"]) == ["no_such_module"]
    assert hosts.missing(tmp_path / "python", ["json"]) == ["a Python that starts"]


def test_needed_modules_are_the_essential_requirements(tmp_path):
    lines = ["comfyui-frontend-package==1.49.6", "torch", "PyYAML", "Pillow>=1", "# a remark", "", "SQLAlchemy>=2.0.0"]
    (tmp_path / "requirements.txt").write_text("\n".join([*lines, "", "#non essential dependencies:", "kornia>=0.7.1"]))
    assert hosts.needed_modules(tmp_path) == ["comfyui_frontend_package", "torch", "yaml", "PIL", "sqlalchemy"]


def test_the_version_is_read_without_importing_the_host(tmp_path):
    assert hosts.host_version(make_host(tmp_path / "a", "0.19.3")) == "0.19.3"
    assert hosts.host_version(tmp_path) == "unknown"


def start_without_a_host(tmp_path: Path, **settings: str) -> tuple[subprocess.CompletedProcess, float]:
    """Runs a copy of the tools in an empty home where no server can be reached; (what it did, seconds)."""
    shutil.copytree(TOOLS, tmp_path / "pack" / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "home").mkdir()
    home = {name: str(tmp_path / "home") for name in ("HOME", "USERPROFILE")}
    proxy = {name: "http://127.0.0.1:9" for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMFYUI_")}
    kept = {name: value for name, value in kept.items() if name.upper() not in ("NO_PROXY", "ALL_PROXY")}
    command = [sys.executable, str(tmp_path / "pack" / "tools" / "host.py")]
    begin = time.monotonic()
    env = {**kept, **home, **proxy, **settings}
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done, time.monotonic() - begin


def test_no_host_and_none_to_be_fetched_is_one_line_and_exit_code_2(tmp_path):
    done, seconds = start_without_a_host(tmp_path)
    assert done.returncode == 2 and seconds < 20
    lines = (done.stdout + done.stderr).splitlines()
    assert len(lines) == 1
    for word in ("No ComfyUI was found", "COMFYUI_PATH", "custom_nodes", "network access"):
        assert word in lines[0]
    assert not (tmp_path / "pack" / ".host").exists()


def test_a_wrong_comfyui_path_says_so_and_fetches_nothing(tmp_path):
    done, _ = start_without_a_host(tmp_path, COMFYUI_PATH=str(tmp_path / "gone"))
    assert done.returncode == 2
    assert done.stdout.startswith(f"COMFYUI_PATH is {tmp_path / 'gone'}, which holds no ComfyUI: ")
