"""Nodes that move a prompt's encoding."""

from __future__ import annotations

from comfy_api.latest import io

from ..patches.slerp import DIRECTIONS, TextMove, move_text
from ..sampling.slerp import MODES
from .inputs.node import Node
from .inputs.shared import CATEGORY, found_by, window


class ClipSlerpAugment(Node):
    """Slerp in the text embedding: interpolate, strengthen or weaken."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_ClipSlerpAugment",
            display_name="Style Slider (CLIP Slerp Augment)",
            category=f"{CATEGORY}/text",
            description="Moves a prompt's encoding along a text direction by spherical interpolation: part of the way "
            "to another prompt (theta 0..1), past it (above 1) or away from it (below 0).",
            search_aliases=found_by(
                "slerp, interpolate prompts, blend prompts, prompt travel, strengthen style, weaken style, "
                "conditioning average, text direction, prompt slider, style slider, prompt strength, style "
                "strength"
            ),
            inputs=[*_texts(), *_move(), *_path(), *window()],
            outputs=[io.Conditioning.Output(tooltip="base with its text moved; areas, masks, control and hooks kept.")],
        )

    @classmethod
    def execute(
        cls,
        base: list,
        target: list,
        theta: float,
        mode: str,
        direction: str,
        norm_limit: float,
        start_percent: float,
        end_percent: float,
        neutral: list | None = None,
        phrase: str = "",
    ) -> io.NodeOutput:
        how = TextMove(theta, mode, direction, phrase, norm_limit, start_percent, end_percent)
        return io.NodeOutput(move_text(base, target, neutral, how))


def _texts() -> list:
    return [
        io.Conditioning.Input("base", tooltip="The prompt to move. Its areas, masks, control and hooks stay."),
        io.Conditioning.Input("target", tooltip="The prompt to move towards, such as base with a style added."),
        io.Conditioning.Input(
            "neutral",
            optional=True,
            tooltip="Where the direction starts, if not at base: base moves along target - neutral. Also fills the "
            "shorter of two prompts of different length: the encoding of an empty prompt. Neutral: not connected.",
        ),
    ]


def _move() -> list:
    return [
        io.String.Input(
            "phrase",
            default="",
            tooltip="Words of base's prompt: only they and the end of the text (end and padding tokens, pooled vector) "
            "move. Needs Track Phrases before base's text encode node. Neutral: empty, all tokens move.",
        ),
        io.Float.Input(
            "theta",
            default=0.2,
            min=-2.0,
            max=2.0,
            step=0.01,
            tooltip="How far, -2..2: 0 is base exactly, 1 the end of the direction (target exactly, without neutral), "
            "above 1 goes past it, below 0 away from it. Neutral: 0.",
        ),
    ]


def _path() -> list:
    return [
        io.Combo.Input(
            "mode",
            options=list(MODES),
            default=MODES[0],
            advanced=True,
            tooltip="per_token: an arc for each token. global: one angle for the whole text. lerp: a straight line. "
            "nlerp: the line's direction with the ends' length.",
        ),
        io.Combo.Input(
            "direction",
            options=list(DIRECTIONS),
            default=DIRECTIONS[0],
            advanced=True,
            tooltip="auto: target - neutral if neutral is connected, else target - base. Choose target - base where "
            "neutral is only there to fill a shorter prompt; the mean where target and neutral combine several prompts "
            "with and without a style (Conditioning Combine), so that only what they share moves.",
        ),
        io.Float.Input(
            "norm_limit",
            default=1.5,
            min=0.0,
            max=10.0,
            step=0.05,
            advanced=True,
            tooltip="No token grows longer than this many times the longer of its two ends, 1..10; ordinary moves "
            "within theta 0..1 stay far below 1.5. Neutral: 0, no limit.",
        ),
    ]


NODES = [ClipSlerpAugment]
