"""Value Sweep shows its list in the real frontend, in both of its renderers."""

import json
import subprocess
from pathlib import Path

import pytest
from pack.tools.browser import find_chromium, playwright, program
from pack.tools.host import SetupError

SCRIPT = Path(__file__).with_name("said.mjs")


@pytest.mark.parametrize("vue", [False, True], ids=["classic", "nodes 2.0"])
def test_a_sweep_shows_its_list_and_neither_saves_nor_sends_it(server, vue):
    try:
        job = {"url": server.url, "chromium": find_chromium(), "modules": str(playwright()), "vue": vue}
        command = [program("node"), str(SCRIPT)]
    except SetupError as error:
        pytest.skip(str(error))
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["first"] == "theta 0.00, theta 0.25, theta 0.50, theta 0.75, theta 1.00"
    assert (found["second"], found["boxes"]) == ("theta 0.00, theta 1.00", 1) and found["height"] >= 20
    assert found["inside"]
    assert found["kept"] == {
        "file": [0, 1, 5, "theta ", 2],
        "sent": ["start", "end", "count", "prefix", "decimals"],
    }
    assert found["errors"] == []
