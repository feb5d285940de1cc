"""Whether objects come out in their regions: 96 held-out prompts, read by the judge. `python bench/regions.py`"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PROMPTS, SEEDS, SEED, FIRST = 96, 2, 3000, 30_000  # held-out scenes from number FIRST on
SETTINGS = {
    "off": {"strength": 0.0},
    "default": {},
    "tuned": {"strength": 1.0, "outside": 1.0, "end": 0.4},  # on held-out scenes from 50,000 and 60,000 on
}


def measure() -> dict[str, list]:
    """Per setting, the outcomes of SEEDS pictures of each task in turn."""
    from pack.bench.placing import Painter, Setting, tasks

    painter, asked = Painter(), tasks(FIRST, PROMPTS)
    outcomes = {name: [] for name in SETTINGS}
    for i, task in enumerate(asked):
        seeds = [SEED + SEEDS * i + n for n in range(SEEDS)]
        for name, setting in SETTINGS.items():
            outcomes[name] += painter.outcomes(task, Setting(**setting), seeds)
    return outcomes


def scores(outcomes: list) -> dict[str, float]:
    """Shares of the objects asked for: placed (present and inside), present, and each kind of failure.

    no_more is the share of pictures that hold as many things as asked for.
    """
    from pack.bench.placing import FAILURES, layouts

    counts = Counter(word for outcome in outcomes for word in outcome.verdicts)
    shares = {word: counts[word] / sum(counts.values()) for word in ("placed", *FAILURES)}
    figures = {"placed": shares["placed"], "present": 1 - shares["mixed"] - shares["missing"]}
    figures["no_more"] = sum(outcome.things == len(outcome.verdicts) for outcome in outcomes) / len(outcomes)
    for kind in layouts():
        words = [word for outcome in outcomes if outcome.task.kind == kind for word in outcome.verdicts]
        figures[f"placed_{kind}"] = words.count("placed") / len(words)
    return figures | {word: shares[word] for word in FAILURES}


def draw(outcomes: dict[str, list], path: Path, shown: int = 6) -> None:
    """The first picture of the first tasks, once per setting; two tasks in a row."""
    import torch
    from pack.bench.paint import save_sheet
    from pack.bench.placing import outlined
    from pack.demo.captions import prompt

    picked = [(name, outcomes[name][SEEDS * i]) for i in range(shown) for name in SETTINGS]
    labels = [f"off: {prompt(outcome.task.scene)}" if name == "off" else name for name, outcome in picked]
    save_sheet(path, torch.stack([outlined(outcome) for _, outcome in picked]), labels, 2 * len(SETTINGS))


def main() -> None:
    from pack.bench.paint import CFG, STEPS
    from pack.bench.report import RESULTS, report

    outcomes = measure()
    draw(outcomes, RESULTS / "regions.jpg")
    found = {name: scores(outcomes[name]) for name in SETTINGS}
    rows = [("", "".join(f"{name:>9}" for name in SETTINGS))]
    rows += [(key, "".join(f"{found[name][key]:9.3f}" for name in SETTINGS)) for key in found["off"]]
    figures = {f"{key}_{name}": round(found[name][key], 4) for key in found["off"] for name in SETTINGS}
    about = {"prompts": PROMPTS, "seeds": SEEDS, "first_seed": SEED, "steps": STEPS, "cfg": CFG}
    report("regions", rows, figures, {**about, **SETTINGS})


if __name__ == "__main__":
    enter()
    main()
