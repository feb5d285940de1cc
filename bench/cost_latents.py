"""What injection and infusion add to the steps of an SD1.5-size U-Net. `python bench/cost_latents.py`"""

import statistics
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PAIRS, SIZE, STEPS, REUSE = 6, 32, 8, 8
LARGE = 64  # one step at 512x512: at 256x256 the weights' way through memory counts as much as the rows


def patched(model) -> dict:
    """Name -> model: eight injections, infusion at every step and at every eighth, by one picture each."""
    import torch
    from pack.patches.infuse import InfuseSettings, infuse
    from pack.patches.inject import InjectSettings, inject
    from pack.patches.run.window import Window

    picture = torch.randn(1, 4, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(1, 8 * SIZE, 8 * SIZE)
    mask[:, :, : 4 * SIZE] = 1
    injected, _ = inject(model, picture, mask, InjectSettings(Window(0.0, 1.0), 16))
    every = infuse(model, picture, None, InfuseSettings(0.05, preset="all"))
    some = infuse(model, picture, None, InfuseSettings(0.05, preset="all", reuse=REUSE))
    return {"plain": model, "inject": injected, "infusion_small": every, "infusion_reuse8": some}


def whole_steps(model, positive: list, negative: list) -> dict:
    """Name -> ratio of one step of infusion at 512x512, at all sites and at the default's, recorded sooner."""
    import torch
    from pack.bench.paired import Ratio
    from pack.bench.sd15 import in_turn, sample
    from pack.patches.infuse import InfuseSettings, infuse

    picture = torch.randn(1, 4, LARGE, LARGE, generator=torch.Generator().manual_seed(1))
    presets = {"infusion": "all", "infusion_down": "down path"}
    models = {name: infuse(model, picture, None, InfuseSettings(0.05, preset=p)) for name, p in presets.items()}
    runs = {name: lambda m=m: sample(m, positive, negative, LARGE) for name, m in {"plain": model, **models}.items()}
    seconds = in_turn(runs, PAIRS)
    return {name: Ratio.of(seconds[name], seconds["plain"]) for name in models}


def summary(ratios: dict, plain: list[float], shares: list[float], kept_mb: float) -> tuple[list, dict]:
    """(rows of the table, figures); the first share is the warm-up's."""
    own = statistics.median(shares[1:])
    rows = [(f"unpatched, {STEPS} steps", f"{statistics.median(plain):.2f} s")]
    rows += [("injection: own time / run", f"{own:.4f}")]
    rows += [(f"{name}: patched / unpatched", str(ratio)) for name, ratio in ratios.items()]
    rows.append(("infusion: features kept", f"{kept_mb:.1f} MB"))
    figures = {"inject_own": own, "infusion_mb": kept_mb}
    for name, ratio in ratios.items():
        figures |= {f"{name}_ratio": ratio.median, f"{name}_ratio_low": ratio.low}
    return rows, figures


def main() -> None:
    from pack.bench.cost_attention import WORDS, conditioning
    from pack.bench.paired import Ratio
    from pack.bench.report import report
    from pack.bench.sd15 import Stopwatch, in_turn, sample, unet
    from pack.patches.inject import Injection

    model = unet()
    positive, negative = conditioning(WORDS), conditioning(["blurry"])
    runs = {name: lambda m=m: sample(m, positive, negative, SIZE, STEPS) for name, m in patched(model).items()}
    kept_mb = features_mb(model, positive, negative)
    watch, shares = Stopwatch((Injection, "_change"), (Injection, "prepare")), []

    def injecting() -> float:
        share, seconds = watch.share(runs["inject"])
        shares.append(share)
        return seconds

    seconds = in_turn({**runs, "inject": injecting}, PAIRS)
    ratios = {name: Ratio.of(taken, seconds["plain"]) for name, taken in seconds.items() if name != "plain"}
    ratios |= whole_steps(model, positive, negative)
    rows, figures = summary(ratios, seconds["plain"], shares, kept_mb)
    about = {"latent": SIZE, "steps": STEPS, "pairs": PAIRS, "sites": "all", "infusion_latent": LARGE}
    report("cost_latents", rows, {name: round(value, 4) for name, value in figures.items()}, about)


def features_mb(model, positive: list, negative: list) -> float:
    """Megabytes of all sites' features of one picture at 512x512."""
    import torch
    from pack.bench.sd15 import sample
    from pack.patches.infuse import InfuseSettings, infuse

    biased = infuse(model, torch.ones(1, 4, 64, 64), None, InfuseSettings(0.05, preset="all"))
    return kept_mb(lambda: sample(biased, positive, negative, steps=2))


def kept_mb(run) -> float:
    """Megabytes of what an infused run of two steps or more keeps."""
    from pack.patches.run.biasing import Biasing

    kept, step = [], Biasing.step

    def watched(self, run) -> None:
        """Before the next step's recording what the last one kept."""
        found = [one for features in self.features.values() for one in features.values()]
        kept.append(sum(one.nbytes for one in found))
        step(self, run)

    Biasing.step = watched
    try:
        run()
    finally:
        Biasing.step = step
    return max(kept) / 2**20


if __name__ == "__main__":
    enter()
    main()
