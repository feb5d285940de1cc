"""How well TinyScenes paints what is asked: 240 held-out prompts, read by the judge. `python bench/tinyscenes.py`"""

import statistics
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PROMPTS, SEED, CFG, FIRST = 240, 1000, 5.0, 10_000  # held-out scenes from number FIRST on


def held_out(things: int, count: int) -> list:
    import numpy as np
    from pack.demo.scenes import random_scene
    from pack.demo.train.data import TEST_SEED

    return [random_scene(np.random.default_rng((TEST_SEED, things, FIRST + i)), things) for i in range(count)]


def seconds_for_one(model, clip, vae) -> float:
    """Median time of 20 steps and decoding of one picture."""
    from pack.bench.paint import paint_prompts

    times = []
    for seed in range(6):
        start = time.perf_counter()
        paint_prompts(model, clip, vae, ["a red star on a beach"], [seed])
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def placed(scene, reading) -> bool:
    """Whether the first object lies where the relation says, by the middle of the cells."""
    places = []
    for thing in scene.things:
        found = reading.of(thing.shape, thing.colour)
        if not found:
            return False
        places.append(found[0].cells.nonzero())
    (down, across) = (places[1][axis].mean() - places[0][axis].mean() for axis in (0, 1))
    ahead = {"left of": across, "right of": -across, "above": down, "below": -down}[scene.relation]
    return bool(ahead > 0)


def scores(scenes: list, readings: list) -> dict[str, float]:
    """two_objects: both there in their colours. no_more: as many objects as asked. relation: where one is named."""
    pairs = list(zip(scenes, readings, strict=True))
    both = [[r.has(t.shape, t.colour) for t in s.things] for s, r in pairs]
    return {
        "background": statistics.mean(s.background == r.background for s, r in pairs),
        "style": statistics.mean(s.style == r.style for s, r in pairs),
        "one_object": statistics.mean(all(found) for found in both if len(found) == 1),
        "two_objects": statistics.mean(all(found) for found in both if len(found) == 2),
        "no_more": statistics.mean(len(r.things) == len(s.things) for s, r in pairs),
        "relation": statistics.mean(placed(s, r) for s, r in pairs if s.relation != "and"),
    }


def main() -> None:
    from pack.bench.paint import STEPS, paint_prompts, save_sheet
    from pack.bench.report import RESULTS, report
    from pack.demo import judge, model
    from pack.demo.captions import prompt
    from pack.demo.train.autoencoder import psnr
    from pack.demo.train.judge import accuracy

    unet, clip, vae = model.load()
    scenes = held_out(1, PROMPTS // 2) + held_out(2, PROMPTS // 2)
    pictures = paint_prompts(unet, clip, vae, [prompt(s) for s in scenes], [SEED + i for i in range(PROMPTS)])
    reader = judge.load()
    figures = scores(scenes, judge.read(reader, pictures))
    read_right = accuracy(reader, vae.first_stage_model)
    figures["judge_accuracy"] = min(read_right.values())
    figures["ae_psnr_db"] = psnr(vae.first_stage_model)
    figures["megabytes"] = model.WEIGHTS.stat().st_size / 1e6
    figures["judge_megabytes"] = judge.WEIGHTS.stat().st_size / 1e6
    figures["seconds_20_steps"] = seconds_for_one(unet, clip, vae)
    figures = {name: round(value, 3 if "megabytes" in name else 4) for name, value in figures.items()}
    rows = [(name, f"{value:g}") for name, value in figures.items()]
    rows += [(f"  judge: {name}", f"{value:.4f}") for name, value in read_right.items()]
    chosen = [*range(14), *range(PROMPTS // 2, PROMPTS // 2 + 14)]
    save_sheet(RESULTS / "tinyscenes.jpg", pictures[chosen], [prompt(scenes[i]) for i in chosen], columns=7)
    about = {"prompts": PROMPTS, "seed": SEED, "steps": STEPS, "cfg": CFG, "sampler": "dpmpp_2m", "scheduler": "karras"}
    report("tinyscenes", rows, figures, about)


if __name__ == "__main__":
    enter()
    main()
