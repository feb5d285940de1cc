"""Whether regions without a mask keep things apart: held-out prompts with and without them, judged.

`python bench/follow.py`
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

SETS = {"two": 64, "three": 64, "alike": 64}  # kind of task -> how many, one picture each
SEED, FIRST = 3000, 30_000  # held-out scenes from number FIRST on; chosen on those from 60,000 on
COUNTED = ("complete", "surplus", "mixed", "missing", "style")  # wherever things are


def measure() -> dict[str, dict[str, float]]:
    """Set, and set without regions -> scores; complete: exactly the things asked for, anywhere."""
    from pack.bench.asked import tasks
    from pack.bench.placing import Painter, Setting
    from pack.bench.regions import SETTINGS, mean, scores

    painter, found = Painter(), {}
    ways = {"": Setting(follow=True), "_off": Setting(**SETTINGS["off"])}
    for kind, count in SETS.items():
        given = [anywhere(task) for task in tasks(FIRST, count, kind)]
        for suffix, setting in ways.items():
            outcomes = [painter.outcome(task, setting, SEED + i) for i, task in enumerate(given)]
            found[kind + suffix] = scores(outcomes) | {"complete": mean(outcome.complete for outcome in outcomes)}
    return found


def anywhere(task):
    """The same with no place asked for: only what is there counts."""
    return replace(task, boxes=((0.0,) * 4,) * len(task.boxes))


def main() -> None:
    from pack.bench.paint import CFG, STEPS
    from pack.bench.report import report

    found = measure()
    rows = [("", "".join(f"{name:>11}" for name in found))]
    rows += [(key, "".join(f"{one[key]:11.3f}" for one in found.values())) for key in COUNTED]
    figures = {f"follow_{key}_{name}": round(one[key], 4) for name, one in found.items() for key in COUNTED}
    report("follow", rows, figures, {**SETS, "first_seed": SEED, "steps": STEPS, "cfg": CFG})


if __name__ == "__main__":
    enter()
    main()
