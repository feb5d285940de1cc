"""Our nodes chained with ControlNet and IP-Adapter and with each other, judged. `python bench/chains.py`

LATENT_MANIPULATION_PACKS must name the folder of ComfyUI_IPAdapter_plus.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PROMPTS, SIX, SEED, FIRST = 96, 48, 4000, 90_000  # nothing was chosen on these scenes
SHOWN = 4
WAYS = {
    "control": ("regions", "outlines"),
    "control_without": ("outlines",),
    "both": ("regions", "outlines", "look"),
}
ADAPTED = {"adapter": ("regions", "look"), "adapter_without": ("regions",)}


def painted(chains, wishes: list, ways: dict) -> tuple[dict, dict]:
    """way -> figures, and -> pictures."""
    from pack.bench.chained import figures

    found, shown = {}, {}
    for way, parts in ways.items():
        made = [chains.make(wish, *parts) for wish in wishes]
        found[way] = figures(wishes, [reading for _, reading in made])
        shown[way] = [picture for picture, _ in made]
        print(way, found[way], flush=True)
    return found, shown


def kept(chains) -> dict[str, float]:
    """Shares of pictures: a kept subject beside the adapter and beside an edit, and a region found in a first pass."""
    from statistics import mean

    from pack.bench.chained_keep import beside_adapter, beside_edit, second_pass
    from pack.bench.keep_cases import cases

    given = cases(FIRST, PROMPTS)
    by_look = [beside_adapter(chains, case, SEED + i) for i, case in enumerate(given)]
    edits = [beside_edit(chains, case, SEED + i) for i, case in enumerate(given)]
    again = [second_pass(chains, case.scene, SEED + i) for i, case in enumerate(given)]
    return {
        "keep_adapter_kept": mean(verdict.kept for verdict in by_look),
        "keep_adapter_look": mean(verdict.scene for verdict in by_look),
        "keep_edit_kept": mean(verdict.kept for verdict, _ in edits),
        "keep_edit_made": mean(made for _, made in edits),
        "second_pass_kept": mean(found for found in again if found is not None),
    }


def six(chains) -> dict[str, float]:
    """What each effect does alone and beside the other five, and the largest loss; ValueError: not repeatable."""
    import torch
    from pack.bench.chained_six import EVERY, Graph, jobs, sixes
    from pack.bench.outlines import scenes

    given = sixes([s for s in scenes(FIRST, 8 * SIX) if len(s.things) == 2], SEED)[:SIX]
    first, second = (Graph(chains, given[0]).made(*EVERY)[0] for _ in range(2))
    if not torch.equal(first, second):
        raise ValueError("Two runs of all six effects gave different pictures.")
    found = jobs(chains, given)
    drops = {name: found["alone"][name] - min(found[way][name] for way in ("forth", "back")) for name in EVERY}
    rows = {f"six_{name}_{way}": one[name] for way, one in found.items() for name in EVERY}
    return {**rows, "all_six_worst_drop": max(drops.values())}


def draw(wishes: list, shown: dict, path: Path) -> None:
    """The first wishes, a row for each way."""
    import torch
    from pack.bench.looks import pictures
    from pack.bench.outlines import hints
    from pack.bench.paint import save_sheet

    some = wishes[:SHOWN]
    rows = [*hints([wish.scene for wish in some]), *pictures([wish.look for wish in some])]
    labels = [*(wish.text for wish in some), *["the look"] * len(some)]
    for way, made in shown.items():
        rows, labels = [*rows, *made[:SHOWN]], [*labels, *[" + ".join(WAYS[way])] * len(some)]
    save_sheet(path, torch.stack(rows), labels, SHOWN)


def main() -> None:
    from pack.bench.chained import Chains, outlined, placed
    from pack.bench.paint import CFG, STEPS
    from pack.bench.report import RESULTS, report

    chains, wishes = Chains(), outlined(FIRST, PROMPTS, SEED)
    found, shown = painted(chains, wishes, WAYS)
    draw(wishes, shown, RESULTS / "chains.jpg")
    found |= painted(chains, placed(FIRST, PROMPTS, SEED), ADAPTED)[0]
    figures = {
        "control_outline": found["control"]["outline"],
        "control_colours": found["control"]["colours"],
        "control_colours_without": found["control_without"]["colours"],
        "adapter_placed": found["adapter"]["placed"],
        "adapter_placed_without": found["adapter_without"]["placed"],
        "adapter_look": found["adapter"]["look"],
        **{f"both_{name}": found["both"][name] for name in ("outline", "colours", "look")},
        **kept(chains),
        **six(chains),
    }
    figures = {name: round(value, 4) for name, value in figures.items()}
    about = {"prompts": PROMPTS, "six_prompts": SIX, "first_seed": SEED, "steps": STEPS, "cfg": CFG}
    report("chains", [(name, f"{value:.3f}") for name, value in figures.items()], figures, about)


if __name__ == "__main__":
    enter()
    main()
