"""Whether each object comes out once and in its region: 192 held-out prompts, judged. `python bench/regions.py`"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from statistics import fmean

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PROMPTS, SEED, FIRST = 192, 3000, 30_000  # held-out scenes from number FIRST on; one picture each
MASKED = 96  # of them are also painted by Conditioning (Set Mask)
FURTHER = {"three": ("three", 64), "bleed": ("alike", 64)}  # key -> kind of task, how many
SETTINGS = {
    "off": {"strength": 0.0, "outside": 0.0},
    "flat": {"strength": 0.5, "outside": 0.0, "focus": 0.0},  # as the source
    "default": {},  # chosen on held-out scenes from 60,000 on
}


def measure() -> dict[str, list]:
    """The outcome of a picture of each task: per setting, by the host's recipe, and of the further sets."""
    from pack.bench.asked import tasks
    from pack.bench.placing import Painter, Setting

    painter, asked = Painter(), tasks(FIRST, PROMPTS)

    def painted(given: list, setting: Setting) -> list:
        return [painter.outcome(task, setting, SEED + i) for i, task in enumerate(given)]

    found = {name: painted(asked, Setting(**setting)) for name, setting in SETTINGS.items()}
    found["set_mask"] = [painter.by_set_mask(task, SEED + i) for i, task in enumerate(asked[:MASKED])]
    for key, (kind, count) in FURTHER.items():
        found[key] = painted(tasks(FIRST, count, kind), Setting())
    return found


def scores(outcomes: list) -> dict[str, float]:
    """Shares of the pictures: both (exactly the things asked for, each in its region), surplus (more things than
    that), no_more (as many), background and style as asked for. Shares of the objects: placed (present and inside),
    also per kind of region, present, and each kind of failure.
    """
    from pack.bench.asked import layouts
    from pack.bench.placing import FAILURES

    counts = Counter(word for outcome in outcomes for word in outcome.verdicts)
    shares = {word: counts[word] / sum(counts.values()) for word in ("placed", *FAILURES)}
    extra = [outcome.things - len(outcome.verdicts) for outcome in outcomes]
    figures = {
        "both": fmean(outcome.right for outcome in outcomes),
        "surplus": fmean(more > 0 for more in extra),
        "no_more": fmean(more == 0 for more in extra),
        "background": fmean(outcome.background for outcome in outcomes),
        "style": fmean(outcome.style for outcome in outcomes),
        "placed": shares["placed"],
        "present": 1 - shares["mixed"] - shares["missing"],
    }
    for kind in layouts(len(outcomes[0].verdicts)):
        words = [word for outcome in outcomes if outcome.task.kind == kind for word in outcome.verdicts]
        figures[f"placed_{kind}"] = words.count("placed") / len(words)
    return figures | {word: shares[word] for word in FAILURES}


def draw(outcomes: dict[str, list], path: Path, shown: int = 6) -> None:
    """The pictures of the first tasks, once per setting; two tasks in a row."""
    import torch
    from pack.bench.paint import save_sheet
    from pack.bench.placing import outlined
    from pack.demo.captions import prompt

    picked = [(name, outcomes[name][i]) for i in range(shown) for name in SETTINGS]
    labels = [f"off: {prompt(outcome.task.scene)}" if name == "off" else name for name, outcome in picked]
    save_sheet(path, torch.stack([outlined(outcome) for _, outcome in picked]), labels, 2 * len(SETTINGS))


def main() -> None:
    from pack.bench.paint import CFG, STEPS
    from pack.bench.report import RESULTS, report

    outcomes = measure()
    draw(outcomes, RESULTS / "regions.jpg")
    found = {name: scores(outcomes[name]) for name in outcomes}
    rows = [("", "".join(f"{name:>9}" for name in found))]
    for key in found["off"]:
        rows.append((key, "".join(f"{one[key]:9.3f}" if key in one else " " * 9 for one in found.values())))
    figures = {f"{key}_{name}": found[name][key] for key in found["off"] for name in SETTINGS}
    figures |= {f"set_mask_{key}": value for key, value in found["set_mask"].items()}
    figures |= {f"{name}_{key}_default": value for name in FURTHER for key, value in found[name].items()}
    counts = {f"{name}_prompts": count for name, (_, count) in FURTHER.items()}
    about = {"prompts": PROMPTS, "set_mask_prompts": MASKED, **counts, "first_seed": SEED, "steps": STEPS, "cfg": CFG}
    report("regions", rows, {key: round(value, 4) for key, value in figures.items()}, {**about, **SETTINGS})


if __name__ == "__main__":
    enter()
    main()
