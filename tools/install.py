"""Installs what is missing, under `.host/` only: a ComfyUI (with comfy-cli) and an environment that can run it.

Says before a download what, how much and where, and asks if a terminal is there. An existing environment is never
changed; a second start finds everything and installs nothing.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

from . import host as hosts
from .host import LOCAL, SetupError

VERSION = "0.33.0"
TORCH = ["torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0"]  # a tested trio: newer ones do not fit together
SOURCE = "https://github.com/comfyanonymous/ComfyUI"
WAYS = (
    "set COMFYUI_PATH to a ComfyUI folder, or put this pack into the custom_nodes folder of a ComfyUI, "
    "or start again with network access and git so that one is installed here."
)


def say(line: str) -> None:
    print(line, flush=True)


def reachable(url: str, seconds: float = 8.0) -> bool:
    """Whether a server answers (through the user's proxy, if any) within `seconds`, name look-up included."""
    answers = []

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=seconds).close()
            answers.append(True)
        except urllib.error.HTTPError as error:
            answers.append(error.code < 500)
        except OSError:
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True)  # a name look-up knows no time limit, a join does
    thread.start()
    thread.join(seconds)
    return any(answers)


def confirm(what: str, yes: bool) -> None:
    """Prints what will be downloaded; asks where a terminal can answer, unless `yes`."""
    say(what)
    if yes or not sys.stdin.isatty():
        return
    if input("Go on? [Y/n] ").strip().lower() not in ("", "y", "yes"):
        raise SetupError("Nothing was downloaded, as you answered no.")


def step(title: str, command: list, env: dict[str, str] | None = None) -> None:
    """Runs one long command: a line when it is done, signs of life meanwhile, its output in .host/install.log."""
    LOCAL.mkdir(exist_ok=True)
    log, start = LOCAL / "install.log", time.monotonic()
    terminal = sys.stdout.isatty()
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen([str(word) for word in command], stdout=file, stderr=subprocess.STDOUT, env=env)
        due = start
        try:
            while process.poll() is None:
                time.sleep(0.1)
                if time.monotonic() >= due:
                    due += 1 if terminal else 30
                    life = f"{title} ... {time.monotonic() - start:.0f} s  {last_lines(log, 1)[:60]}"
                    print(f"\r{life:<110}" if terminal else life, end="" if terminal else "\n", flush=True)
        finally:
            if process.poll() is None:
                process.kill()
    if process.returncode:
        raise SetupError(f"{title} failed (whole output in {log}): {last_lines(log, 3)}")
    say(f"{chr(13) if terminal else ''}{title}: done in {time.monotonic() - start:.0f} s{' ' * 60 if terminal else ''}")


def last_lines(file: Path, count: int) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").split("\n")
    return " / ".join([line.strip() for line in lines if line.strip()][-count:])


def make_venv(place: Path) -> Path:
    """A virtual environment with pip at `place` (kept if it is there); its interpreter."""
    python = hosts.python_in(place)
    if not python.is_file():
        try:
            venv.create(place, with_pip=True, symlinks=os.name != "nt")
        except (OSError, subprocess.CalledProcessError) as error:
            shutil.rmtree(place, ignore_errors=True)
            raise SetupError(
                f"This Python cannot make a virtual environment ({error}): install its venv package "
                "(on Debian and Ubuntu: apt install python3-venv) or set COMFYUI_PYTHON."
            ) from error
        say(f"Made {place}")
    return python


def pip(title: str, python: Path, *arguments: object) -> None:
    step(title, [python, "-m", "pip", "install", "--disable-pip-version-check", *arguments])


def install_host(yes: bool) -> Path:
    """Fetches the pinned ComfyUI to `.host/ComfyUI` with comfy-cli, which lives in an environment of its own."""
    why = "there is no git here" if not shutil.which("git") else ""
    if not why and not reachable(SOURCE):
        why = "github.com does not answer"
    if why:
        raise SetupError(f"No ComfyUI was found and none can be fetched ({why}): {WAYS}")
    target, part = LOCAL / "ComfyUI", LOCAL / "ComfyUI.part"
    confirm(f"No ComfyUI was found: fetching ComfyUI {VERSION} and comfy-cli (about 0.2 GB) to {target}", yes)
    tool = LOCAL / "venv-comfy-cli"
    pip("Installing comfy-cli", make_venv(tool), "comfy-cli")
    shutil.rmtree(part, ignore_errors=True)  # left by an interrupted start
    options = ["--version", VERSION, "--cpu", "--skip-manager", "--skip-torch-or-directml", "--skip-requirement"]
    command = [hosts.python_in(tool), "-m", "comfy_cli", "--skip-prompt", "--workspace", part, "install", *options]
    step(f"Fetching ComfyUI {VERSION}", command, comfy_cli_environment(tool))
    part.rename(target)
    return target


def comfy_cli_environment(tool: Path) -> dict[str, str]:
    """Without telemetry, and with a home of its own: the user's comfy-cli settings stay as they are."""
    own = {"DO_NOT_TRACK": "1", "VIRTUAL_ENV": str(tool), "HOME": str(LOCAL), "USERPROFILE": str(LOCAL)}
    own["GIT_CONFIG_GLOBAL"] = os.environ.get("GIT_CONFIG_GLOBAL", str(Path.home() / ".gitconfig"))
    return {**os.environ, **own}


def make_environment(host: Path, yes: bool) -> Path:
    """Makes `.host/venv-<version>` that can run this host; returns its interpreter."""
    place = hosts.local_environment(host)
    size = "0.5 to 5 GB, by platform"
    confirm(f"No Python here can run {host}: fetching torch and ComfyUI's requirements ({size}) to {place}", yes)
    python = make_venv(place)
    pip("Installing torch", python, *TORCH)
    pip("Installing ComfyUI's requirements", python, *TORCH, "-r", host / "requirements.txt")
    return python


def set_up(yes: bool) -> tuple[Path, Path]:
    """(ComfyUI's folder, a Python that runs it), installed if need be. SetupError if that cannot be."""
    host = hosts.find_host()
    if host is None and os.environ.get("COMFYUI_PATH"):
        raise SetupError(f"COMFYUI_PATH is {os.environ['COMFYUI_PATH']}, which holds no ComfyUI: {WAYS}")
    host = host or install_host(yes)
    python = hosts.find_python(host)
    if python is None and os.environ.get("COMFYUI_PYTHON"):
        given = Path(os.environ["COMFYUI_PYTHON"]).expanduser().absolute()
        gone = ", ".join(hosts.missing(given, hosts.needed_modules(host)))
        raise SetupError(f"COMFYUI_PYTHON is {given}, which lacks {gone}: name another one or unset it.")
    python = python or make_environment(host, yes)
    say(f"ComfyUI {hosts.host_version(host)}: {host}\nPython: {python}")
    return host, python


def main(arguments: list[str]) -> int:
    try:
        set_up("--yes" in arguments)
    except SetupError as error:
        say(str(error))
        return 2
    return 0
