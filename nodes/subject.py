"""LatentCacheInject: keeps a picture's subject while the prompt rebuilds the scene."""

from __future__ import annotations

from comfy_api.latest import io
from torch import Tensor

from ..attention.quote import short
from ..attention.readout import ReadOut
from ..attention.regions import Region
from ..attention.threshold import METHODS, Threshold
from ..patches.inject import InjectSettings, inject
from ..patches.run.moved import Place
from ..patches.run.window import Window
from ..sampling.cuts import CURVES
from .inputs.node import Node
from .inputs.shared import CATEGORY, LM_MAPS, LM_REGIONS, found_by, number, seed, window

MENU = f"{CATEGORY}/keep subject"


class LatentCacheInject(Node):
    """Puts a picture's latent back under a mask at chosen noise levels."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_LatentCacheInject",
            display_name="Keep Subject (Latent Cache Inject)",
            category=MENU,
            description="Keeps the subject of a picture: its latent, noised to the level due, is put back under the "
            "mask at chosen moments of sampling, while the prompt rebuilds the rest. Any model, KSampler's samplers.",
            search_aliases=found_by(
                "keep subject, inpaint, background replace, latent injection, blended diffusion, preserve "
                "subject, change background, keep my subject, replace background, background swap, character "
                "consistency"
            ),
            inputs=[
                io.Model.Input("model", tooltip="The model to patch; the one that goes in stays as it is."),
                io.Latent.Input(
                    "latent",
                    tooltip="The picture to keep, of the size that is sampled: one, or one for each of a batch.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="What to keep, 1 = keep; soft masks mix. One, or one per picture. Neutral: all black. Not "
                    "connected: see phrase.",
                ),
                *_what(),
                *window(0.1, 0.5),
                *_how(),
                *_where(),
            ],
            outputs=[
                io.Model.Output(tooltip="The model, for a sampler."),
                LM_MAPS.Output(
                    display_name="maps", tooltip="The masks used at each injection; Injected Masks shows them."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        model: object,
        latent: dict,
        strength: float,
        injections: int,
        start_percent: float,
        end_percent: float,
        cache_offset: float,
        curve: str,
        seed: int,
        noise: str,
        threshold: str,
        mask: Tensor | None = None,
        phrase: str = "",
        move_x: float = 0.0,
        move_y: float = 0.0,
        scale: float = 1.0,
        place: tuple[Region, ...] = (),
    ) -> io.NodeOutput:
        read = ReadOut(Threshold(threshold, METHODS[threshold]), always=True)
        times = {"window": Window(start_percent, end_percent), "count": injections, "offset": cache_offset}
        how = {"strength": strength, "curve": curve, "seed": seed, "noise_per_item": noise == "one per picture"}
        where = Place(move_x, move_y, scale, _drawn(place))
        settings = InjectSettings(**times, **how, phrase=phrase.strip(), read=read, place=where)
        return io.NodeOutput(*inject(model, latent["samples"], mask, settings))


def _drawn(place: tuple[Region, ...]) -> Tensor | None:
    """The mask of the first region; ValueError: it has none."""
    if place and place[0].mask is None:
        raise ValueError(
            f"The first region of place, '{short(place[0].phrase)}', has no mask, so there is no box for the subject; "
            "connect a mask to it, or draw it in Region Canvas."
        )
    return place[0].mask if place else None


def _what() -> list:
    return [
        io.String.Input(
            "phrase",
            default="",
            tooltip="Without a mask: words of the prompt, whose attention in the steps just done gives a mask at each "
            "injection (the first one after one step); needs Track Phrases. Empty, and no mask: the whole "
            "picture is put back.",
        ),
        io.Float.Input(
            "strength",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="How much of the picture is put back under the mask, 0..1. Neutral: 0.",
        ),
        io.Int.Input(
            "injections",
            default=8,
            min=1,
            max=16,
            tooltip="How many times, evenly from start to end percent, 1..16; fewer if the steps are fewer.",
        ),
    ]


def _how() -> list:
    return [
        io.Float.Input(
            "cache_offset",
            display_name="cleaner than due by",
            default=0.5,
            min=0.0,
            max=1.0,
            step=0.01,
            advanced=True,
            tooltip="0..1 of the noise schedule by which the picture put back is cleaner than due: the more, the surer "
            "the subject stays in its place, and the stronger its colours. Source: 0.5. Neutral: 0, the level due.",
        ),
        io.Combo.Input(
            "curve",
            options=list(CURVES),
            default=CURVES[0],
            advanced=True,
            tooltip="constant: the same each time. fade out: weaker each time. widen: a soft mask's core first, its "
            "whole at last.",
        ),
        seed("the one noise that the picture gets at every injection"),
        io.Combo.Input(
            "noise",
            options=["one for all", "one per picture"],
            default="one for all",
            advanced=True,
            tooltip="Whether all pictures of a batch get the same noise under the mask.",
        ),
        io.Combo.Input(
            "threshold",
            options=["otsu", *(method for method in METHODS if method != "otsu")],
            default="otsu",
            advanced=True,
            tooltip="With a phrase: where its mask begins, as in Subject Mask from Attention (source: log_mean).",
        ),
    ]


def _where() -> list:
    aside = "of the picture by which the subject is moved {}, -1..1; at scale 1 rounded to cells of the latent."
    return [
        number("move_x", 0.0, -1.0, 1.0, f"Widths {aside.format('to the right')} Neutral: 0."),
        number("move_y", 0.0, -1.0, 1.0, f"Heights {aside.format('down')} Neutral: 0."),
        number("scale", 1.0, 0.1, 4.0, "Size of the subject, about its middle, 0.1..4. Neutral: 1."),
        LM_REGIONS.Input(
            "place",
            optional=True,
            tooltip="The first of these regions, drawn in Region Canvas: the subject goes to its middle, as large as "
            "its box holds. Neutral: not connected, or no region.",
        ),
    ]


NODES = [LatentCacheInject]
