"""Inputs that several nodes share."""

from __future__ import annotations

from comfy_api.latest import io

CATEGORY = "latent manipulation"
LM_MAPS = io.Custom("LM_MAPS")
LM_REGIONS = io.Custom("LM_REGIONS")


class Names(io.Combo.Input):
    """A list of files, as it is now: a name that is not in it may be right all the same, and its node looks."""


def found_by(words: str) -> list[str]:
    """What users type to find a node, between commas; the pack's name finds all of them."""
    return [*words.split(", "), CATEGORY]


def window(start: float = 0.0, end: float = 1.0) -> list:
    """start_percent and end_percent, as the host's ControlNet nodes name them."""
    tip = "0..1 of the noise schedule (not of the steps): 0 is the first, noisiest moment, 1 the end. "
    return [
        io.Float.Input(
            "start_percent",
            default=start,
            min=0.0,
            max=1.0,
            step=0.001,
            advanced=True,
            tooltip=tip + "Active from here on. Neutral: 0.",
        ),
        io.Float.Input(
            "end_percent",
            default=end,
            min=0.0,
            max=1.0,
            step=0.001,
            advanced=True,
            tooltip=tip + "Active up to here. Neutral: 1.",
        ),
    ]


def chain() -> io.Input:
    """Regions of nodes before this one."""
    return LM_REGIONS.Input(
        "regions", optional=True, tooltip="Regions to add to; they stay as they are. Neutral: not connected."
    )


def blocks() -> io.String.Input:
    """Which attention blocks of the model take part."""
    return io.String.Input(
        "blocks",
        default="",
        advanced=True,
        tooltip="Which attention blocks act, such as 'in.4-8, mid.0, out.3-5'; a wrong one is answered with the list "
        "of the model's own. Neutral: empty, all of them.",
    )


def number(name: str, default: float, least: float, most: float, tip: str, advanced: bool = True) -> io.Float.Input:
    """A number in steps of 0.01."""
    return io.Float.Input(name, default=default, min=least, max=most, step=0.01, advanced=advanced, tooltip=tip)


def seed(of: str) -> io.Int.Input:
    """A seed that stays as it is from run to run."""
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=0xFFFFFFFFFFFFFFFF,
        advanced=True,
        control_after_generate=False,
        tooltip=f"Of {of}, 0..2^64 - 1.",
    )
