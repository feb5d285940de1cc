"""Edits by concepts in cross-attention, at CFG 5 and at CFG 1, on TinyScenes. `python bench/edit_attention.py`"""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

COUNT, FIRST, SEED = 12, 71_000, 5000  # settings were chosen on scenes 60,000 to 60,011, seeds from 7000 on
CFGS = (5.0, 1.0)


@dataclass(frozen=True)
class Way:
    """Properties of a case whose texts are added and removed, and how."""

    add: str
    remove: str
    scale: float
    start: float


EDIT = Way("sentence", "text", 7.5, 0.05)
REMOVE = Way("text", "sentence", 10.0, 0.0)
WORDS = Way("", "words", 5.0, 0.0)


def edited(editor, cases: list, seeds: list[int], way: Way | None, prompt: str, cfg: float):
    """Pictures (N, 128, 128, 3) of the cases' property `prompt`, with the concepts of a way."""
    from pack.bench.paint import encode, paint
    from pack.patches.run.concepts import Concept
    from pack.patches.run.window import Window
    from pack.patches.semantic import SemanticSettings, guide

    def texts(name: str) -> list:
        return encode(editor.clip, [getattr(case, name) for case in cases])

    model = editor.model
    if way:
        given = {"scale": way.scale, "window": Window(way.start, 1.0), "how": "attention"}
        sides = [(way.add, False), (way.remove, True)]
        model, _ = guide(
            model, tuple(Concept(texts(name), remove, **given) for name, remove in sides if name), SemanticSettings()
        )
    return paint(model, editor.vae, texts(prompt), encode(editor.clip, [""]), seeds, cfg)


def adding(editor) -> tuple[dict[str, float], list[tuple[str, str]]]:
    """All kinds of edit at CFG 5, beside the rewritten prompt."""
    from pack.bench.edit_cases import KINDS, cases, rates

    asked, seeds = cases(FIRST + COUNT, COUNT), [SEED + COUNT + i for i in range(COUNT)]
    before = editor.read(edited(editor, asked, seeds, None, "text", CFGS[0]))
    made = {"append": (None, "sentence"), "attention": (EDIT, "text")}
    after = {name: editor.read(edited(editor, asked, seeds, *how, CFGS[0])) for name, how in made.items()}
    figures, rows = {}, [("edit", "way        success  kept")]
    for name, readings in after.items():
        for kind in KINDS:
            chosen = [i for i, case in enumerate(asked) if case.kind == kind]
            parts = [[listed[i] for i in chosen] for listed in (asked, before, readings)]
            success, same, _ = rates(*parts)
            rows += [(kind, f"{name:9}  {success:7.2f}  {same:4.2f}")]
        figures[f"{name}_success"], figures[f"{name}_kept"], _ = rates(asked, before, readings)
    return figures, rows


def removing(editor, cfg: float) -> dict[str, float]:
    """The style that a prompt asks for taken out. success: no style is left; gone: at least not that one.

    absent: mean change of pictures by the removal of a style that is not in them, as a share of where it is.
    """
    from pack.bench.edit_cases import cases, rates

    styled, seeds = cases(FIRST, COUNT, ("style",)), [SEED + i for i in range(COUNT)]
    ways = {"before": (None, "sentence"), "remove": (REMOVE, "sentence"), "words": (WORDS, "sentence")}
    ways |= {"rewritten": (None, "text"), "absent": (WORDS, "text")}
    made = {name: edited(editor, styled, seeds, *how, cfg) for name, how in ways.items()}
    before, figures = editor.read(made["before"]), {}
    for name in ("remove", "words", "rewritten"):
        after = editor.read(made[name])
        success, same, _ = rates([replace(case, asked=case.scene) for case in styled], before, after)
        gone = statistics.mean(case.words != reading.style for case, reading in zip(styled, after, strict=True))
        found = {"success": success, "kept": same, "gone": gone}
        figures |= {f"cfg{cfg:g}_{name}_{key}": value for key, value in found.items()}
    changes = [float((made[a] - made[b]).abs().mean()) for a, b in (("absent", "rewritten"), ("words", "before"))]
    return {**figures, f"cfg{cfg:g}_absent_change": changes[0] / changes[1]}


def main() -> None:
    from pack.bench.editing import Editor
    from pack.bench.paint import STEPS
    from pack.bench.report import report

    editor = Editor()
    figures, rows = adding(editor)
    for cfg in CFGS:
        figures |= removing(editor, cfg)
    figures["absent_change"] = max(figures[f"cfg{cfg:g}_absent_change"] for cfg in CFGS)
    figures = {name: round(value, 4) for name, value in figures.items()}
    rows += [(name, f"{value:.3f}") for name, value in figures.items()]
    about = {"pictures": COUNT, "steps": STEPS, "sampler": "dpmpp_2m, karras"}
    report("edit_attention", rows, figures, about)


if __name__ == "__main__":
    enter()
    main()
