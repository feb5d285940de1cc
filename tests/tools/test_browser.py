"""Setting up a browser: what apt-get is asked for, and by whom; the programs themselves are not touched."""

import os

import pytest
from pack.tools import browser
from pack.tools.host import SetupError


@pytest.fixture
def machine(monkeypatch):
    """machine(*programs) -> the list that collects what is installed on a machine with these programs, as root."""

    def make(*programs: str) -> list[list[str]]:
        there, commands = set(programs), []

        def step(title: str, command: list, env: dict | None = None) -> None:
            commands.append(command)
            there.update(*[browser.PACKAGES[word] for word in command if word in browser.PACKAGES])

        monkeypatch.setattr(browser.shutil, "which", lambda name: f"/usr/bin/{name}" if name in there else None)
        monkeypatch.setattr(browser, "step", step)
        monkeypatch.setattr(browser, "playwright", lambda: commands.append(["playwright"]))
        monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
        monkeypatch.delenv("CHROMIUM_PATH", raising=False)
        return commands

    return make


def test_only_what_is_missing_is_installed(machine):
    commands = machine("apt-get", "node", "npm")
    browser.set_up()
    assert [command[-1] for command in commands] == ["update", "chromium", "playwright"]
    assert "npm" not in commands[1] and "nodejs" not in commands[1]
    commands = machine("apt-get")
    browser.set_up()
    assert commands[1][-3:] == ["chromium", "nodejs", "npm"]


def test_nothing_is_installed_where_all_is_there(machine, monkeypatch):
    commands = machine("google-chrome", "node", "npm")
    browser.set_up()
    assert commands == [["playwright"]]
    commands = machine("/opt/chromium", "node", "npm")
    monkeypatch.setenv("CHROMIUM_PATH", "/opt/chromium")
    browser.set_up()
    assert commands == [["playwright"]]


def test_who_may_not_install_is_told_what_to_install(machine, monkeypatch):
    commands = machine("npm")
    with pytest.raises(SetupError, match="takes chromium nodejs: install that"):
        browser.set_up()
    machine("apt-get", "npm")
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(SetupError, match="takes chromium nodejs: install that"):
        browser.set_up()
    assert commands == []
