"""The judge's probability of a style along theta 0..1, and whether the object stays. `python bench/slerp.py`"""

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PROMPTS, SEED, FIRST = 20, 2000, 20_000
EVEN = 6  # of the prompts, two of each style, whose steps are measured
FEW = 9  # of the prompts, moved past their own style
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


@dataclass(frozen=True)
class Cases:
    """Prompts of one object, the styles to add, and the objects to keep."""

    texts: list[str]
    styles: list[str]
    objects: list

    @property
    def styled(self) -> list[str]:
        return [f"{text} {style}" for text, style in zip(self.texts, self.styles, strict=True)]


def cases() -> Cases:
    from pack.demo.backdrops import STYLES
    from pack.demo.captions import prompt

    scenes = plain_scenes()
    styles = [STYLES[1 + i % 3] for i in range(PROMPTS)]
    return Cases([prompt(scene) for scene in scenes], styles, [scene.things[0] for scene in scenes])


def measure(paint: Callable, given: Cases) -> tuple[list[list[float]], list[list[bool]]]:
    """(probability of the style per prompt and theta, whether the object is right per theta and prompt).

    paint: (base texts, target texts, theta, seeds) -> pictures.
    """
    from pack.demo import judge

    reader, seeds = judge.load(), [SEED + i for i in range(PROMPTS)]
    readings = [judge.read(reader, paint(given.texts, given.styled, theta, seeds)) for theta in THETAS]
    kept = [[r.has(o.shape, o.colour) for r, o in zip(row, given.objects, strict=True)] for row in readings]
    return [[row[i].styles[style] for row in readings] for i, style in enumerate(given.styles)], kept


def evenness(mover, given: Cases) -> dict[str, float]:
    """How alike nine steps are, of the first EVEN prompts."""
    from pack.bench.even import measure
    from pack.bench.mover import Slider

    texts = list(zip(given.texts, given.styled, strict=True))[:EVEN]
    sliders = [Slider(text, styled, SEED + i) for i, (text, styled) in enumerate(texts)]
    return measure(mover, sliders, given.styles[:EVEN], given.objects[:EVEN])


def beyond(mover, given: Cases) -> dict[str, float]:
    """Styled prompts past what they say and back, by ours and by Conditioning Average, which has no past."""
    from pack.bench.even import log_odds
    from pack.demo import judge

    seeds = [SEED + i for i in range(FEW)]
    texts, styled = given.texts[:FEW], given.styled[:FEW]
    ways = {
        "asked": mover.pictures(styled, styled, 0.0, seeds),
        "past": mover.pictures(styled, styled, 1.0, seeds, texts),
        "weaken": mover.pictures(styled, styled, -0.6, seeds, texts),
        "average_weaken": mover.averaged(texts, styled, 0.4, seeds),
    }
    found, reader = {}, judge.load()
    for way, pictures in ways.items():
        readings = judge.read(reader, pictures)
        found[f"{way}_odds"] = statistics.mean(log_odds(readings, given.styles[:FEW]))
        rows = zip(readings, given.objects[:FEW], strict=True)
        found[f"{way}_kept"] = statistics.mean(r.has(thing.shape, thing.colour) for r, thing in rows)
    return found


def strip(mover, text: str, style: str, seed: int):
    """One picture per theta in STRIP: the styled prompt, moved along (styled - plain)."""
    import torch

    styled = [f"{text} {style}"]
    return torch.cat([mover.pictures(styled, styled, theta, [seed], [text]) for theta in STRIP])


def draw(mover, path: Path) -> None:
    """Each style weakened and strengthened, a row of pictures each."""
    import torch
    from pack.bench.paint import save_sheet
    from pack.demo.backdrops import STYLES

    strips = torch.cat([strip(mover, "a blue cross on a beach", style, 2) for style in STYLES[1:]])
    labels = [f"{style} {theta:+g}" for style in STYLES[1:] for theta in STRIP]
    save_sheet(path, strips, labels, len(STRIP))


def main() -> None:
    from pack.bench.mover import Mover
    from pack.bench.paint import CFG, STEPS
    from pack.bench.report import RESULTS, report

    mover = Mover()
    draw(mover, RESULTS / "slerp.jpg")
    given = cases()
    curves, kept = measure(mover.pictures, given)
    averages, _ = measure(mover.averaged, given)
    means = [statistics.mean(values) for values in zip(*curves, strict=True)]
    rows = [("theta", "P(style)  object kept")]
    rows += [(f"{t:.1f}", f"{m:.3f}     {statistics.mean(k):.2f}") for t, m, k in zip(THETAS, means, kept, strict=True)]
    figures = {
        "spearman": statistics.mean(map(spearman, curves)),
        "spearman_of_mean": spearman(means),
        "object_kept_at_0_4": statistics.mean(k for t, row in zip(THETAS, kept, strict=True) if t <= 0.4 for k in row),
        "object_kept_at_0": statistics.mean(kept[0]),
        "average_spearman": statistics.mean(map(spearman, averages)),
        **evenness(mover, given),
        **beyond(mover, given),
    }
    about = {
        "prompts": PROMPTS,
        "even_prompts": EVEN,
        "few_prompts": FEW,
        "thetas": THETAS,
        "seed": SEED,
        "steps": STEPS,
        "cfg": CFG,
        "mode": "per_token",
    }
    report("slerp", rows, {name: round(value, 4) for name, value in figures.items()}, about)


if __name__ == "__main__":
    enter()
    main()
