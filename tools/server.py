"""Starts a real ComfyUI headless, with a temporary base folder and no pack but those named, and always ends it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .host import ROOT, SetupError

NAME = "latent-manipulation"
LEFT_OUT = shutil.ignore_patterns(".git", ".host", ".venv", "__pycache__", "out", "work")
GPU = "import torch; print(any(d.is_available() for d in (torch.cuda, torch.backends.mps, torch.xpu)))"
PACKS = "LATENT_MANIPULATION_PACKS"  # environment variable: folders of further packs, joined by os.pathsep
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy must not see 127.0.0.1


@dataclass(frozen=True)
class Server:
    """A running ComfyUI."""

    url: str  # "http://127.0.0.1:<port>"
    base: Path  # its --base-directory: models, input, output, custom_nodes
    log: Path  # what it prints
    process: subprocess.Popen


def named_packs() -> list[Path]:
    """The folders in LATENT_MANIPULATION_PACKS."""
    return [Path(place) for place in os.environ.get(PACKS, "").split(os.pathsep) if place]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def has_gpu(python: Path) -> bool:
    """Whether this Python's torch sees an accelerator."""
    done = subprocess.run([str(python), "-c", GPU], capture_output=True, text=True)
    return done.stdout.strip() == "True"


def place(pack: Path, base: Path, name: str) -> None:
    """Links a pack into the base folder; copies it where links are not allowed (Windows)."""
    target = base / "custom_nodes" / name
    target.parent.mkdir(exist_ok=True)
    try:
        target.symlink_to(pack, target_is_directory=True)
    except OSError:
        shutil.copytree(pack, target, ignore=LEFT_OUT)


def arguments(host: Path, port: int, base: Path, names: Sequence[str], gpu: bool) -> list[str]:
    fixed = "--disable-api-nodes --database-url sqlite:///:memory: --dont-print-server --disable-auto-launch".split()
    packs = ["--disable-all-custom-nodes", "--whitelist-custom-nodes", *names]
    where = ["--listen", "127.0.0.1", "--port", str(port), "--base-directory", str(base)]
    return [str(host / "main.py"), *where, *packs, *fixed, *([] if gpu else ["--cpu"])]


def last_lines(log: Path, count: int = 30) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])


def wait_until_ready(server: Server, seconds: float) -> None:
    """Returns once /system_stats answers; SetupError with the log's end if the process dies or takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise SetupError(f"ComfyUI ended with code {server.process.returncode}:\n{last_lines(server.log)}")
        try:
            direct.open(server.url + "/system_stats", timeout=5).close()
            return
        except OSError:
            time.sleep(0.25)
    raise SetupError(f"ComfyUI did not answer within {seconds:.0f} s:\n{last_lines(server.log)}")


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def sigterm_raises() -> Iterator[None]:
    """A polite `kill` of this process unwinds the stack, so that the server ends with it."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    try:
        before = signal.signal(signal.SIGTERM, leave)
    except ValueError:  # not the main thread: nothing to catch there
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def start(command: list[str], host: Path, log: Path) -> subprocess.Popen:
    settings = {**os.environ, "PYTHONUTF8": "1"}
    with log.open("w", encoding="utf-8") as output:
        return subprocess.Popen(
            command,
            cwd=host,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours to handle: it unwinds to the `finally` of serve
        )


@contextlib.contextmanager
def serve(
    host: Path, python: Path, packs: Sequence[Path] = (), root: Path = ROOT, log: Path | None = None, seconds=300.0
) -> Iterator[Server]:
    """A ComfyUI with this pack (`root`) and the further `packs`, ready for graphs; gone when the block is left.

    log: file for its output (default: in the temporary base folder, which goes with it); seconds: time to get ready.
    """
    with tempfile.TemporaryDirectory(prefix="comfyui-", ignore_cleanup_errors=True) as folder, sigterm_raises():
        base, port = Path(folder), free_port()
        log = log or base / "server.log"
        named = {NAME: root, **{pack.name: pack for pack in packs}}
        for name, pack in named.items():
            place(Path(pack), base, name)
        command = [str(python), "-u", *arguments(host, port, base, list(named), has_gpu(python))]
        process = start(command, host, log)
        try:
            server = Server(f"http://127.0.0.1:{port}", base, log, process)
            wait_until_ready(server, seconds)
            yield server
        finally:
            stop(process)
