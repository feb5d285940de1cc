"""Inputs that several nodes share."""

from __future__ import annotations

from comfy_api.latest import io

CATEGORY = "latent manipulation"


def window() -> list:
    """start_percent and end_percent, as the host's ControlNet nodes name them."""
    tip = "0..1 of the noise schedule (not of the steps): 0 is the first, noisiest moment, 1 the end. "
    return [
        io.Float.Input(
            "start_percent",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.001,
            advanced=True,
            tooltip=tip + "Active from here on. Neutral: 0.",
        ),
        io.Float.Input(
            "end_percent",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.001,
            advanced=True,
            tooltip=tip + "Active up to here. Neutral: 1.",
        ),
    ]
