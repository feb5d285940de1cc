"""The long tests on one host: `python tests/trust/run.py --host PATH --json OUT [--quick] [--only NAME ...]`.

Runs with the host's Python (and hypothesis). Each part of a check is a process of its own, two at a time; the exit code
is 0 if none found a fault. OUT: {"host", "checks": {name: {promise, ran, count, seconds, faults, notes, data}}}.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).absolute().parent
ROOT = HERE.parent.parent
sys.path[0] = str(ROOT / "tools")
import alias  # noqa: E402, F401
from pack.tests.trust.tally import Tally  # noqa: E402
from pack.tools.host import host_version  # noqa: E402

NAMES = sorted(path.stem.removeprefix("check_") for path in HERE.glob("check_*.py"))
PRINTED = 40  # faults of a check on the screen; the file holds all
ENDED = "ended before its result was written"


def options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="a few cases of each, in about a minute")
    parser.add_argument("--only", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--part", type=int, help="(for its own use) run this part of the one check, here")
    return parser.parse_args(arguments)


def enter(host: Path) -> None:
    """Makes `import comfy` work, on the CPU and on one thread, and keeps the host's log off the screen."""
    import logging

    sys.argv = sys.argv[:1]
    sys.path.insert(0, str(host))
    import torch

    torch.set_num_threads(1)
    from comfy.cli_args import args

    args.cpu = args.disable_api_nodes = True
    import comfy.utils
    import utils  # noqa: F401, as main.py does: nodes.py puts comfy/, which has a utils.py, first on the path

    comfy.utils.PROGRESS_BAR_ENABLED = False
    logging.disable(logging.ERROR)


def run_here(given: argparse.Namespace) -> None:
    """One part, in this process."""
    check = find(given.only[0])
    tally = Tally(given.quick, given.part, 1 if given.quick else check.parts)
    with tally.case("the check itself"):
        check.run(tally)
    given.json.write_text(json.dumps(tally.result(), ensure_ascii=False), encoding="utf-8")


def find(name: str):
    return importlib.import_module(f"pack.tests.trust.check_{name}").CHECK


def run_part(given: argparse.Namespace, name: str, part: int) -> dict:
    """One part, in a process of its own -> its result; a fault if it dies or does not end."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        command = [sys.executable, str(HERE / "run.py"), "--host", given.host, "--json", out, "--only", name]
        command += ["--part", part, *(["--quick"] if given.quick else [])]
        settings = {**os.environ, "OMP_NUM_THREADS": "1", "COMFYUI_PATH": str(given.host), "PYTHONUTF8": "1"}
        seconds = find(name).seconds
        try:
            done = subprocess.run(
                [str(word) for word in command], env=settings, timeout=seconds, capture_output=True, text=True
            )
            said = done.stderr.strip().splitlines()[-3:]
        except subprocess.TimeoutExpired:
            said = [f"did not end within {seconds} s"]
        if out.is_file():
            return json.loads(out.read_text(encoding="utf-8"))
    fault = f"part {part} {ENDED}: {' / '.join(said)}"
    return {"count": 0, "faults": [fault], "notes": [], "data": [], "seconds": 0.0}


def merged(name: str, parts: list[dict]) -> dict:
    check = find(name)
    joined = {key: [item for part in parts for item in part[key]] for key in ("faults", "notes", "data")}
    joined["notes"] = list(dict.fromkeys(joined["notes"]))
    sums = {key: round(sum(part[key] for part in parts), 1) for key in ("count", "seconds")}
    return {"promise": check.promise, "ran": check.ran, **sums, **joined}


def main(arguments: list[str] | None = None) -> int:
    given = options(arguments)
    enter(given.host)
    if given.part is not None:
        run_here(given)
        return 0
    jobs = [(name, part) for name in given.only for part in range(1 if given.quick else find(name).parts)]
    jobs.sort(key=lambda job: -find(job[0]).seconds)  # the long ones first, so that none is left alone at the end
    with ThreadPoolExecutor(given.processes) as pool:
        parts = list(pool.map(lambda job: run_part(given, *job), jobs))
    checks = {}
    for name in given.only:
        checks[name] = merged(name, [part for job, part in zip(jobs, parts, strict=True) if job[0] == name])
        print(
            f"{name}: {checks[name]['count']} in {checks[name]['seconds']:.0f} s", *checks[name]["faults"], sep="\n  "
        )
    result = {"host": host_version(given.host), "quick": given.quick, "checks": checks}
    given.json.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    return int(any(check["faults"] for check in checks.values()))


if __name__ == "__main__":
    sys.exit(main())
