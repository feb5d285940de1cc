"""Edits by SemanticGuidance beside prompt append and negative prompts, on TinyScenes. `python bench/semantic.py`"""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PROMPTS, SEED, FIRST = 64, 3000, 70_000  # tuned on scenes 50,000 to 50,015, the defaults on those from 60,000 on
SCALES = (0.0, 1.0, 2.0, 3.0, 4.5, 6.0)
STARTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
TIMES = (0.2, 0.25, 0.3)  # of the host's timestep editing
STRONGER, WEAKER = 8.0, 3.0  # scales beside the default's 5, for the curve
AVERAGE = 0.5


@dataclass
class Group:
    """All pictures of one kind of edit by the way they were made, and what the judge reads in each."""

    cases: list
    seeds: list[int]
    pictures: dict
    readings: dict


def compare(editor, kind: str) -> Group:
    """Unedited, by the host's recipes, and by ours."""
    from pack.bench.edit_cases import KINDS, cases
    from pack.bench.edit_recipes import average, keeping, timestep
    from pack.bench.editing import DEFAULT, SOURCE, TUNED

    count = PROMPTS // len(KINDS)
    given = cases(FIRST + KINDS.index(kind) * count, count, (kind,))
    seeds = [SEED + i for i in range(count)]
    plain = editor.paint([case.text for case in given], seeds)
    pictures = {
        "unedited": plain,
        "append": editor.paint([case.sentence for case in given], seeds),
        "average": average(editor, given, seeds, AVERAGE),
        **{f"timestep_{at * 100:.0f}": timestep(editor, given, seeds, at) for at in TIMES},
        "default": editor.edit(given, seeds, [DEFAULT]),
        "weaker": editor.edit(given, seeds, [replace(DEFAULT, scale=WEAKER)]),
        "stronger": editor.edit(given, seeds, [replace(DEFAULT, scale=STRONGER)]),
        "keep": keeping(editor, given, seeds, DEFAULT),
        "source": editor.edit(given, seeds, [SOURCE]),
        "tuned": editor.edit(given, seeds, [TUNED[kind]], editor.read(plain)),
    }
    return Group(given, seeds, pictures, {way: editor.read(made) for way, made in pictures.items()})


def isolation(editor, texture: Group) -> tuple[float, float]:
    """Of the stripes that were made, the share that is still there beside a style; how often the style is."""
    from pack.bench.edit_cases import succeeded
    from pack.bench.editing import TUNED
    from pack.demo.backdrops import STYLES

    cases = [replace(case, words=STYLES[1 + i % 3]) for i, case in enumerate(texture.cases)]
    both = editor.read(editor.edit(cases, texture.seeds, [TUNED["texture"], TUNED["style"]]))
    rows = list(zip(texture.cases, texture.readings["tuned"], both, strict=True))
    still = [succeeded(case, now) for case, alone, now in rows if succeeded(case, alone)]
    return statistics.mean(still), statistics.mean(c.words == now.style for c, now in zip(cases, both, strict=True))


def along_scale(editor, style: Group) -> float:
    """Mean rank correlation of the judge's probability of the style with the scale, 8 pictures."""
    from pack.bench.editing import TUNED
    from pack.bench.slerp import spearman

    cases, seeds = style.cases[:8], style.seeds[:8]
    steps = [[replace(TUNED["style"], scale=scale)] for scale in SCALES]
    readings = [editor.read(editor.edit(cases, seeds, recipes)) for recipes in steps]
    return statistics.mean(spearman([row[i].styles[case.words] for row in readings]) for i, case in enumerate(cases))


def removal(editor, style: Group) -> dict[str, float]:
    """The style that a prompt asks for taken out, by ours and by the host's ways: gone, and all else kept."""
    from pack.bench.edit_cases import rates
    from pack.bench.edit_recipes import nag, perp_neg
    from pack.bench.editing import REMOVE

    cases = [replace(case, asked=case.scene) for case in style.cases]
    texts, words = [case.sentence for case in style.cases], [case.words for case in cases]
    ways = {
        "remove": editor.edit(style.cases, style.seeds, [REMOVE], texts=texts),
        "negative": editor.paint(texts, style.seeds, words),
        "perp_neg": perp_neg(editor, texts, words, style.seeds),
        "nag": nag(editor, texts, words, style.seeds),
    }
    found = {}
    for way, pictures in ways.items():
        made, same, *_ = rates(cases, style.readings["append"], editor.read(pictures))
        found |= {f"{way}_success": made, f"{way}_kept": same}
    return found


