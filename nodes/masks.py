"""Masks of phrases, read from the model's own attention."""

from __future__ import annotations

from comfy_api.latest import io, ui
from torch import Tensor

from ..attention.captured import Captured
from ..attention.readout import read_out
from ..patches.capture import CaptureSettings, capture
from ..patches.probe import ProbeSettings, probe
from ..patches.run.maps import Maps
from ..patches.run.window import Window
from .inputs.masks import how, outputs, phrase_lines, picture, read_inputs, split_lines
from .inputs.node import Node
from .inputs.shared import CATEGORY, LM_MAPS, blocks, found_by, seed, window
from .pictures.heat import heat_picture
from .pictures.word_map import word_picture

MENU = f"{CATEGORY}/masks"
WORDS = "daam, attention map, heatmap, cross attention, segment by text, text mask"


class SubjectMaskFromAttention(Node):
    """Where in this picture is the phrase? Probes the model on the picture's latent."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_SubjectMaskFromAttention",
            display_name="Mask a Phrase (Subject Mask from Attention)",
            category=MENU,
            description="Finds a phrase of the prompt in a picture: noises its latent to a few levels, calls the model "
            "once at each and reads which pixels look at the phrase. No other model is needed.",
            search_aliases=found_by(
                f"{WORDS}, find object, clipseg, mask by text, text to mask, mask from text, mask from prompt, "
                "segment anything by text, where is, object mask"
            ),
            inputs=[
                io.Model.Input("model", tooltip="The model that looks; it stays as it is."),
                io.Conditioning.Input("conditioning", tooltip="A prompt of the picture, encoded behind Track Phrases."),
                io.Latent.Input(
                    "latent", tooltip="The picture's latent, from VAE Encode or a sampler; a batch is fine."
                ),
                phrase_lines("to look for, one phrase per line."),
                picture(),
                *read_inputs(),
                *_levels(),
                *window(0.6, 0.9),
                blocks(),
            ],
            outputs=outputs(),
            has_intermediate_output=True,
        )

    @classmethod
    def execute(
        cls,
        model: object,
        conditioning: list,
        latent: dict,
        phrase: str,
        levels: int,
        seed: int,
        start_percent: float,
        end_percent: float,
        blocks: str,
        image: Tensor | None = None,
        **reading: object,
    ) -> io.NodeOutput:
        selves, between = reading["refine"] > 0, Window(start_percent, end_percent)
        settings = ProbeSettings(split_lines(phrase), levels, seed, selves, between, blocks)
        read = _read(probe(model, conditioning, latent, settings), "", image, reading)
        return io.NodeOutput(*read, ui=ui.PreviewImage(read[1]))


class AttentionCapture(Node):
    """Reads where phrases are looked at while a normal sampler runs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_AttentionCapture",
            display_name="Watch Phrases (Attention Capture)",
            category=MENU,
            description="Records which pixels look at phrases of the prompt while any sampler runs with this model. "
            "Mask from Attention Maps turns the record into a mask.",
            search_aliases=found_by(f"{WORDS}, record attention"),
            inputs=[
                io.Model.Input("model", tooltip="The model to watch; the one that goes in stays as it is."),
                phrase_lines("to watch, one phrase per line; the prompt must come through Track Phrases."),
                io.Boolean.Input(
                    "self_attention",
                    default=True,
                    advanced=True,
                    tooltip="Record self-attention too, for refine in Mask from Attention Maps. Neutral: off; then set "
                    "refine to 0.",
                ),
                *window(0.5, 1.0),
                blocks(),
            ],
            outputs=[
                io.Model.Output(tooltip="The model, for a sampler; its pictures are unchanged."),
                LM_MAPS.Output(display_name="maps", tooltip="The record: one entry per finished run, the last 256."),
            ],
        )

    @classmethod
    def execute(
        cls, model: object, phrase: str, self_attention: bool, start_percent: float, end_percent: float, blocks: str
    ) -> io.NodeOutput:
        between = Window(start_percent, end_percent)
        return io.NodeOutput(*capture(model, CaptureSettings(split_lines(phrase), self_attention, between, blocks)))


class MaskFromAttentionMaps(Node):
    """Turns what Attention Capture recorded into masks."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_MaskFromAttentionMaps",
            display_name="Mask from Attention Maps",
            category=MENU,
            description="Where the sampler's picture shows a phrase, from the maps that Attention Capture recorded.",
            search_aliases=found_by(
                f"{WORDS}, attention to mask, which word where, hover words, word map, token heatmap"
            ),
            inputs=[
                LM_MAPS.Input("maps", tooltip="From Attention Capture."),
                io.Latent.Input(
                    "latent",
                    tooltip="From the sampler that used the captured model: says which of its runs to read.",
                ),
                phrase_lines(
                    "to read, one phrase per line. Neutral: empty, all phrases that were captured; the node then shows "
                    "which word of the prompt acts where."
                ),
                picture(),
                *read_inputs(),
            ],
            outputs=[
                *outputs(),
                io.Image.Output(
                    display_name="words",
                    tooltip="Each place in the colour of the word that acts there, with a legend: all content words of "
                    "the prompt, each with its share of the picture. Hatched: none stands out.",
                ),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def execute(
        cls, maps: Maps, latent: dict, phrase: str = "", image: Tensor | None = None, **reading: object
    ) -> io.NodeOutput:
        captured = maps.fit(latent["samples"])
        read, words = _read(captured, phrase, image, reading), word_picture(captured, _size(captured, image), image)
        return io.NodeOutput(*read, words, ui=ui.PreviewImage(read[1] if split_lines(phrase) else words))


def _levels() -> list:
    return [
        io.Int.Input(
            "levels",
            default=3,
            min=1,
            max=16,
            advanced=True,
            tooltip="How many noise levels between start and end percent are looked at, 1..16; one model call each.",
        ),
        seed("the noise (the same for every picture of a batch)"),
    ]


def _read(captured: Captured, phrase: str, image: Tensor | None, reading: dict) -> tuple[Tensor, Tensor, float]:
    """What `outputs` says."""
    size = _size(captured, image)
    read = read_out(captured, split_lines(phrase), size, how(reading))
    return read.mask, heat_picture(read.heat, size, image), float(read.presence.mean())


def _size(captured: Captured, image: Tensor | None) -> tuple[int, int]:
    """(H, W) of the image, else of what the latent decodes to."""
    height, width = (side * captured.ratio for side in captured.samples.shape[-2:])
    return (height, width) if image is None else tuple(image.shape[1:3])


NODES = [SubjectMaskFromAttention, AttentionCapture, MaskFromAttentionMaps]
