"""Nodes that make strips: one value over a range, one picture for each."""

from __future__ import annotations

from comfy_api.latest import io, ui
from torch import Tensor

from .inputs.node import Node
from .inputs.shared import CATEGORY, found_by
from .pictures.grid import GridStyle, draw_grid, label_lines


class ValueSweep(Node):
    """Evenly spaced numbers, and a label for each."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_ValueSweep",
            display_name="Value Sweep",
            category=f"{CATEGORY}/compare",
            description="A list of evenly spaced numbers: connect it to a FLOAT input such as theta or strength, "
            "and everything behind that input runs once for each. The node shows its list.",
            search_aliases=found_by("sweep, range, float list, linspace, xy plot, grid search, batch values"),
            inputs=[
                _number("start", 0.0, "The first value, exactly. Any number; the unit is that of the input it feeds."),
                _number("end", 1.0, "The last value, exactly. Any number; smaller than start counts down."),
                io.Int.Input("count", default=5, min=1, max=64, tooltip="How many values, 1..64; 1 gives start alone."),
                *labelling(),
            ],
            outputs=[
                io.Float.Output(display_name="values", is_output_list=True, tooltip="The numbers, one run for each."),
                io.String.Output(display_name="labels", is_output_list=True, tooltip="A text per value."),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def execute(cls, start: float, end: float, count: int, prefix: str = "", decimals: int = 2) -> io.NodeOutput:
        values = sweep(start, end, count)
        labels = [number_label(value, prefix, decimals) for value in values]
        return io.NodeOutput(values, labels, ui=ui.PreviewText(", ".join(labels)))


class LabelledGrid(Node):
    """Pictures side by side, with their labels, in one picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_LabelledGrid",
            display_name="Labelled Grid",
            category=f"{CATEGORY}/compare",
            description="Lays all pictures of a list or batch out in one picture, a label above each. Smaller ones "
            "are centred in the largest one's tile.",
            search_aliases=found_by("contact sheet, image grid, strip, montage, xy plot, compare images, caption"),
            is_input_list=True,
            inputs=[
                io.Image.Input("images", tooltip="Pictures of any sizes, as a list or as batches; read in order."),
                io.String.Input(
                    "labels",
                    default="",
                    multiline=True,
                    tooltip="One label per picture: a list (Value Sweep's labels) or a line each. Fewer leave the last "
                    "pictures without, more are an error. Neutral: empty.",
                ),
                io.String.Input("title", default="", tooltip="A line above the grid. Neutral: empty."),
                *_style(),
            ],
            outputs=[io.Image.Output(tooltip="The grid as one picture.")],
            has_intermediate_output=True,
        )

    @classmethod
    def execute(
        cls,
        images: list[Tensor],
        columns: list[int],
        gap: list[int],
        font_size: list[int],
        scale: list[int],
        labels: list[str] = ("",),
        title: list[str] = ("",),
    ) -> io.NodeOutput:
        style = GridStyle(columns[0], gap[0], font_size[0], scale[0])
        grid = draw_grid(images, label_lines(labels), title[0], style)
        return io.NodeOutput(grid, ui=ui.PreviewImage(grid))


def sweep(start: float, end: float, count: int) -> list[float]:
    """`count` evenly spaced values; the first is start and the last is end, bit for bit."""
    last = count - 1
    inner = [(start * (last - i) + end * i) / last for i in range(1, last)]
    return [start, *inner, end][:count]


def number_label(value: float, prefix: str, decimals: int) -> str:
    """'theta -0.50'; a rounded minus zero loses its sign."""
    return f"{prefix}{round(value, decimals) + 0.0:.{decimals}f}"


def _number(name: str, default: float, tip: str) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=-1e6, max=1e6, step=0.01, tooltip=tip)


def labelling(decimals: int = 2) -> list:
    """How the labels of values are written."""
    return [
        io.String.Input(
            "prefix",
            default="",
            optional=True,
            tooltip="Written before each number in the labels, such as 'theta '. Neutral: empty.",
        ),
        io.Int.Input(
            "decimals",
            default=decimals,
            min=0,
            max=8,
            optional=True,
            advanced=True,
            tooltip="Digits behind the point in the labels, 0..8; the values themselves are not rounded.",
        ),
    ]


def _style() -> list:
    sizes = {
        "columns": (64, "Pictures per row, 1..64. Neutral: 0, one row for up to 8 pictures, else nearly square."),
        "gap": (256, "Pixels between and around the pictures, 0..256."),
        "font_size": (256, "Height of the labels in pixels, 6..256. Neutral: 0, by the pictures' width."),
        "scale": (16, "Enlarges each pixel this many times, 1..16. Neutral: 0, until a picture is 256 pixels wide."),
    }
    default = {"gap": 8}
    return [
        io.Int.Input(name, default=default.get(name, 0), min=0, max=top, advanced=True, tooltip=tip)
        for name, (top, tip) in sizes.items()
    ]


NODES = [ValueSweep, LabelledGrid]
