"""Pictures that bias the generation from inside the model."""

from __future__ import annotations

from comfy_api.latest import io
from torch import Tensor

from ..patches.infuse import INPUTS, MIXES, TEXTS, InfuseSettings, infuse
from ..patches.models.features import PRESETS, weight_of
from ..patches.run.window import Window
from .inputs.node import Node
from .inputs.shared import CATEGORY, found_by, seed, window


class InfusionBias(Node):
    """Lets other pictures act inside the model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_InfusionBias",
            display_name="Bias by Pictures (Infusion Bias)",
            category=f"{CATEGORY}/image bias",
            description="Lets one or several pictures bias the generation from inside the model: the one made looks at "
            "them in self-attention, or their features, averaged, are added to its own.",
            search_aliases=found_by(
                "infusion, reference, image bias, style transfer, consistency, comic, feature injection, "
                "style aligned, image prompt, character consistency, reference image, ip adapter, style "
                "reference"
            ),
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="The model to patch, almost any that the host runs; the one that goes in stays as it is.",
                ),
                io.Latent.Input("latent", tooltip="The biasing pictures, one or a batch, of the size that is sampled."),
                io.Float.Input(
                    "weight",
                    default=3.0,
                    min=-2.0,
                    max=100.0,
                    step=0.01,
                    tooltip="How strongly, times the weights of the sites. share: 0..100, as if they stood there so "
                    "often; 1 to 10 serve. Other mixes: -2..2, from 0.05 on; too much makes the picture "
                    "collapse. Neutral: 0.",
                ),
                io.Combo.Input(
                    "preset",
                    options=list(PRESETS),
                    default="all",
                    tooltip="Which sites, where sites is empty: all, the way down (for add; as the source's first "
                    "version), the middle, the way up, or the skips between them (U-Nets alone, not share).",
                ),
                io.Combo.Input(
                    "mix",
                    options=list(MIXES),
                    default="share",
                    tooltip="share: self-attention also looks at the pictures. add: h + w g, as the source. blend: "
                    "h (1 - w) + w g, keeps the features' size. adain: moves mean and spread of each channel towards "
                    "theirs, so style rather than place.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Where the bias acts, 1 = fully. One, or one per picture made. Neutral: not connected.",
                ),
                *_sites(),
                *window(),
                *_recording(),
            ],
            outputs=[io.Model.Output(tooltip="The model, for a sampler.")],
        )

    @classmethod
    def execute(
        cls,
        model: object,
        latent: dict,
        weight: float,
        preset: str,
        mix: str,
        sites: str,
        image_weights: str,
        decay: float,
        start_percent: float,
        end_percent: float,
        input: str,
        text: str,
        reuse: int,
        seed: int,
        align: bool = False,
        mask: Tensor | None = None,
        image_mask: Tensor | None = None,
        apart: float = 0.0,
        style: float = 0.0,
    ) -> io.NodeOutput:
        where = {"weight": weight, "sites": sites, "preset": preset, "images": numbers(image_weights)}
        how = {"mix": mix, "input": input, "text": text, "decay": decay, "reuse": reuse, "seed": seed}
        how |= {"align": align, "apart": apart, "style": style, "window": Window(start_percent, end_percent)}
        settings = InfuseSettings(**where, **how)
        return io.NodeOutput(infuse(model, latent["samples"], mask, settings, image_mask))


def numbers(text: str) -> tuple[float, ...]:
    """Numbers between commas or blanks; ValueError naming what is none."""
    return tuple(weight_of(word, "image_weights") for word in text.replace(",", " ").split())


def _sites() -> list:
    return [
        io.String.Input(
            "sites",
            default="",
            advanced=True,
            tooltip="Sites and their weights: 'in.3:0.1, mid:0.05, out.5-8:0.2, skip.4:0.1' (without a number: 1), "
            "'double.4-9:0.05' in a transformer, or the source's 13 numbers for SD1. All are multiplied by weight. "
            "Neutral: empty, the preset's sites at 1.",
        ),
        io.String.Input(
            "image_weights",
            default="",
            advanced=True,
            tooltip="One number per picture, such as '1, 0.5, 1': its share in the average. Neutral: empty, all alike.",
        ),
        io.Float.Input(
            "decay",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.001,
            advanced=True,
            tooltip="The weight is multiplied by this at every step, 0..1; the source uses 0.99. Neutral: 1.",
        ),
    ]


def _recording() -> list:
    return [
        io.Combo.Input(
            "input",
            options=list(INPUTS),
            default="noised",
            advanced=True,
            tooltip="noised: the model sees pictures at the step's noise level. clean: without noise, as the source.",
        ),
        io.Combo.Input(
            "text",
            options=list(TEXTS),
            default="positive",
            advanced=True,
            tooltip="The prompt beside the biasing pictures. positive or negative: one pass for both halves. each "
            "half: each with its own, as the source; twice the cost.",
        ),
        io.Int.Input(
            "reuse",
            default=1,
            min=1,
            max=100,
            advanced=True,
            tooltip="For how many steps recorded features serve, 1..100: larger is faster and less exact. Neutral: 1.",
        ),
        seed("the noise for input 'noised'"),
        io.Boolean.Input(
            "align",
            default=False,
            optional=True,
            advanced=True,
            tooltip="For share alone: queries and keys get the mean and spread of the pictures', for more of their "
            "style. Neutral: off.",
        ),
        io.Mask.Input(
            "image_mask",
            optional=True,
            advanced=True,
            tooltip="For share alone: what of the pictures may be looked at, 1 = all; one, or one per picture. "
            "Neutral: not connected.",
        ),
        io.Float.Input(
            "apart",
            default=0.0,
            min=0.0,
            max=4.0,
            step=0.05,
            optional=True,
            advanced=True,
            tooltip="For share in Flux, Lumina, Z-Image and Wan: how far beside the picture made yours stand, in their "
            "widths, 0..4: 1 against copies of their places. Neutral: 0, on top of it.",
        ),
        io.Float.Input(
            "style",
            default=0.0,
            min=-1.0,
            max=1.0,
            step=0.05,
            optional=True,
            advanced=True,
            tooltip="For share in transformers whose positions rotate, such as Flux, Qwen Image and Wan, -1..1: above "
            "0 more of the pictures' style than of what stands at the same place, below 0 more copied. Neutral: 0.",
        ),
    ]


NODES = [InfusionBias]
