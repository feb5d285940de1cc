"""Installing: what is run and said, without running it (that takes gigabytes); the steps' own behaviour for real."""

import sys
import time
from pathlib import Path

import pytest
from pack.tests.tools.test_host import make_host, make_python
from pack.tools import host as hosts
from pack.tools import install


@pytest.fixture
def local(tmp_path, monkeypatch) -> Path:
    """`.host` elsewhere, and no downloads: `commands` holds what would have run."""
    local = tmp_path / ".host"
    monkeypatch.setattr(hosts, "LOCAL", local)
    monkeypatch.setattr(install, "LOCAL", local)
    return local


@pytest.fixture
def commands(local, monkeypatch) -> list[list[str]]:
    seen = []

    def record(title: str, command: list, env: dict | None = None) -> None:
        seen.append([str(word) for word in command])
        if "comfy_cli" in command:
            make_host(Path(command[command.index("--workspace") + 1]))

    monkeypatch.setattr(install, "step", record)
    monkeypatch.setattr(install, "reachable", lambda *_: True)
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(install, "make_venv", lambda place: make_python(place))
    return seen


def test_the_host_is_fetched_at_its_pinned_version_and_stands_only_when_whole(commands, local, capsys):
    host = install.install_host(yes=True)
    assert host == local / "ComfyUI" and hosts.is_host(host) and not (local / "ComfyUI.part").exists()
    said = capsys.readouterr().out
    assert "ComfyUI 0.33.0" in said and "GB" in said and str(host) in said
    comfy_cli, fetch = commands
    assert comfy_cli[-1] == "comfy-cli" and fetch[1:4] == ["-m", "comfy_cli", "--skip-prompt"]
    assert fetch[fetch.index("--version") + 1] == "0.33.0" and "--skip-requirement" in fetch


def test_comfy_cli_leaves_the_users_settings_alone(local, monkeypatch):
    env = install.comfy_cli_environment(local / "venv-comfy-cli")
    assert env["HOME"] == str(local) and env["DO_NOT_TRACK"] == "1"
    assert Path(env["GIT_CONFIG_GLOBAL"]).parent != local


def test_the_environment_is_the_tested_trio_and_the_hosts_requirements(commands, local, tmp_path, capsys):
    host = make_host(tmp_path / "ComfyUI", "0.19.3")
    python = install.make_environment(host, yes=True)
    assert python == hosts.python_in(local / "venv-0.19.3")
    for command in commands:
        assert {"torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0"} <= set(command)
        assert command[0] == str(python)
    assert commands[-1][-2:] == ["-r", str(host / "requirements.txt")]
    assert str(local / "venv-0.19.3") in capsys.readouterr().out


def test_a_second_start_installs_nothing(commands, tmp_path, monkeypatch, capsys):
    host = make_host(tmp_path / "ComfyUI")
    (host / "requirements.txt").write_text("")
    monkeypatch.setenv("COMFYUI_PATH", str(host))
    monkeypatch.delenv("COMFYUI_PYTHON", raising=False)
    assert install.set_up(yes=False) == (host, Path(sys.executable))
    assert commands == []
    assert capsys.readouterr().out.splitlines() == [f"ComfyUI 0.33.0: {host}", f"Python: {sys.executable}"]


def test_a_wished_python_that_cannot_run_the_host_is_not_replaced(commands, tmp_path, monkeypatch):
    host = make_host(tmp_path / "ComfyUI")
    (host / "requirements.txt").write_text("no-such-package\n")
    monkeypatch.setenv("COMFYUI_PATH", str(host))
    monkeypatch.setenv("COMFYUI_PYTHON", sys.executable)
    with pytest.raises(hosts.SetupError, match="COMFYUI_PYTHON is .*, which lacks no_such_package"):
        install.set_up(yes=True)
    assert commands == []


@pytest.mark.parametrize(("answer", "goes_on"), [("", True), ("y", True), ("n", False)])
def test_a_terminal_is_asked(monkeypatch, answer, goes_on):
    monkeypatch.setattr(install.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    if goes_on:
        install.confirm("fetching", yes=False)
    else:
        with pytest.raises(hosts.SetupError, match="Nothing was downloaded"):
            install.confirm("fetching", yes=False)


def test_nobody_is_asked_without_a_terminal_or_with_yes(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: pytest.fail("asked"))
    monkeypatch.setattr(install.sys.stdin, "isatty", lambda: False, raising=False)
    install.confirm("fetching", yes=False)
    monkeypatch.setattr(install.sys.stdin, "isatty", lambda: True, raising=False)
    install.confirm("fetching", yes=True)


def test_a_step_is_one_line_when_done(local, capsys):
    install.step("Counting", [sys.executable, "-c", "print(1)"])
    assert capsys.readouterr().out.splitlines()[-1].startswith("Counting: done in ")


def test_a_failed_step_shows_the_end_of_its_output(local):
    with pytest.raises(hosts.SetupError, match=r"(?s)Counting failed .*install\.log\): no disk left"):
        install.step("Counting", [sys.executable, "-c", "print('no disk left'); raise SystemExit(1)"])


def test_a_host_that_does_not_answer_is_noticed_in_time():
    begin = time.monotonic()
    assert not install.reachable("http://127.0.0.1:9/")
    assert not install.reachable("http://name.invalid/", 3)
    assert time.monotonic() - begin < 12


def test_a_real_environment_is_made_once(tmp_path, capsys):
    python = install.make_venv(tmp_path / "venv")
    assert hosts.missing(python, ["pip"]) == [] and hosts.missing(python, ["torch"]) == ["torch"]
    before = python.lstat().st_mtime_ns
    assert install.make_venv(tmp_path / "venv") == python and python.lstat().st_mtime_ns == before
    assert len(capsys.readouterr().out.splitlines()) == 1
