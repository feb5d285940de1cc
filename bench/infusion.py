"""How far pictures can bias a prompt, per group of sites, and one picture against four. `bench/infusion.py [groups]`"""

from __future__ import annotations

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.bench.infuser import ALIKE, FIRST, SEED, SHARE, STEPS, Infuser, case  # noqa: E402
from pack.tools.inside import enter  # noqa: E402

PICTURES = 48
WEIGHTS, SHARED = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6), (0.0, 0.3, 1.0, 3.0, 10.0, 30.0)
GROUPS = {name: ({"preset": name}, WEIGHTS) for name in ("down path", "middle", "up path", "skips", "all")}
GROUPS["up path, negative"] = {"preset": "up path"}, tuple(-weight for weight in WEIGHTS)
GROUPS["share"] = SHARE, SHARED
KEPT, CLIPPED = 0.9, 0.1
"""A picture has collapsed where less than this share of the objects that stay at weight 0 is left, or more of its
pixels are black or white in a channel."""
SHOWN = 2  # cases of the sheet
SET = 1.0  # weight of one and of four pictures with share: at larger ones both carry nearly all


def usable(curve: list[dict[str, float]]) -> int:
    """Index of the last weight before the picture collapses or the background's probability has its peak."""
    whole = [row["kept"] >= KEPT * curve[0]["kept"] and row["clipped"] <= CLIPPED for row in curve]
    good = curve[: (whole + [False]).index(False)]
    return max(range(len(good)), key=lambda i: good[i]["background"])


def summary(name: str, weights: tuple[float, ...], curve: list[dict[str, float]]) -> dict[str, float]:
    """usable: the largest weight; over the weights up to it: Spearman's rank correlation of the mean, and the gain."""
    from pack.bench.slerp import spearman

    end, key = usable(curve), name.replace(", ", "_").replace(" ", "_")
    rise = [row["background"] for row in curve[: end + 1]]
    figures = {"usable": abs(weights[end]), "spearman": spearman(rise) if end else 0.0, "gain": rise[-1] - rise[0]}
    last = f"kept_at_{abs(weights[-1]):g}".replace(".", "_")
    figures |= {"kept": curve[end]["kept"], last: curve[-1]["kept"], "carried": curve[end]["carried"]}
    return {f"{key}_{figure}": value for figure, value in figures.items()}


def table(name: str, weights: tuple[float, ...], curve: list[dict[str, float]]) -> list[tuple[str, str]]:
    rows = [
        (f"  {w or 0:g}", "".join(f"{v:12.3f}" for v in row.values())) for w, row in zip(weights, curve, strict=True)
    ]
    return [(name, "".join(f"{key:>12}" for key in curve[0])), *rows]


def draw(infuser: Infuser, painted: dict[str, list], path: Path) -> None:
    """Per group, a biasing picture and what becomes of the prompt along the weights.

    Of the first cases whose plain picture does not happen to have the background.
    """
    import torch
    from pack.bench.paint import save_sheet
    from pack.demo import judge

    plain = judge.read(infuser.reader, next(iter(painted.values()))[0])
    other = [i for i, c in enumerate(infuser.cases) if plain[i].background != c.scenes[0].background]
    pictures, labels = [], []
    for number in other[:SHOWN]:
        for name in painted:
            weights = GROUPS[name][1]
            pictures += [infuser.drawn[number][:1], *(one[number : number + 1] for one in painted[name])]
            labels += [f"{name}:", *(f"{infuser.cases[number].prompt}, {weight or 0:g}" for weight in weights)]
    save_sheet(path, torch.cat(pictures), labels, len(WEIGHTS) + 1)


def sets(infuser: Infuser, mix: str, how: dict, weight: float) -> dict[str, float]:
    """One picture of a concept against four, at the same weight."""
    names, figures = {"concept": "background", "carried": "carried", "colour": "colour"}, {}
    for name, count in (("one", 1), ("four", ALIKE)):
        seen = infuser.score(infuser.every(how, weight, count))
        figures |= {f"{mix}{figure}_{name}": seen[key] for figure, key in names.items()}
    return figures


def main() -> None:
    """Of all groups, or of those on the command line: then the other figures of the last run stay."""
    from pack.bench.paint import CFG
    from pack.bench.report import RESULTS, report

    infuser, asked = Infuser([case(i) for i in range(PICTURES)]), sys.argv[1:]
    infuser.check()
    plain, painted, rows = infuser.every({}, 0.0), {}, []
    figures = json.loads((RESULTS / "infusion.json").read_text(encoding="utf-8")) if asked else {}
    for name in asked or GROUPS:
        how, weights = GROUPS[name]
        painted[name] = [plain, *(infuser.every(how, weight) for weight in weights[1:])]
        curve = [infuser.score(pictures) for pictures in painted[name]]
        rows += table(name, weights, curve)
        figures |= {key: round(value, 4) for key, value in summary(name, weights, curve).items()}
    more = sets(infuser, "share_", SHARE, SET) if "share" in painted else {}
    if "down path" in painted:
        more |= sets(infuser, "", GROUPS["down path"][0], figures["down_path_usable"])
    draw(infuser, painted, RESULTS / ("_".join(["infusion", *asked]) + ".jpg"))
    about = {"pictures": PICTURES, "weights": WEIGHTS, "share_weights": SHARED, "share_set": SET}
    about |= {"seed": SEED, "first": FIRST, "steps": STEPS, "cfg": CFG}
    report("infusion", rows, figures | {key: round(value, 4) for key, value in more.items()}, about)


if __name__ == "__main__":
    enter()
    main()
