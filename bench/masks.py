"""Masks and presence of phrases against the truth, in drawn and in painted pictures. `python bench/masks.py`"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

SCENES = 200  # of each kind
PAINTED, SEED = 48, 4000
TIMED = 40
FINE = "in.1, out.4-5"  # the blocks whose maps are as large as the latent
STARTS = (0.0, 0.25, 0.5, 0.7)
PLAIN = {"refine": 0}
SETTINGS = {"": {}, "_plain": PLAIN, "_plain_tuned": PLAIN | {"blocks": FINE}}
SETTINGS["_log_mean"] = PLAIN | {"threshold": "log_mean"}


class Looker:
    """TinyScenes behind the pack's mask nodes."""

    def __init__(self) -> None:
        from pack.demo.model import load
        from pack.nodes.masks import SubjectMaskFromAttention
        from pack.patches.run.track import track_phrases

        self.model, clip, self.vae = load()
        self.clip = track_phrases(clip)
        inputs = SubjectMaskFromAttention.GET_SCHEMA().inputs
        self.defaults = {given.id: getattr(given, "default", None) for given in inputs}

    def encode(self, text: str) -> list:
        from pack.bench.paint import tagged

        return tagged(self.clip, text)

    def look(self, case, refine: bool = True):
        """What Subject Mask from Attention sees in the drawn picture, with its defaults."""
        from pack.patches.probe import ProbeSettings, probe
        from pack.patches.run.window import Window

        window = Window(self.defaults["start_percent"], self.defaults["end_percent"])
        latent = {"samples": self.vae.encode(case.draw()[0])}
        settings = ProbeSettings(case.phrases, self.defaults["levels"], self_attention=refine, window=window)
        return probe(self.model, self.encode(case.prompt), latent, settings)

    def read(self, captured, blocks: str = "", **changes: str | int):
        """The node's reading, a mask of 128 x 128 per phrase. blocks: as if only they had been captured."""
        from pack.attention.readout import read_out
        from pack.nodes.inputs.masks import how
        from pack.patches.models.blocks import parse_blocks

        chosen = parse_blocks(blocks, list(captured.layers))
        captured = replace(captured, layers={name: captured.layers[name] for name in captured.layers if name in chosen})
        asked = how({**self.defaults, "combine": "each", **changes})
        return read_out(captured, captured.phrases, (128, 128), asked)

    def paint(self, case, seed: int) -> tuple:
        """A painted picture (1, 128, 128, 3), and per start percent what Attention Capture saw of it."""
        from pack.bench.paint import paint
        from pack.patches.capture import CaptureSettings, capture
        from pack.patches.run.window import Window

        model, handles = self.model, []
        for start in STARTS:
            model, maps = capture(model, CaptureSettings(case.phrases, self_attention=True, window=Window(start, 1.0)))
            handles.append(maps)
        picture = paint(model, self.vae, self.encode(case.prompt), self.encode(""), [seed])
        return picture, [maps.runs[-1] for maps in handles]


def iou(ours, truth) -> float:
    """Common over covered area of two masks."""
    ours, truth = ours > 0.5, truth > 0.5
    return float((ours & truth).sum() / (ours | truth).sum())


def overlaps(looker: Looker, seen: list, which: list, **settings: str) -> list[float]:
    """IoU of every object's mask with its true outline."""
    pairs = ((looker.read(one, **settings).mask, case.draw()[1]) for one, case in zip(seen, which, strict=True))
    return [iou(*masks) for ours, truth in pairs for masks in zip(ours, truth, strict=True)]


def precisions(looker: Looker, seen: list, which: list) -> list[float]:
    """Average precision of every object's heat as a ranking of the pixels, from its true outline."""
    from torch.nn.functional import interpolate

    found = []
    for one, case in zip(seen, which, strict=True):
        heat = interpolate(looker.read(one).heat[:, None], size=(128, 128), mode="bilinear", align_corners=False)
        found += [average_precision(*maps) for maps in zip(heat[:, 0], case.draw()[1], strict=True)]
    return found


def average_precision(heat, truth) -> float:
    """Mean over the true pixels of the share of true ones among those at least as bright."""
    import torch

    hits = (truth > 0.5).flatten()[heat.flatten().argsort(descending=True)].double()
    return float((hits.cumsum(0) / torch.arange(1, len(hits) + 1) * hits).sum() / hits.sum())


