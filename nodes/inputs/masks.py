"""Inputs of the nodes that turn attention into masks."""

from __future__ import annotations

from comfy_api.latest import io

from ...attention.presence import FOUND
from ...attention.readout import COMBINE, ReadOut
from ...attention.threshold import METHODS, Threshold
from .shared import number


def phrase_lines(what: str) -> io.String.Input:
    """One phrase per line."""
    return io.String.Input("phrase", multiline=True, default="", tooltip=f"Words of the prompt {what}")


def split_lines(text: str) -> tuple[str, ...]:
    """The phrases in a text, each once."""
    return tuple(dict.fromkeys(line for line in (line.strip() for line in text.splitlines()) if line))


def picture() -> io.Image.Input:
    return io.Image.Input(
        "image",
        optional=True,
        tooltip="The picture: sets the mask's size and lies under the heat map. Neutral: not connected; then the mask "
        "has the size the latent decodes to, and the heat map lies on grey.",
    )


def read_inputs() -> list:
    """How maps become masks; `how` reads them."""
    return [
        io.Combo.Input(
            "threshold",
            options=["otsu", *(method for method in METHODS if method != "otsu")],
            default="otsu",
            tooltip="Where the mask begins. otsu: the best split into two groups. log_mean: above exp(mean(log map) + "
            "lambda), as the source. quantile: a fixed share of the picture. absolute: a fraction of the map's range.",
        ),
        io.Combo.Input(
            "combine",
            options=list(COMBINE),
            default=COMBINE[0],
            tooltip="Several phrases. union: one mask per picture. each: one per phrase and picture, all pictures of "
            "the first phrase first.",
        ),
        number(
            "softness",
            0.0,
            0.0,
            5.0,
            "Width of the mask's edge in powers of e of the attention, 0..5. Neutral: 0, hard.",
        ),
        number(
            "lambda", METHODS["log_mean"], -3.0, 3.0, "log_mean only, -3..3: larger gives a smaller mask. Source: 0.2."
        ),
        number("quantile", METHODS["quantile"], 0.0, 1.0, "quantile only, 0..1: the share of pixels left out."),
        number(
            "fraction",
            METHODS["absolute"],
            0.0,
            1.0,
            "absolute only, 0..1 of the way from the least to the most seen pixel.",
        ),
        io.Int.Input(
            "refine",
            default=1,
            min=0,
            max=4,
            advanced=True,
            tooltip="Rounds of self-attention refinement, 0..4: the mask follows outlines, fine layers count more, and "
            "a pixel belongs to one of the phrases found. Neutral: 0, the maps as the source reads them.",
        ),
        number(
            "found",
            FOUND,
            0.0,
            1.0,
            "A phrase of less presence is 'not found' and gets an empty mask, 0..1. Neutral: 0.",
        ),
        io.Boolean.Input(
            "always_mask",
            default=False,
            advanced=True,
            tooltip="Make a mask even of a phrase that is not found. Neutral: off.",
        ),
    ]


def how(reading: dict) -> ReadOut:
    """What the values of `read_inputs` ask for."""
    levels = {"log_mean": "lambda", "quantile": "quantile", "absolute": "fraction"}
    method = reading["threshold"]
    level = reading[levels[method]] if method in levels else METHODS[method]
    cut = Threshold(method, level, reading["softness"])
    return ReadOut(cut, reading["refine"], reading["combine"], reading["found"], reading["always_mask"])


def outputs() -> list:
    return [
        io.Mask.Output(tooltip="1 = the phrase. One per picture, or per phrase and picture (combine: each)."),
        io.Image.Output(display_name="heat", tooltip="The attention over the picture, bright where it is high."),
        io.Float.Output(
            display_name="presence",
            tooltip="0..1, whether the picture shows the phrase: above 0.12 it does. Mean over phrases and pictures.",
        ),
    ]
