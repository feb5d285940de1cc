"""Every bad input is answered in one sentence that begins with the node's name; all sentences go into the appendix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pack.tests.trust import bad_inputs, special_inputs
from pack.tests.trust.building import Linked, around
from pack.tests.trust.executor import NAMES, OWN, Outcome, finite, register
from pack.tests.trust.executor import run as execute
from pack.tests.trust.sentences import wrong
from pack.tests.trust.tally import Check, Tally

MODES = {"lambda": "log_mean", "quantile": "quantile", "fraction": "absolute"}
"""Which threshold looks at an input."""
NAN = float("nan")


def run(tally: Tally) -> None:
    write_files()
    cases = [(what, node, inputs, says) for what, node, inputs, says in bad_inputs.CASES] + list(out_of_range())
    for what, node, inputs, says in tally.share(cases, quick=20):
        where = f"{NAMES[node]}, {what}"
        with tally.case(where):
            judge(tally, where, execute(around(node, inputs)), says)
    for what, (build, works) in tally.share(list(special_inputs.CASES.items()), quick=2):
        with tally.case(what):
            judge(tally, what, execute(build()), "", works)


def judge(tally: Tally, where: str, outcome: Outcome, says: str, works: bool = False) -> None:
    """works: a finite result is right too."""
    tally.data.append([where, outcome.sentence()[:400]])
    if works and outcome.kind == "ok":
        tally.expect(finite(outcome.kept), where, "the result is not finite")
    else:
        problem = wrong(outcome, says)
        tally.expect(not problem, where, problem)


def write_files() -> None:
    from safetensors.torch import save_file

    folder = Path(register())
    for name, content in bad_inputs.spoilt_files().items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            save_file(content, folder / name)


def out_of_range() -> Iterator[tuple[str, str, dict, str]]:
    """Every number of every node below, above and not a number, and every choice that there is not, over a link."""
    for node, kind in OWN.items():
        for given in kind.GET_SCHEMA().inputs:
            for value in values(given):
                inputs = {given.id: Linked(value)}
                if given.id in MODES:
                    inputs["threshold"] = MODES[given.id]
                if node == "LM_LoadGuidance":
                    inputs["file"] = "absent.safetensors"
                yield f"{given.id} {value}", node, inputs, given.id if node != "LM_LoadGuidance" else ""


def values(given: object) -> list:
    kind = given.get_io_type()
    if kind in ("FLOAT", "INT"):
        odd = [given.min - 1, given.max + 1]
        return [*odd, NAN] if kind == "FLOAT" else odd
    return ["nonsense"] if kind == "COMBO" else []


CHECK = Check(
    "Bad input is answered in a sentence",
    "odd texts, numbers, latents, masks, files, objects; every number out of its range, every choice that is none: a "
    "ValueError of one sentence that begins with the node's name",
    run,
    parts=2,
)
