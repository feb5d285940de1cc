"""Where a schedule is cut to put a picture back, and how strongly."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

CURVES = ("constant", "fade out", "widen")
ROUNDING = 0.001  # start and end percent have three digits, and timesteps are as far apart


def points(start: float, end: float, count: int) -> list[float]:
    """`count` percents from start to end, both included; one alone stands at start."""
    step = (end - start) / max(count - 1, 1)
    return [start + i * step for i in range(count)]


def percent_of(sigma: float, percent_to_sigma: Callable[[float], float], rounds: int = 50) -> float:
    """The percent 0..1 of the noise schedule that has this sigma, by bisection: the host knows the other way alone."""
    low, high = 0.0, 1.0
    for _ in range(rounds):
        middle = (low + high) / 2
        low, high = (middle, high) if float(percent_to_sigma(middle)) > sigma else (low, middle)
    return (low + high) / 2


def cut_indices(percents: list[float], wanted: list[float], first: int = 0) -> dict[int, int]:
    """Step before which each wanted percent is due -> its number among the wanted.

    percents: of a schedule's sigmas, rising; the last one ends the run (inf: for good). A point is due at the step that
    begins at it or, between two, at the one before: so two runs in a row serve each point once, and a run that begins
    later than a point leaves it out. Of several points in one step the last counts.
    first: no cut comes before this step.
    """
    found = {}
    for number, point in enumerate(wanted):
        begun = [i for i, percent in enumerate(percents) if percent <= point + ROUNDING]
        if begun and begun[-1] < len(percents) - 1:
            found[max(begun[-1], first)] = number
    return {index: number for index, number in found.items() if index < len(percents) - 1}


def curve_mask(mask: Tensor, curve: str, number: int, count: int) -> Tensor:
    """The mask (values 0..1) of injection `number` of `count`, from 0.

    constant: the same each time. fade out: weaker each time, the last one 1 / count. widen: first only what is
    (nearly) fully inside, at last the whole of a soft mask.
    """
    if curve == "fade out":
        return mask * ((count - number) / count)
    if curve == "widen":
        return mask * (mask > 1 - (number + 1) / count)
    return mask


def blend(state: Tensor, cached: Tensor, weight: Tensor) -> Tensor:
    """state where weight is 0 and cached where it is 1, both exactly; in between a straight mix."""
    return state * (1 - weight) + cached * weight
