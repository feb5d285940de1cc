"""EvenSteps: values of a slider at which neighbouring pictures are equally far apart."""

from __future__ import annotations

from comfy_api.latest import io, ui
from torch import Tensor

from ..sampling.even import Probes, even_values, joined, probes, up_to, without_still_ends
from .compare import labelling, number_label
from .inputs.node import Node
from .inputs.shared import CATEGORY, found_by, number
from .pictures.curve import draw_curve

LM_PROBES = io.Custom("LM_PROBES")
MOST = 1e6  # as in Value Sweep


class EvenSteps(Node):
    """Values re-spaced by what they do to the picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_EvenSteps",
            display_name="Even Steps",
            category=f"{CATEGORY}/compare",
            description="From pictures and the values that they were made with: values at which neighbouring pictures "
            "are equally far apart. A slider without a cliff, for theta, scale, strength or weight alike.",
            search_aliases=found_by(
                "even, uniform, perceptual steps, slider spacing, respace, equidistant, sweep, refine, xy plot"
            ),
            is_input_list=True,
            inputs=[*_given(), *labelling(3), *_ends()],
            outputs=_outputs(),
            has_intermediate_output=True,
        )

    @classmethod
    def execute(
        cls,
        images: list[Tensor],
        values: list[float],
        count: list[int],
        still: list[float] = (0.05,),
        limit: list[float] = (0.0,),
        earlier: list[Probes] | None = None,
        prefix: list[str] = ("",),
        decimals: list[int] = (3,),
    ) -> io.NodeOutput:
        seen = probes(values, images)
        seen = joined(earlier[0], seen) if earlier else without_still_ends(seen, still[0])
        seen = up_to(seen, limit[0])
        found = even_values(seen, count[0])
        labels = [number_label(value, prefix[0], decimals[0]) for value in found]
        curve = draw_curve(seen.values, seen.path, found)
        return io.NodeOutput(found, labels, seen, ui=ui.PreviewImage(curve))


def _given() -> list:
    return [
        io.Image.Input("images", tooltip="Pictures of one slider, one size, same seed: a list or a batch, in order."),
        io.Float.Input(
            "values",
            min=-MOST,
            max=MOST,
            force_input=True,
            tooltip="The values that the pictures were made with, one each, rising or falling: Value Sweep's.",
        ),
        LM_PROBES.Input(
            "earlier",
            optional=True,
            tooltip="Probes of an Even Steps before this one: its pictures join these, so that a cliff between two of "
            "them is seen more closely. Neutral: not connected.",
        ),
        io.Int.Input("count", default=9, min=2, max=64, tooltip="How many values, 2..64, first and last included."),
    ]


def _ends() -> list:
    ends = [
        number(
            "still",
            0.05,
            0.0,
            1.0,
            "Ends where the picture hardly changes are left out: first and last gaps smaller than this share of the "
            "largest, 0..1. Not with earlier, whose ends stay. Neutral: 0, all is kept.",
        ),
        number(
            "limit",
            0.0,
            0.0,
            1.0,
            "Ends before the first picture that is further than this from the first one, 0..1 (root mean square of "
            "colour differences), against too strong values. Neutral: 0, no limit.",
        ),
    ]
    for each in ends:
        each.optional = True  # as the labels' are, behind which these advanced ones stand
    return ends


def _outputs() -> list:
    return [
        io.Float.Output(display_name="values", is_output_list=True, tooltip="The new values, one run for each."),
        io.String.Output(display_name="labels", is_output_list=True, tooltip="A text per value."),
        LM_PROBES.Output(display_name="probes", tooltip="All pictures seen so far, for earlier of a next Even Steps."),
    ]


NODES = [EvenSteps]
