"""The table of all promises on all hosts, as text and as bench/TRUST.md, and how tests/run.py comes by it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
PAGE = ROOT / "bench" / "TRUST.md"
RESULTS = ROOT / "bench" / "results" / "trust.json"
LISTED = 40  # faults of one check that the page lists
HEAD = """# What is promised, and what was run for it

Written by `python tests/run.py --all`. Each promise is run on each host, on the CPU, with tiny models of the host's own
classes and TinyScenes; a number is of cases, seconds are those of all its processes together.
"""


def run_all(hosts: list[tuple[Path, Path]], quick: bool = False) -> int:
    """The long tests on each (host, its Python); prints the table, writes the page and the results. 0: no fault."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (host, python) in enumerate(hosts):
            out = Path(folder) / f"{number}.json"
            command = [str(python), str(ROOT / "tests" / "trust" / "run.py"), "--host", str(host), "--json", str(out)]
            subprocess.run([*command, *(["--quick"] if quick else [])])
            results.append(json.loads(out.read_text(encoding="utf-8")))
    return write(results)


def write(results: list[dict]) -> int:
    """results: what run.py writes, one for each host."""
    print("\n".join(table(results)))
    PAGE.write_text("\n".join(page(results)) + "\n", encoding="utf-8")
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return int(any(check["faults"] for result in results for check in result["checks"].values()))


def table(results: list[dict]) -> list[str]:
    names = list(dict.fromkeys(name for result in results for name in result["checks"]))
    hosts = [result["host"] + (", a few cases of each" if result["quick"] else "") for result in results]
    lines = [
        f"| promise | what was run | how many | seconds | {' | '.join(hosts)} |",
        "|---|---|---|---|" + "---|" * len(hosts),
    ]
    for name in names:
        found = [result["checks"].get(name) for result in results]
        known = next(check for check in found if check)
        counts, seconds = ({check[key] for check in found if check} for key in ("count", "seconds"))
        row = [known["promise"], known["ran"], span(counts), span({round(s) for s in seconds}), *map(verdict, found)]
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |")
    return lines


def span(numbers: set) -> str:
    return " / ".join(f"{number:,}" for number in sorted(numbers))


def verdict(check: dict | None) -> str:
    if check is None:
        return "not run"
    return f"{len(check['faults'])} faults" if check["faults"] else "holds"


def page(results: list[dict]) -> list[str]:
    lines = [HEAD, *table(results), ""]
    for result in results:
        lines += [f"## Host {result['host']}", ""]
        for check in result["checks"].values():
            lines += [f"* {check['promise']}: {note}" for note in check["notes"]]
            lines += [f"* **{check['promise']}** fails: {plain(fault)}" for fault in check["faults"][:LISTED]]
            more = len(check["faults"]) - LISTED
            lines += [f"* **{check['promise']}**: {more} more in `bench/results/trust.json`"] if more > 0 else []
        lines.append("")
    return [*lines, *sentences(results[0])]


def sentences(result: dict) -> list[str]:
    """What each bad input is answered with."""
    said = result["checks"].get("bad_inputs", {}).get("data", [])
    rows = [f"| {plain(what)} | {plain(sentence)} |" for what, sentence in said]
    return [
        f"## What bad inputs are answered with (host {result['host']})",
        "",
        "| input | answer |",
        "|---|---|",
        *rows,
    ]


def plain(text: str) -> str:
    """In one line of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(write([json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]))
