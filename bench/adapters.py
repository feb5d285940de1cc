"""Whether TinyScenes' ControlNet and IP-Adapter do what they are for, on held-out scenes. `python bench/adapters.py`

LATENT_MANIPULATION_PACKS names the folder of ComfyUI_IPAdapter_plus.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

COUNT, SEED, FIRST, BATCH = 96, 4000, 80_000, 24  # held-out scenes from number FIRST on; chosen on those from 60,000 on


class Bench:
    """TinyScenes, its judge, and pictures in batches."""

    def __init__(self) -> None:
        from pack.bench.paint import encode
        from pack.demo import judge
        from pack.demo.model import load

        (self.model, self.clip, self.vae), self.judge = load(), judge.load()
        self.empty = encode(self.clip, [""])

    def made(self, model, texts: tuple, first: int, count: int):
        from pack.bench.paint import paint

        return paint(model, self.vae, *texts, [SEED + first + i for i in range(count)])

    def control(self, strength: float) -> dict[str, float]:
        """outline: mean IoU of the cells; colours, shapes: share of the outlined things that have the prompt's."""
        from pack.bench import outlines
        from pack.bench.paint import encode
        from pack.demo import control, judge
        from pack.demo.captions import prompt

        drawn, net, found = outlines.scenes(FIRST, COUNT), control.load(), []
        for i in range(0, COUNT, BATCH):
            some = drawn[i : i + BATCH]
            texts = encode(self.clip, [prompt(scene) for scene in some]), self.empty
            texts = outlines.controlled(texts, net, outlines.hints(some), strength)
            found += judge.read(self.judge, self.made(self.model, texts, i, len(some)))
        pairs = list(zip(drawn, found, strict=True))
        return {
            "outline": fmean(outlines.followed(*pair) for pair in pairs),
            "colours": fmean(right for pair in pairs for right in outlines.coloured(*pair)),
            "shapes": fmean(right for pair in pairs for right in outlines.shaped(*pair)),
        }

    def adapter(self, text: str, weight: float) -> dict[str, float]:
        """Shares of the pictures that have the reference's colour, background and style."""
        from pack.bench import looks
        from pack.bench.paint import encode
        from pack.demo import adapter, judge

        scenes, given, found = looks.references(FIRST, COUNT), adapter.load(), []
        for i in range(0, COUNT, BATCH):
            model = looks.adapted(self.model, given, looks.pictures(scenes[i : i + BATCH]), weight, each=True)
            found += judge.read(self.judge, self.made(model, (encode(self.clip, [text]), self.empty), i, BATCH))
        taken = [looks.taken(*pair) for pair in zip(scenes, found, strict=True)]
        return {name: fmean(one[name] for one in taken) for name in taken[0]}


def measure() -> dict[str, float]:
    bench = Bench()
    ways = {"control": bench.control(1.0), "control_off": bench.control(0.0)}
    ways |= {"adapter": bench.adapter("", 1.0), "adapter_off": bench.adapter("", 0.0)}
    return {f"{way}_{name}": round(value, 4) for way, found in ways.items() for name, value in found.items()}


def main() -> None:
    from pack.bench.paint import CFG, STEPS
    from pack.bench.report import report
    from pack.demo import adapter, control

    found = measure()
    found |= {f"{one.WEIGHTS.stem}_megabytes": round(one.WEIGHTS.stat().st_size / 1e6, 3) for one in (control, adapter)}
    rows = [(name, f"{value:g}") for name, value in found.items()]
    report("adapters", rows, found, {"prompts": COUNT, "first_seed": SEED, "steps": STEPS, "cfg": CFG})


if __name__ == "__main__":
    enter()
    main()
