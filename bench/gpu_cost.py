"""What every effect adds to a step of models of real size, in time and in memory."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass, field
from functools import partial

import torch
from comfy.model_management import soft_empty_cache
from comfy.model_patcher import ModelPatcher
from pack.bench.clock import Clock, first_line
from pack.bench.cost_latents import kept_mb
from pack.bench.gpu_effects import EFFECTS, Given
from pack.bench.gpu_models import Form
from pack.bench.paired import Ratio
from pack.bench.sd15 import in_turn

LEAST = 3
"""Rounds below which an interval says nothing."""
ROWS = {"regions_2": 0, "regions_4": 0, "capture_3": 0, "share": 1, "concepts_2_guidance": 2, "inject_3": 0}
"""Effect -> rows that it adds to the model's batch, of those for which an aim is set."""
OVER, MB = 1.03, 64
"""The aims: a step over what its rows take, and memory beside features and rows."""
TIMED = [name for name in EFFECTS if name != "add"]


@dataclass
class Cost:
    """One run of the model, timed."""

    given: Given
    model: ModelPatcher
    peaks: list[float] = field(default_factory=list)
    """Megabytes that the device held at most, of each run."""
    seconds: float = 0.0
    """Of the last run."""

    def run(self) -> float:
        """Seconds a step; the picture comes to the CPU, so all work is done by then. ValueError: it is not finite."""
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        start = time.perf_counter()
        picture = self.given.sample(self.model)
        self.seconds = time.perf_counter() - start
        if torch.cuda.is_available():
            self.peaks.append(torch.cuda.max_memory_allocated() / 2**20)
        if not picture.isfinite().all():
            raise ValueError("its picture is not finite.")
        return self.seconds / self.given.steps


def cost(name: str, form: Form, clock: Clock, pairs: int) -> tuple[list[str], dict]:
    """(rows of the README's table, figures) of one form; both empty where there was no time."""
    given = Given(form.family, form.family.model(), form.side, form.steps, form.cfg)
    costs = _tried(name, given, clock)
    if given.model.loaded_size() < given.model.model_size():
        clock.log.failed.append(f"{name}: its weights do not fit the device and were moved at each step")
    one_round = sum(one.seconds for one in costs.values())
    runs = {effect: one.run for effect, one in costs.items()}
    seconds = clock.do(f"{name}: times", partial(in_turn, runs, pairs, lambda done: clock.left < 1.5 * one_round))
    if "plain" not in costs or not seconds or len(seconds["plain"]) < LEAST:
        clock.log.left_out.append(f"{name}: fewer than {LEAST} rounds")
        return [], {}
    kept = clock.do(f"{name}: features", lambda: kept_mb(costs["share"].run)) if "share" in costs else None
    return table(name, form, seconds, {effect: one.peaks for effect, one in costs.items()}, kept or 0.0)


def _tried(name: str, given: Given, clock: Clock) -> dict[str, Cost]:
    """Effect -> its run, of those that the model knows and that came through a first one."""
    costs = {"plain": Cost(given, given.model)}
    for effect in TIMED:
        try:
            costs[effect] = Cost(given, EFFECTS[effect](given)[0])
        except ValueError as why:
            clock.log.left_out.append(f"{name}, {effect}, which it refuses: {first_line(why)}")
    return {effect: one for effect, one in costs.items() if clock.do(f"{name}, {effect}", one.run) is not None}


def table(name: str, form: Form, seconds: dict, peaks: dict[str, list[float]], kept: float) -> tuple[list[str], dict]:
    """kept: megabytes of the features of infusion."""
    held = {effect: max(values[1:], default=0.0) for effect, values in peaks.items()}
    step = statistics.median(seconds["plain"])
    rows = [f"| {form.label}, plain | {1000 * step:.1f} ms | | {held['plain']:.0f} MB |"]
    figures = {f"{name}_step": step, f"{name}_mb": held["plain"], f"{name}_share_kept_mb": kept}
    for effect in list(seconds)[1:]:
        ratio, more = Ratio.of(seconds[effect], seconds["plain"]), held[effect] - held["plain"]
        step = statistics.median(seconds[effect])
        interval = f"{ratio.median:.3f} ({ratio.low:.3f} .. {ratio.high:.3f})"
        rows.append(f"| ... {effect.replace('_', ' ')} | {1000 * step:.1f} ms | {interval} | {more:+.0f} MB |")
        figures |= {f"{name}_{effect}_ratio": ratio.median, f"{name}_{effect}_low": ratio.low}
        figures |= {f"{name}_{effect}_high": ratio.high, f"{name}_{effect}_mb": more}
    figures[f"{name}_over"] = over(name, 2 if form.cfg > 1 else 1, figures)
    return rows, {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}


def over(name: str, rows: int, figures: dict) -> list[str]:
    """The effects that are surely slower, or larger, than the aim; rows: of the plain model's batch."""
    missed = []
    for effect, added in ROWS.items():
        limit = OVER * (rows + added) / rows
        if figures.get(f"{name}_{effect}_low", 0.0) > limit:
            missed.append(f"{effect}: slower than {limit:.2f}")
        features = figures[f"{name}_share_kept_mb"] if effect == "share" else 0.0
        if added < 2 and figures.get(f"{name}_{effect}_mb", 0.0) - features > MB:
            missed.append(f"{effect}: more than {MB} MB")
    return missed


def forget() -> None:
    """Gives back the memory of a form that nobody holds any more."""
    gc.collect()
    soft_empty_cache()
