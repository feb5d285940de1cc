"""What sharing with one and four pictures adds to a step of an SD1.5-size U-Net. `python bench/cost_share.py`"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

PAIRS, SIZE, COUNTS = 6, 64, (1, 4)  # of latents of 512x512


def shared(model, count: int):
    """The node's defaults with so many pictures."""
    import torch
    from pack.patches.infuse import InfuseSettings, infuse

    pictures = torch.randn(count, 4, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    return infuse(model, pictures, None, InfuseSettings(3.0, preset="all", mix="share", input="noised"))


def main() -> None:
    from pack.bench.cost_attention import WORDS, conditioning
    from pack.bench.cost_latents import kept_mb
    from pack.bench.paired import Ratio
    from pack.bench.report import report
    from pack.bench.sd15 import in_turn, sample, unet

    model, texts = unet(), (conditioning(WORDS), conditioning(["blurry"]))
    models = {"plain": model} | {f"share_{count}": shared(model, count) for count in COUNTS}
    runs = {name: lambda m=m: sample(m, *texts, SIZE) for name, m in models.items()}
    rows, figures = [], {}
    for count in COUNTS:
        figures[f"share_{count}_mb"] = kept_mb(lambda m=models[f"share_{count}"]: sample(m, *texts, SIZE, steps=2))
        rows.append((f"{count} pictures: keys and values kept", f"{figures[f'share_{count}_mb']:.1f} MB"))
    seconds = in_turn(runs, PAIRS)
    for count in COUNTS:
        ratio = Ratio.of(seconds[f"share_{count}"], seconds["plain"])
        rows.append((f"{count} pictures: step / unpatched", str(ratio)))
        figures |= {f"share_{count}_ratio": ratio.median, f"share_{count}_ratio_low": ratio.low}
    about = {"latent": SIZE, "pairs": PAIRS, "sites": "all"}
    report("cost_share", rows, {name: round(value, 4) for name, value in figures.items()}, about)


if __name__ == "__main__":
    enter()
    main()
