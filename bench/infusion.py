"""How far pictures can bias a prompt, per group of sites, and four pictures against one. `python bench/infusion.py`"""

from __future__ import annotations

import statistics
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PICTURES, BATCH, FIRST, SEED, STEPS = 48, 48, 70_000, 6000, 5  # held-out scenes from number FIRST on
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6)
GROUPS = {name: (name, 1) for name in ("down path", "middle", "up path", "skips", "all")}
GROUPS["up path, negative"] = ("up path", -1)
KEPT, CLIPPED = 0.9, 0.1
"""A picture has collapsed where less than this share of the objects that stay at weight 0 is left, or more of its
pixels are black or white in a channel."""
ALIKE = 4  # pictures of one concept
SHOWN = 2  # cases of the sheet


@dataclass(frozen=True)
class Case:
    """Biasing scenes with one background, and the shape that a prompt asks for, which none of them shows."""

    scenes: tuple
    shape: str

    @property
    def prompt(self) -> str:
        return f"a {self.shape}"


def case(number: int) -> Case:
    import numpy as np
    from pack.demo.scenes import SHAPES, random_scene
    from pack.demo.train.data import TEST_SEED

    rng = np.random.default_rng((TEST_SEED, FIRST + number))
    shape, scenes = str(rng.choice(SHAPES)), []
    while len(scenes) < ALIKE:
        scene = replace(random_scene(rng, 1), style="")
        if scene.things[0].shape != shape:
            scenes.append(replace(scene, background=scenes[0].background if scenes else scene.background))
    return Case(tuple(scenes), shape)


@contextmanager
def own_pictures(count: int):
    """Every row of a batch is biased by its own `count` pictures, as so many runs of one row each would be.

    Row i's are the latents i, i + rows, i + 2 rows, ...; `check` compares it to a run of one row.
    """
    from pack.patches.run import record

    plain = record.mean_over_images
    record.mean_over_images = lambda h, weights: h.unflatten(0, (count, -1)).mean(0)
    try:
        yield
    finally:
        record.mean_over_images = plain


class Infuser:
    """TinyScenes behind Infusion Bias."""

    def __init__(self, cases: list[Case]) -> None:
        import torch
        from pack.demo import judge
        from pack.demo.model import load
        from pack.demo.scenes import render

        (self.model, self.clip, self.vae), self.reader, self.cases = load(), judge.load(), cases
        self.drawn = [torch.stack([torch.from_numpy(render(scene)[0]) for scene in c.scenes]) for c in cases]
        self.latents = [self.vae.encode(pictures) for pictures in self.drawn]

    def paint(self, first: int, last: int, preset: str, weight: float, count: int = 1):
        """Pictures of the cases from first to last - 1, each biased by its first `count` scenes."""
        import torch
        from pack.bench.paint import encode, paint
        from pack.patches.infuse import InfuseSettings, infuse

        biasing = torch.cat([z[i : i + 1] for i in range(count) for z in self.latents[first:last]])
        model = infuse(self.model, biasing, None, InfuseSettings(weight, preset=preset))
        prompts = encode(self.clip, [case.prompt for case in self.cases[first:last]])
        seeds = [SEED + i for i in range(first, last)]
        return paint(model, self.vae, prompts, encode(self.clip, [""]), seeds, steps=STEPS)

    def every(self, preset: str, weight: float, count: int = 1):
        import torch

        with own_pictures(count):
            parts = [self.paint(i, i + BATCH, preset, weight, count) for i in range(0, len(self.cases), BATCH)]
        return torch.cat(parts)

    def check(self) -> None:
        """The batch is what the node does with one picture after the other."""
        for count in (1, ALIKE):
            alone = self.paint(0, 1, "all", 0.1, count)
            with own_pictures(count):
                beside = self.paint(0, 3, "all", 0.1, count)[:1]
            assert (alone - beside).abs().max() < 1e-3

    def score(self, pictures) -> dict[str, float]:
        """Means over the cases: what the judge sees, and the share of pixels at an end of their range."""
        from pack.demo import judge

        found = list(zip(judge.read(self.reader, pictures), self.cases, strict=True))
        seen = {
            "background": [reading.backgrounds[c.scenes[0].background] for reading, c in found],
            "kept": [any(thing.shape == c.shape for thing in reading.things) for reading, c in found],
            "colour": [any(t.colour == c.scenes[0].things[0].colour for t in r.things) for r, c in found],
            "carried": [any(t.shape == c.scenes[0].things[0].shape for t in r.things) for r, c in found],
        }
        clipped = float(((pictures < 0.01) | (pictures > 0.99)).float().mean())
        return {name: statistics.mean(values) for name, values in seen.items()} | {"clipped": clipped}


