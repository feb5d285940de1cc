"""The judge's probability of a style along theta 0..1, and whether the object stays. `python bench/slerp.py`"""

import statistics
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PROMPTS, SEED, FIRST = 20, 2000, 20_000
THETAS = [i / 10 for i in range(11)]
STRIP = [i / 4 for i in range(-4, 5)]


def plain_scenes() -> list:
    """20 held-out scenes of one object without a style."""
    import dataclasses

    import numpy as np
    from pack.demo.scenes import random_scene
    from pack.demo.train.data import TEST_SEED

    scenes = (random_scene(np.random.default_rng((TEST_SEED, FIRST + i)), 1) for i in range(PROMPTS))
    return [dataclasses.replace(scene, style="") for scene in scenes]


def spearman(values: list[float]) -> float:
    """Rank correlation of the values with their order; ties share their mean rank."""
    ordered = sorted(values)
    ranks = [ordered.index(v) + (ordered.count(v) - 1) / 2 for v in values]
    if len(set(ranks)) == 1:
        return 0.0
    return statistics.correlation(range(len(values)), ranks)


class Mover:
    """Pictures of prompts whose encodings are moved."""

    def __init__(self) -> None:
        from pack.demo.model import load

        self.model, self.clip, self.vae = load()

    def pictures(self, base: list[str], target: list[str], theta: float, seeds: list[int], neutral: list[str] = ()):
        from pack.bench.paint import encode, paint
        from pack.patches.slerp import TextMove, move_text

        origin = encode(self.clip, neutral) if neutral else None
        moved = move_text(encode(self.clip, base), encode(self.clip, target), origin, TextMove(theta))
        return paint(self.model, self.vae, moved, encode(self.clip, [""]), seeds)

    def strip(self, text: str, style: str, seed: int):
        """One picture per theta in STRIP: the styled prompt, moved along (styled - plain)."""
        import torch

        styled = [f"{text} {style}"]
        return torch.cat([self.pictures(styled, styled, theta, [seed], [text]) for theta in STRIP])


def measure(mover: Mover) -> tuple[list[list[float]], list[list[bool]]]:
    """(probability of the style per prompt and theta, whether the object is right per theta and prompt)."""
    from pack.demo import judge
    from pack.demo.backdrops import STYLES
    from pack.demo.captions import prompt

    reader, scenes = judge.load(), plain_scenes()
    texts, seeds = [prompt(scene) for scene in scenes], [SEED + i for i in range(PROMPTS)]
    styles = [STYLES[1 + i % 3] for i in range(PROMPTS)]
    styled = [f"{text} {style}" for text, style in zip(texts, styles, strict=True)]
    readings = [judge.read(reader, mover.pictures(texts, styled, theta, seeds)) for theta in THETAS]
    objects = [scene.things[0] for scene in scenes]
    kept = [[r.has(o.shape, o.colour) for r, o in zip(row, objects, strict=True)] for row in readings]
    return [[row[i].styles[styles[i]] for row in readings] for i in range(PROMPTS)], kept


def draw(mover: Mover, path: Path) -> None:
    """Each style weakened and strengthened, a row of pictures each."""
    import torch
    from pack.bench.paint import save_sheet
    from pack.demo.backdrops import STYLES

    strips = torch.cat([mover.strip("a blue cross on a beach", style, 2) for style in STYLES[1:]])
    labels = [f"{style} {theta:+g}" for style in STYLES[1:] for theta in STRIP]
    save_sheet(path, strips, labels, len(STRIP))


def main() -> None:
    from pack.bench.paint import CFG, STEPS
    from pack.bench.report import RESULTS, report

    mover = Mover()
    draw(mover, RESULTS / "slerp.jpg")
    curves, kept = measure(mover)
    means = [statistics.mean(values) for values in zip(*curves, strict=True)]
    rows = [("theta", "P(style)  object kept")]
    rows += [(f"{t:.1f}", f"{m:.3f}     {statistics.mean(k):.2f}") for t, m, k in zip(THETAS, means, kept, strict=True)]
    figures = {
        "spearman": statistics.mean(map(spearman, curves)),
        "spearman_of_mean": spearman(means),
        "object_kept_at_0_4": statistics.mean(k for t, row in zip(THETAS, kept, strict=True) if t <= 0.4 for k in row),
        "object_kept_at_0": statistics.mean(kept[0]),
    }
    about = {"prompts": PROMPTS, "thetas": THETAS, "seed": SEED, "steps": STEPS, "cfg": CFG, "mode": "per_token"}
    report("slerp", rows, {name: round(value, 4) for name, value in figures.items()}, about)


if __name__ == "__main__":
    enter()
    main()
