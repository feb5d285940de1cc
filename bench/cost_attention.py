"""What regions and capture add to one step of an SD1.5-size U-Net at 512x512. `python bench/cost_attention.py`"""

import statistics
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PAIRS, SIZE = 8, 64
WORDS = "a red dog and a blue cat in a green field".split()


def conditioning(words: list[str]):
    """A CONDITIONING of 77 random rows whose rows 1.. are the words."""
    import torch
    from pack.attention.phrases import Encoder, Piece, Tag
    from pack.bench.sd15 import WIDTH
    from pack.patches.run.track import KEY

    text = torch.randn(1, 77, WIDTH, generator=torch.Generator().manual_seed(len(words)))
    pieces = tuple(Piece(word + " ", row) for row, word in enumerate(words, 1))
    return [[text, {KEY: Tag((Encoder("l", pieces),), 77)}]]


def with_regions(model):
    """Two regions of half the picture each."""
    import torch
    from pack.attention.regions import Region
    from pack.patches.regions import RegionSettings, place_regions

    left = torch.zeros(1, 512, 512)
    left[:, :, :256] = 1
    return place_regions(model, (Region("red dog", left), Region("blue cat", 1 - left)), RegionSettings())


def with_capture(model):
    """Three phrases; the other content words of the prompt come with them."""
    from pack.patches.capture import CaptureSettings, capture

    return capture(model, CaptureSettings(("red dog", "blue cat", "field")))


def held_mb(maps, run) -> float:
    """Megabytes a capture keeps at the end of a step, with the largest it needed in between."""
    import torch
    from pack.patches.capture import Capture

    peaks, look = [], Capture.look

    def watched(self, seen):
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
            look(self, seen)
        held = peak = 0
        for event in profile.profiler.kineto_results.events():
            if event.name() == "[memory]":
                held += event.nbytes()
                peak = max(peak, held)
        peaks.append(peak)

    Capture.look = watched
    try:
        run()
    finally:
        Capture.look = look
    kept = sum(layer.numel() * 4 for layer in maps.runs[-1].layers.values())
    return (kept + max(peaks)) / 2**20


def summary(seconds: dict[str, list[float]], shares: dict[str, list[float]], mb: float) -> tuple[list, dict]:
    """(rows of the table, figures)."""
    from pack.bench.paired import Ratio

    rows = [("unpatched step", f"{statistics.median(seconds['plain']):.2f} s")]
    figures = {}
    for name in ("regions", "capture"):
        ratio, share = Ratio.of(seconds[name], seconds["plain"]), statistics.median(shares[name][1:])
        rows += [(f"{name}: own time / step", f"{share:.4f}"), (f"{name}: step / unpatched", str(ratio))]
        figures |= {f"{name}_own": share, f"{name}_ratio": ratio.median, f"{name}_ratio_low": ratio.low}
    figures["capture_mb"] = mb
    rows.append(("capture: memory", f"{mb:.1f} MB"))
    return rows, figures


def main() -> None:
    from pack.bench.report import report
    from pack.bench.sd15 import Stopwatch, in_turn, sample, unet
    from pack.patches.run.engine import Override

    model = unet()
    positive, negative = conditioning(WORDS), conditioning(["blurry"])
    captured, maps = with_capture(model)
    models = {"plain": model, "regions": with_regions(model), "capture": captured}
    runs = {name: lambda m=m: sample(m, positive, negative, SIZE) for name, m in models.items()}
    mb, watch = held_mb(maps, runs["capture"]), Stopwatch((Override, "_call"), (Override, "_mask"))
    shares: dict[str, list[float]] = {name: [] for name in models}

    def timed(name: str) -> float:
        share, seconds = watch.share(runs[name])
        shares[name].append(share)
        return seconds

    seconds = in_turn({name: lambda n=name: timed(n) for name in runs}, PAIRS)
    rows, figures = summary(seconds, shares, mb)
    about = {"parameters": sum(p.numel() for p in model.model.parameters()), "latent": SIZE, "batch": 2, "pairs": PAIRS}
    report("cost_attention", rows, {name: round(value, 4) for name, value in figures.items()}, about)


if __name__ == "__main__":
    enter()
    main()
