"""Ratios of times that were measured in turn."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from scipy.stats import t as student


@dataclass(frozen=True)
class Ratio:
    """Median of the paired ratios, and the 95 % interval of their geometric mean (Student's t on the logarithms)."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, patched: list[float], plain: list[float]) -> Ratio:
        logs = [math.log(a / b) for a, b in zip(patched, plain, strict=True)]
        mean, spread = statistics.mean(logs), statistics.stdev(logs) / math.sqrt(len(logs))
        reach = float(student.ppf(0.975, len(logs) - 1)) * spread
        return cls(math.exp(statistics.median(logs)), math.exp(mean - reach), math.exp(mean + reach))

    def __str__(self) -> str:
        return f"{self.median:.3f}  (95 %: {self.low:.3f} .. {self.high:.3f})"