def usable(curve: list[dict[str, float]]) -> int:
    """Index of the last weight before the picture collapses or the background's probability has its peak."""
    whole = [row["kept"] >= KEPT * curve[0]["kept"] and row["clipped"] <= CLIPPED for row in curve]
    good = curve[: (whole + [False]).index(False)]
    return max(range(len(good)), key=lambda i: good[i]["background"])


def summary(name: str, curve: list[dict[str, float]]) -> dict[str, float]:
    """usable: the largest weight; over the weights up to it: Spearman's rank correlation of the mean, and the gain."""
    from pack.bench.slerp import spearman

    end, key = usable(curve), name.replace(", ", "_").replace(" ", "_")
    rise = [row["background"] for row in curve[: end + 1]]
    figures = {"usable": WEIGHTS[end], "spearman": spearman(rise) if end else 0.0, "gain": rise[-1] - rise[0]}
    figures |= {"kept": curve[end]["kept"], "kept_at_0_6": curve[-1]["kept"], "carried": curve[end]["carried"]}
    return {f"{key}_{figure}": value for figure, value in figures.items()}


def draw(infuser: Infuser, painted: dict[str, list], path: Path) -> None:
    """Per group, a biasing picture and what becomes of the prompt along the weights.

    Of the first cases whose plain picture does not happen to have the background.
    """
    import torch
    from pack.bench.paint import save_sheet
    from pack.demo import judge

    plain = judge.read(infuser.reader, painted["all"][0])
    other = [i for i, c in enumerate(infuser.cases) if plain[i].background != c.scenes[0].background]
    pictures, labels = [], []
    for number in other[:SHOWN]:
        for name, (_, sign) in GROUPS.items():
            pictures += [infuser.drawn[number][:1], *(one[number : number + 1] for one in painted[name])]
            labels += [f"{name}:", *(f"{infuser.cases[number].prompt}, {sign * w or 0:g}" for w in WEIGHTS)]
    save_sheet(path, torch.cat(pictures), labels, len(WEIGHTS) + 1)


def main() -> None:
    from pack.bench.paint import CFG
    from pack.bench.report import RESULTS, report

    infuser = Infuser([case(i) for i in range(PICTURES)])
    infuser.check()
    plain, painted, figures, rows = infuser.every("all", 0.0), {}, {}, []
    for name, (preset, sign) in GROUPS.items():
        painted[name] = [plain, *(infuser.every(preset, sign * weight) for weight in WEIGHTS[1:])]
        curve = [infuser.score(pictures) for pictures in painted[name]]
        rows += [(name, "".join(f"{key:>12}" for key in curve[0]))]
        rows += [
            (f"  {w:g}", "".join(f"{v:12.3f}" for v in row.values())) for w, row in zip(WEIGHTS, curve, strict=True)
        ]
        figures |= summary(name, curve)
    draw(infuser, painted, RESULTS / "infusion.jpg")
    weight = figures["down_path_usable"]
    for name, count in (("one", 1), ("four", ALIKE)):
        seen = infuser.score(infuser.every("down path", weight, count))
        figures |= {f"concept_{name}": seen["background"], f"carried_{name}": seen["carried"]}
    about = {"pictures": PICTURES, "weights": WEIGHTS, "seed": SEED, "first": FIRST, "steps": STEPS, "cfg": CFG}
    report("infusion", rows, {name: round(value, 4) for name, value in figures.items()}, about)


if __name__ == "__main__":
    enter()
    main()