def time_ratio(looker: Looker, which: list) -> float:
    """CPU time of the node at its defaults over that without refinement, in turns."""
    spent = {0: 0.0, 1: 0.0}
    for case in which:
        for refine in spent:
            begin = time.process_time()
            looker.read(looker.look(case, refine > 0), refine=refine)
            spent[refine] += time.process_time() - begin
    return spent[1] / spent[0]


def area_under_curve(high: list[float], low: list[float]) -> float:
    """How often a value of the first list is above one of the second; ties count half."""
    return statistics.mean((a > b) + (a == b) / 2 for a in high for b in low)


def painted_overlaps(looker: Looker) -> list[list[float]]:
    """Per object that the judge sees in a painted picture: IoU with its cells, one per start percent."""
    import torch
    from pack.bench.mask_cases import cases
    from pack.demo import judge

    reader, found = judge.load(), []
    for seed, case in enumerate(cases(1, PAINTED // 2) + cases(2, PAINTED // 2), SEED):
        picture, seen = looker.paint(case, seed)
        masks = [looker.read(one).mask for one in seen]
        cells = {(thing.shape, thing.colour): thing.cells for thing in judge.read(reader, picture)[0].things}
        for i, asked in enumerate(case.scene.things):
            if (asked.shape, asked.colour) in cells:
                truth = torch.from_numpy(cells[asked.shape, asked.colour]).float()
                found.append([iou(mask[i], truth.repeat_interleave(8, 0).repeat_interleave(8, 1)) for mask in masks])
    return found


def draw(looker: Looker, rows: list[tuple], path: Path) -> None:
    """Picture, heat and mask of a phrase, for each of (case, what was seen, number of the phrase)."""
    import torch
    from pack.bench.paint import save_sheet
    from pack.nodes.pictures.heat import heat_picture

    pictures, labels = [], []
    for case, seen, i in rows:
        picture, read = case.draw()[0], looker.read(seen)
        mask = read.mask[i : i + 1, ..., None].expand(1, 128, 128, 3)
        pictures += [picture, heat_picture(read.heat[i : i + 1], (128, 128), picture), mask]
        labels += [case.phrases[i], f"presence {float(read.presence[i]):.2f}", "mask"]
    save_sheet(path, torch.cat(pictures), labels, columns=6)


def measure(looker: Looker, kinds: dict[str, list], seen: dict[str, list]) -> dict[str, float]:
    """The figures of drawn scenes with 1 to 3 objects, and with one of the two that the prompt names ("half")."""
    from pack.attention.presence import FOUND

    figures, shapes = {}, ("one", "two", "three")
    for kind in shapes:
        figures[f"ap_{kind}"] = statistics.mean(precisions(looker, seen[kind], kinds[kind]))
    for end, settings in SETTINGS.items():
        for kind in shapes:
            figures[f"iou_{kind}{end}"] = statistics.mean(overlaps(looker, seen[kind], kinds[kind], **settings))
    shown, missing = zip(*(looker.read(one).presence[:, 0].tolist() for one in seen["half"]), strict=True)
    figures["presence_auc"] = area_under_curve(shown, missing)
    figures["found_shown"] = statistics.mean(value >= FOUND for value in shown)
    figures["empty_missing"] = statistics.mean(value < FOUND for value in missing)
    return figures


def main() -> None:
    from pack.bench.mask_cases import cases, half_true_case, three_case
    from pack.bench.report import RESULTS, report

    looker = Looker()
    kinds = {"one": cases(1, SCENES), "two": cases(2, SCENES)}
    kinds |= {"three": list(map(three_case, range(SCENES))), "half": list(map(half_true_case, range(SCENES)))}
    seen = {kind: [looker.look(case) for case in listed] for kind, listed in kinds.items()}
    figures, painted = measure(looker, kinds, seen), painted_overlaps(looker)
    figures["time_ratio"] = time_ratio(looker, kinds["two"][:TIMED])
    for start, values in zip(STARTS, zip(*painted, strict=True), strict=True):
        figures[f"iou_painted_from_{start:g}"] = statistics.mean(values)
    figures = {name: round(value, 4) for name, value in figures.items()}
    chosen = [(kind, i, kind == "half") for kind, count in (("one", 2), ("two", 4), ("half", 2)) for i in range(count)]
    draw(looker, [(kinds[kind][i], seen[kind][i], int(last)) for kind, i, last in chosen], RESULTS / "masks.jpg")
    about = {"scenes": SCENES, "painted_objects": len(painted), "seed": SEED, "blocks_tuned": FINE}
    report("masks", [(name, f"{value:.3f}") for name, value in figures.items()], figures, about)


if __name__ == "__main__":
    enter()
    main()
