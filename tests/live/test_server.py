"""The server's life: it starts with this pack, answers, and is gone afterwards."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pack.tools.host import SetupError
from pack.tools.server import NAME, Server, direct, free_port, named_packs, stop, wait_until_ready

SLEEPER = "import time; print('about to sleep', flush=True); time.sleep(60)"


def test_our_nodes_are_there_and_no_pack_that_was_not_named(client, server):
    modules = {name: node["python_module"] for name, node in client.object_info().items()}
    ours = [name for name, module in modules.items() if module == f"custom_nodes.{NAME}"]
    named = {f"custom_nodes.{pack.name}" for pack in named_packs()} | {f"custom_nodes.{NAME}"}
    log = server.log.read_text(encoding="utf-8").splitlines()
    assert [line for line in log if f"{NAME} module for custom nodes" in line] == []  # after "Cannot import"
    assert ours and all(name.startswith("LM_") for name in ours)
    assert {module for module in modules.values() if module.startswith("custom_nodes.")} == named


def test_nothing_is_written_into_the_host(server, runnable):
    assert (server.base / "custom_nodes" / NAME / "pyproject.toml").is_file()
    assert server.base not in (runnable[0], *runnable[0].parents)


def stand_in(tmp_path: Path, code: str) -> Server:
    """A process that is no ComfyUI, where one is expected."""
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=output, stderr=output)
    return Server(f"http://127.0.0.1:{free_port()}", tmp_path, log, process)


def test_a_server_that_dies_is_an_error_with_its_last_lines(tmp_path):
    with pytest.raises(SetupError, match=r"(?s)code 3:.*no such model"):
        wait_until_ready(stand_in(tmp_path, "print('no such model'); raise SystemExit(3)"), 30)


def test_a_server_that_never_answers_is_an_error(tmp_path):
    running = stand_in(tmp_path, SLEEPER)
    try:
        with pytest.raises(SetupError, match="did not answer within 1 s"):
            wait_until_ready(running, 1)
    finally:
        stop(running.process)
    assert running.process.poll() is not None


LIFE = """
import os, sys
sys.path[0] = sys.argv[1]
import alias
from pathlib import Path
from pack.tools.server import serve
with serve(Path(sys.argv[2]), Path(sys.executable), root=Path(sys.argv[3])) as server:
    print(server.process.pid, server.base, server.url, flush=True)
    sys.stdin.readline()
"""
FAKE = """
import http.server, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT and SIGTERM for another process")
@pytest.mark.parametrize("signal_name", ["end of the block", "SIGINT", "SIGTERM"])
def test_the_process_and_its_folder_are_gone_afterwards(tmp_path, signal_name):
    """With a stand-in host, as three starts of a real one would take a minute."""
    import signal

    (tmp_path / "main.py").write_text(FAKE)
    tools = Path(__file__).parents[2] / "tools"
    command = [sys.executable, "-c", LIFE, str(tools), str(tmp_path), str(tmp_path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid, base, url = process.stdout.readline().split()
    direct.open(url + "/system_stats", timeout=5).close()
    if signal_name.startswith("SIG"):
        process.send_signal(getattr(signal, signal_name))
    process.communicate("\n", timeout=20)
    assert not Path(base).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_a_pack_can_be_copied_where_links_are_refused(tmp_path, monkeypatch):
    from pack.tools import server as module

    def refuse(*_, **__):
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    pack = tmp_path / "pack"
    (pack / ".git").mkdir(parents=True)
    (pack / "__init__.py").write_text("")
    (tmp_path / "base").mkdir()
    module.place(pack, tmp_path / "base", "ours")
    assert [path.name for path in (tmp_path / "base" / "custom_nodes" / "ours").iterdir()] == ["__init__.py"]
    shutil.rmtree(tmp_path / "base")