def draw(groups: dict[str, Group], path: Path) -> None:
    """Two cases of each kind, the ways below each other."""
    import torch
    from pack.bench.paint import save_sheet

    chosen = [(group, i) for group in groups.values() for i in (0, 1)]
    ways = ("unedited", "append", "timestep_20", "default", "keep")
    pictures = torch.stack([group.pictures[way][i] for way in ways for group, i in chosen])
    edits = [f"{group.cases[i].text} + {group.cases[i].words}" for group, i in chosen]
    save_sheet(path, pictures, [*edits, *(way for way in ways[1:] for _ in chosen)], len(chosen))


def draw_warmup(editor, path: Path) -> None:
    """A style and a background added from ever later on; the first column is unedited."""
    import torch
    from pack.bench.edit_cases import Case
    from pack.bench.editing import Recipe
    from pack.bench.paint import save_sheet
    from pack.demo.scenes import Scene, Thing

    scene = Scene((Thing("cross", "red", False, 60, 52, 30),), "grass", "")
    style = Case("style", scene, replace(scene, style="as a sketch"), "as a sketch")
    beach = Case("background", scene, replace(scene, background="beach"), "on a beach")
    rows = [(style, Recipe("words", scale=7.0, threshold=0.5), 7006)]
    rows += [(beach, Recipe("words", "old", scale=5.0, mask="none"), 7006)]
    parts, labels = [], []
    for case, recipe, seed in rows:
        parts += [editor.paint([case.text], [seed])]
        parts += [editor.edit([case], [seed], [replace(recipe, start=start)]) for start in STARTS]
        labels += [case.text, *(f"{case.words}, start {start:g}" for start in STARTS)]
    save_sheet(path, torch.cat(parts), labels, 1 + len(STARTS))


def summary(groups: dict[str, Group]) -> tuple[dict[str, float], list[tuple[str, str]]]:
    """The figures of each way, the tuned one's without a prefix, over all kinds; rows for the table by kind."""
    from pack.bench.edit_cases import rates

    figures, rows = {}, [("edit", "way          success  kept  kept all  both")]
    ways = [way for way in next(iter(groups.values())).readings if way != "unedited"]
    for way in ways:
        each = [rates(group.cases, group.readings["unedited"], group.readings[way]) for group in groups.values()]
        rows += [
            (kind, f"{way:11}  {a:7.2f}  {b:4.2f}  {c:8.2f}  {d:4.2f}")
            for kind, (a, b, c, d) in zip(groups, each, strict=True)
        ]
        means = [statistics.mean(values) for values in zip(*each, strict=True)]
        name = {"default": "{}_default", "tuned": "{}"}.get(way, f"{way}_{{}}")
        found = zip(("success", "kept", "kept_all", "both"), means, strict=True)
        figures |= {name.format(key): value for key, value in found}
    return figures, rows


def main() -> None:
    from pack.bench.edit_cases import KINDS
    from pack.bench.editing import Editor
    from pack.bench.paint import CFG, STEPS
    from pack.bench.report import RESULTS, report

    editor = Editor()
    draw_warmup(editor, RESULTS / "semantic_warmup.jpg")
    groups = {kind: compare(editor, kind) for kind in KINDS}
    draw(groups, RESULTS / "semantic.jpg")
    figures, rows = summary(groups)
    figures["isolation"], figures["isolation_other"] = isolation(editor, groups["texture"])
    figures["spearman"] = along_scale(editor, groups["style"])
    figures |= removal(editor, groups["style"])
    figures = {name: round(value, 4) for name, value in figures.items()}
    rows += [(name, f"{value:.3f}") for name, value in figures.items()]
    about = {"prompts": PROMPTS, "seeds": 1, "steps": STEPS, "cfg": CFG, "sampler": "dpmpp_2m, karras"}
    report("semantic", rows, figures, about)


if __name__ == "__main__":
    enter()
    main()
