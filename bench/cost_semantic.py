"""What concepts add to the steps of an SD1.5-size U-Net, over the rows they need. `python bench/cost_semantic.py`"""

import statistics
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PAIRS, SIZE, STEPS, CONCEPTS = 5, 32, 4, 2
SHARES = (1.0, 0.5, 0.25)


def guided(model, share: float, how: str = "guidance"):
    """Two concepts that are active over the first `share` of the schedule of `sample`."""
    from pack.bench.cost_attention import conditioning
    from pack.patches.run.concepts import Concept
    from pack.patches.run.window import Window
    from pack.patches.semantic import SemanticSettings, guide
    from pack.sampling.cuts import percent_of

    sampling = model.get_model_object("model_sampling")
    last = percent_of(6 - 5 * (share * STEPS - 0.5) / (STEPS - 1), sampling.percent_to_sigma) if share < 1 else 1.0
    texts = (conditioning(["glasses"]), conditioning(["a", "hat"]))
    concepts = tuple(Concept(text, window=Window(0.0, last), how=how) for text in texts)
    return guide(model, concepts, SemanticSettings())[0]


def main() -> None:
    from pack.bench.cost_attention import WORDS, conditioning
    from pack.bench.paired import Ratio
    from pack.bench.report import report
    from pack.bench.sd15 import in_turn, sample, unet

    model = unet()
    positive, negative = conditioning(WORDS), conditioning(["blurry"])
    models = {"plain": model, **{f"window_{share * 100:.0f}": guided(model, share) for share in SHARES}}
    models["attention"] = guided(model, 1.0, "attention")
    runs = {name: lambda m=m: sample(m, positive, negative, SIZE, STEPS) for name, m in models.items()}
    seconds = in_turn(runs, PAIRS)
    ratios = {name: Ratio.of(seconds[name], seconds["plain"]) for name in list(runs)[1:]}
    ideal = (2 + CONCEPTS) / 2
    rows = [(f"unpatched, {STEPS} steps", f"{statistics.median(seconds['plain']):.2f} s")]
    rows += [(f"{name}: run / unpatched", str(ratio)) for name, ratio in ratios.items()]
    over, low = ratios["window_100"].median / ideal, ratios["window_100"].low / ideal
    rows.append((f"over (2 + {CONCEPTS}) / 2 rows", f"{over:.3f}  (at least {low:.3f})"))
    figures = {"over_ideal": over, "over_ideal_low": low, **{name: ratio.median for name, ratio in ratios.items()}}
    about = {"latent": SIZE, "steps": STEPS, "pairs": PAIRS, "concepts": CONCEPTS}
    report("cost_semantic", rows, {name: round(value, 4) for name, value in figures.items()}, about)


if __name__ == "__main__":
    enter()
    main()
