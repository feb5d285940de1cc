"""Whether a subject stays while the prompt rebuilds its scene: 96 drawn pictures. `python bench/keep_subject.py`"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PICTURES, SEED, FIRST = 96, 5000, 50_000  # held-out scenes from number FIRST on; tuned on those from 60,000 on
DENOISE = 0.8  # of the source's and of our recipes
OFFSET = 0.7  # cache_offset of our recipes but ours_default and moved
MORE = 64  # of the moved and of the pairs
SHOWN = 6
COLUMNS = ("kept", "scene", "alone", "seam")


def static(keeper, masks, settings):
    """Rows -> the model that gets the pictures back under their masks."""
    from pack.patches.inject import inject

    return lambda rows: inject(keeper.model, keeper.latents[rows], masks[rows], settings)[0]


def dynamic(keeper, settings):
    """Row -> the model that gets the picture back where it looks at the subject's words."""
    from dataclasses import replace

    from pack.attention.readout import ReadOut
    from pack.bench.keeping import OTSU
    from pack.patches.inject import inject

    def patch(rows: slice):
        named = replace(settings, phrase=keeper.cases[rows][0].phrase, read=ReadOut(OTSU, always=True))
        return inject(keeper.model, keeper.latents[rows], None, named)[0]

    return patch


def ours(**changes):
    """Latent Cache Inject's defaults, but for `changes`."""
    from dataclasses import replace

    from pack.nodes.subject import LatentCacheInject
    from pack.patches.inject import InjectSettings
    from pack.patches.run.window import Window

    given = {i.id: getattr(i, "default", None) for i in LatentCacheInject.GET_SCHEMA().inputs}
    window = Window(given["start_percent"], given["end_percent"])
    return replace(InjectSettings(window, given["injections"], given["cache_offset"]), **changes)


def painted(keeper) -> dict:
    """Recipe -> pictures (N, 128, 128, 3), all at equal steps; the masked ones with the same grown masks."""
    from comfy_extras.nodes_differential_diffusion import DifferentialDiffusion
    from pack.bench.keeping import grown
    from pack.patches.inject import InjectSettings
    from pack.patches.run.window import Window

    true, seen = grown(keeper.masks), grown(keeper.seen(slice(0, PICTURES)))
    gradual = DifferentialDiffusion.execute(keeper.model).result[0]
    source, tuned = InjectSettings(Window(0.259, 0.299), 3, 0.5), ours(offset=OFFSET)
    return {
        **{f"img2img_{round(10 * d):02}": keeper.paint(lambda rows: keeper.model, d) for d in (0.6, 0.8, 1.0)},
        "noise_mask": keeper.paint(lambda rows: keeper.model, 1.0, 1 - true),
        "diff_diff": keeper.paint(lambda rows: gradual, 1.0, 1 - true),
        "published": keeper.paint(static(keeper, true, source), DENOISE),
        "ours_default": keeper.paint(static(keeper, true, ours()), DENOISE),
        "ours_true": keeper.paint(static(keeper, true, tuned), DENOISE),
        "ours_attention": keeper.paint(static(keeper, seen, tuned), DENOISE),
        "ours_dynamic": keeper.paint(dynamic(keeper, tuned), DENOISE, alone=True),
    }


def further() -> dict:
    """Recipe -> (keeper, pictures) of scenes of their own: subjects that move by a third, two from two pictures."""
    from pack.bench.keep_cases import moved_cases, paired_cases
    from pack.bench.keep_more import both, moved
    from pack.bench.keeping import Keeper

    elsewhere = Keeper(moved_cases(FIRST, MORE), SEED)
    one, other = (Keeper(cases, SEED) for cases in paired_cases(FIRST, MORE))
    return {
        "moved": (elsewhere, elsewhere.paint(moved(elsewhere, ours()), DENOISE)),
        "two_subjects": (one, one.paint(both(one, other, ours(offset=OFFSET)), DENOISE)),
    }


def scores(keeper, pictures) -> dict[str, float]:
    """Shares of the pictures: subject kept, scene as asked, nothing else in them; and the seam, 1 = as if drawn."""
    from pack.bench.keeping import judged

    verdicts, drawn = (judged(keeper.reader, keeper.cases, given) for given in (pictures, keeper.wanted()))
    seam = sum(v.edges for v in verdicts) / sum(v.edges for v in drawn)
    shares = {name: statistics.mean(getattr(v, name) for v in verdicts) for name in ("kept", "scene", "alone")}
    return {**shares, "seam": seam}


def draw(keeper, pictures: dict, path: Path) -> None:
    """The first cases: the picture, then every recipe's."""
    import torch
    from pack.bench.paint import save_sheet
    from pack.demo.captions import prompt

    rows = range(SHOWN)
    shown = torch.stack([p for i in rows for p in (keeper.pictures[i], *(given[i] for given in pictures.values()))])
    labels = [label for i in rows for label in (prompt(keeper.cases[i].asked), *pictures)]
    save_sheet(path, shown, labels, 1 + len(pictures))


def errors(keeper, before, after) -> dict[str, float]:
    """Of the subjects' pixels, without and with their own put in."""
    from pack.bench.keep_more import error_inside

    found = {"before": before, "after": after}
    return {f"error_inside_{when}": round(error_inside(keeper, given), 4) for when, given in found.items()}


def main() -> None:
    from pack.bench.keep_cases import cases
    from pack.bench.keep_more import own_pixels
    from pack.bench.keeping import GROW, Keeper
    from pack.bench.paint import CFG, STEPS
    from pack.bench.report import RESULTS, report

    keeper = Keeper(cases(FIRST, PICTURES), SEED)
    pictures = painted(keeper)
    pictures["own_pixels"] = own_pixels(keeper, pictures["ours_default"])
    draw(keeper, pictures, RESULTS / "keep_subject.jpg")
    found = {"drawn": scores(keeper, keeper.wanted()), "untouched": scores(keeper, keeper.pictures)}
    found |= {name: scores(keeper, given) for name, given in pictures.items()}
    found |= {name: scores(*pair) for name, pair in further().items()}
    inside = errors(keeper, pictures["ours_default"], pictures["own_pixels"])
    rows = [("", "".join(f"{column:>8}" for column in COLUMNS))]
    rows += [(name, "".join(f"{row[column]:8.3f}" for column in COLUMNS)) for name, row in found.items()]
    rows += [(name, f"{value:8.4f}") for name, value in inside.items()]
    figures = {f"{name}_{column}": round(row[column], 4) for name, row in found.items() for column in COLUMNS}
    about = {"pictures": PICTURES, "further": MORE, "seed": SEED, "steps": STEPS, "cfg": CFG, "grown": GROW}
    report("keep_subject", rows, figures | inside, {**about, "denoise": DENOISE, "offset": OFFSET})


if __name__ == "__main__":
    enter()
    main()
