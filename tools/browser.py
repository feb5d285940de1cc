"""Opens graphs in ComfyUI's own frontend, in a headless chromium (see template.mjs).

Run as a script it sets up what that takes, as root with apt-get: `python tools/browser.py`.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    import alias  # noqa: F401
from pack.tools.host import LOCAL, ROOT, SetupError
from pack.tools.install import say, step

SCRIPT = ROOT / "tools" / "template.mjs"
PLAYWRIGHT = "playwright-core@1.65.1"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PACKAGES = {"chromium": CHROMIUM, "nodejs": ("node",), "npm": ("npm",)}  # Debian's, and the programs they bring
APT = ["apt-get", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20", "-qq"]
QUICK = "--no-save --no-audit --no-fund --ignore-scripts --fetch-retries=0 --fetch-timeout=20000".split()


def program(*names: str) -> str:
    """The path of the first of these programs that is here. SetupError if none is."""
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        raise SetupError(f"There is no {names[-1]} here, which opening a template in the frontend takes: install it.")
    return found


def find_chromium() -> str:
    """CHROMIUM_PATH, else what is on the PATH."""
    given = os.environ.get("CHROMIUM_PATH")
    return program(given) if given else program(*reversed(CHROMIUM))


def playwright() -> Path:
    """The folder that holds playwright-core, which drives the browser; fetched to .host/node if need be."""
    place = LOCAL / "node"
    if not (place / "node_modules" / "playwright-core" / "package.json").is_file():
        npm = program("npm")
        place.mkdir(parents=True, exist_ok=True)
        print(f"Fetching {PLAYWRIGHT} from npm (14 MB on disk) to {place}", flush=True)
        command = [npm, "install", "--prefix", str(place), *QUICK, PLAYWRIGHT]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SetupError(f"npm could not fetch {PLAYWRIGHT}: {' '.join(done.stderr.split())[-300:]}")
    return place


def in_frontend(url: str, graphs: list[dict], screenshots: Path | None = None, vue: bool = False) -> list[dict]:
    """Opens graphs in the frontend of the ComfyUI at `url`; template.mjs says what goes in and what comes out."""
    job = {"url": url, "graphs": graphs, "chromium": find_chromium(), "modules": str(playwright()), "vue": vue}
    if screenshots:
        job["screenshots"] = str(screenshots.absolute())
    command = [program("node"), str(SCRIPT)]
    done = subprocess.run(
        command, input=json.dumps(job), capture_output=True, encoding="utf-8", timeout=300 + 60 * len(graphs)
    )
    if done.returncode:
        raise SetupError(f"The frontend could not be opened:\n{done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def wrong(answer: dict) -> list[str]:
    """Lines on what the frontend could not open."""
    return [f"the frontend does not know {kind}" for kind in answer["missing"]] + answer["errors"]


def set_up() -> None:
    """Installs what is missing of a browser, node and playwright-core. SetupError, in one line, if that cannot be."""
    absent = [package for package, names in PACKAGES.items() if not any(map(shutil.which, names))]
    if os.environ.get("CHROMIUM_PATH"):
        absent = [package for package in absent if package != "chromium"]
    if absent:
        names = " ".join(absent)
        if not shutil.which("apt-get") or os.geteuid() != 0:
            raise SetupError(f"Opening templates in the frontend takes {names}: install that, or run this as root.")
        say(f"Fetching {names} with apt-get")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        step("Reading apt's lists", [*APT, "update"], quiet)
        step(f"Installing {names}", [*APT, "install", "--yes", "--no-install-recommends", *absent], quiet)
    find_chromium(), playwright()


if __name__ == "__main__":
    try:
        set_up()
    except SetupError as error:
        sys.exit(str(error))
