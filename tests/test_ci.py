"""What runs on GitHub: the tests on the versions that the README names, and nothing is published by itself."""

import re
from pathlib import Path

import pytest
from pack.tools.host import ROOT
from pack.tools.install import VERSION

yaml = pytest.importorskip("yaml", reason="no PyYAML found: run tests/run.py")


def workflow(name: str) -> dict:
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))


def test_the_tests_run_on_the_versions_that_are_promised():
    job = workflow("tests")["jobs"]["tests"]
    versions = job["strategy"]["matrix"]["comfyui"]
    (named,) = re.findall(r"tested on ([\d.]+\d) and ([\d.]+\d)", (ROOT / "README.md").read_text(encoding="utf-8"))
    least = re.search(r'requires-comfyui = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[1]
    assert set(versions) == set(named) == {least, VERSION}
    assert job["steps"][-1]["run"] == "python tests/run.py --yes"


def test_what_the_workflows_start_is_there():
    steps = [step for job in workflow("tests")["jobs"].values() for step in job["steps"]]
    scripts = [word for step in steps for word in step.get("run", "").split() if word.endswith(".py")]
    assert scripts and all(Path(ROOT, script).is_file() for script in scripts)


def test_nothing_is_published_before_the_owner_says_so():
    job = workflow("publish")["jobs"]["publish"]
    assert "vars.PUBLISH == 'true'" in job["if"]
    assert all(step["if"] == "env.READY == 'true'" for step in job["steps"])
    assert job["env"]["READY"] == "${{ secrets.REGISTRY_ACCESS_TOKEN != '' }}"
