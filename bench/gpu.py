"""Every effect on a GPU: the same pictures as on the CPU, and what it costs there. `python bench/gpu.py`

It ends within eight minutes and says what it left out. `--tiny`: a dry run of every line, on a CPU too, that writes
nothing.
"""

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

TINY = "--tiny"
SECONDS = {"checks": 150, "attention": 20, "sd15": 60, "sdxl": 80, "flux": 130}
"""Of each part; what one does not need, the next ones have."""


class Parts:
    """The clock of each part; a dry run is granted four times as long, as it is about the lines."""

    def __init__(self, tiny: bool) -> None:
        from pack.bench.clock import Log

        self.log, self.start, self.granted, self.slow = Log(), time.monotonic(), 0, 4 if tiny else 1

    def clock(self, part: str):
        """Of the part that begins."""
        from pack.bench.clock import Clock

        self.granted += self.slow * SECONDS[part]
        return Clock(self.start + self.granted - time.monotonic(), self.log)


def checks(parts: Parts, tiny: bool) -> tuple[list, dict]:
    """(rows, figures) of every effect against the CPU."""
    from comfy.model_management import get_torch_device
    from pack.bench.gpu_checks import FACTOR, check

    found = check(get_torch_device(), "eager" if tiny else "inductor", parts.clock("checks"))
    rows = [("checked", f"{found.checked} outcomes, {len(parts.log.failed)} failed")]
    rows += [(f"{mode}: worst effect / plain model", f"{worst:.2f} of {FACTOR}") for mode, worst in found.worst.items()]
    rows += [(f"plain model, {where}: error", f"{off:.1e}") for where, off in found.plain.items()]
    return rows, {"checked": found.checked, "worst": found.worst, "plain_error": found.plain}


def attention(parts: Parts, tiny: bool) -> tuple[list, dict]:
    """(rows, figures) of one call of Flux's size by the three forms of the bias."""
    import torch
    from comfy.model_management import get_torch_device
    from pack.bench.cost_biased import compare, inputs

    clock = parts.clock("attention")
    given = inputs(1) if tiny else inputs(24, dtype=torch.bfloat16, device=get_torch_device())
    found = clock.do("forms of the bias", lambda: compare(given, 1 if tiny else 10, lambda done: tiny and done == 3))
    rows, figures = found or ([], {})
    ratios = {way: figures[f"{way}_ratio"] for way in ("mask", "merge", "dims") if figures}
    fastest = {"fastest_bias": min(ratios, key=ratios.get)} if ratios else {}
    return rows, {f"attention_{name}": value for name, value in figures.items()} | fastest


def costs(parts: Parts, tiny: bool) -> tuple[list[str], dict]:
    """(rows of the README's table, figures)."""
    from pack.bench.gpu_cost import cost, forget
    from pack.bench.gpu_models import FORMS

    lines, figures = [], {}
    for name, make in FORMS.items():
        clock = parts.clock(name)
        rows, found = clock.do(
            f"{name}: cost", lambda n=name, m=make, c=clock: cost(n, m(tiny), c, 3 if tiny else 12)
        ) or ([], {})
        lines, figures = lines + rows, figures | found
        forget()
    return lines, figures


def main() -> None:
    import torch
    from pack.bench.report import device, report

    tiny = TINY in sys.argv
    if not tiny and not torch.cuda.is_available():
        sys.exit(f"No GPU is here; run it on a machine that has one, or with {TINY} for a dry run.")
    parts = Parts(tiny)
    rows, figures = checks(parts, tiny)
    more, found = attention(parts, tiny)
    lines, costly = costs(parts, tiny)
    log = parts.log
    missed = [(name, says) for name, found in costly.items() if name.endswith("_over") for says in found]
    rows += more + [("over the aim", f"{name.removesuffix('_over')}, {says}") for name, says in missed]
    rows += [("failed", line) for line in log.failed] + [("left out", line) for line in log.left_out]
    about = {"failed": log.failed, "left_out": log.left_out, "seconds": round(time.monotonic() - parts.start)}
    print("\n".join([f"| {device()} | step | over plain, 95 % interval | memory, more |", "|---|---|---|---|", *lines]))
    report("gpu", rows, figures | found | costly, about, keep=not tiny)
    if tiny:
        print("dry run: nothing is written, and its times say nothing")


if __name__ == "__main__":
    enter()
    main()
