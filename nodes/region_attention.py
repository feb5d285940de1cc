"""RegionAttention: the node that lets regions act."""

from __future__ import annotations

from comfy_api.latest import io

from ..attention.bias import FUNCTIONS
from ..attention.regions import Region
from ..patches.regions import SIDES, STD, RegionSettings, place_regions
from ..patches.run.window import Window
from ..patches.run.words import check_phrases
from .inputs.node import Node
from .inputs.shared import CATEGORY, LM_REGIONS, blocks, found_by, window


class RegionAttention(Node):
    """Bias cross-attention so that each phrase happens in its region."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_RegionAttention",
            display_name="Put Phrases in Regions (Region Attention)",
            category=f"{CATEGORY}/regions",
            description="Makes each phrase of the prompt happen in its region, by a bias on the model's "
            "cross-attention. One prompt, any sampler; works beside IP-Adapter, ControlNet and LoRA.",
            search_aliases=found_by(
                "regional prompt, attention couple, paint with words, spatial control, region, dense "
                "diffusion, layout, area prompt, mask prompt, regional prompting, regional prompter, bounding "
                "box prompt, gligen, swap subjects"
            ),
            inputs=[
                io.Model.Input("model", tooltip="The model to patch; the one that goes in stays as it is."),
                LM_REGIONS.Input(
                    "regions",
                    tooltip="Phrases and their masks, from Region Canvas, Phrase Region or a table of regions. "
                    "A region without a mask finds its place while sampling. Neutral: strength 0 and outside 0 in "
                    "every region.",
                ),
                *_how(),
                *window(),
                blocks(),
                io.Conditioning.Input(
                    "conditioning",
                    optional=True,
                    tooltip="The prompt that will be sampled: its phrases are then looked for at once, not only when "
                    "sampling starts. Neutral: not connected.",
                ),
            ],
            outputs=[io.Model.Output(tooltip="The patched model; its prompt must come through Track Phrases.")],
        )

    @classmethod
    def execute(
        cls,
        model: object,
        regions: tuple[Region, ...],
        weight_function: str,
        apply_to: str,
        std: str,
        start_percent: float,
        end_percent: float,
        blocks: str,
        conditioning: list | None = None,
    ) -> io.NodeOutput:
        if conditioning is not None:
            check_phrases(regions, conditioning)
        settings = RegionSettings(weight_function, apply_to, std, Window(start_percent, end_percent), blocks)
        return io.NodeOutput(place_regions(model, regions, settings))


def _how() -> list:
    return [
        io.Combo.Input(
            "weight_function",
            display_name="how strength acts",
            options=list(FUNCTIONS),
            default="spatial_control",
            tooltip="How strength becomes a bias. spatial_control: noise level x spread of the attention logits. "
            "paint_with_words: log(1 + noise level) x their largest. dense_diffusion: towards the largest and smallest "
            "of each pixel, weaker for large regions. The last two are slower. No neutral value: strength 0 is off.",
        ),
        io.Combo.Input(
            "apply_to",
            options=list(SIDES),
            default="positive",
            advanced=True,
            tooltip="In which conditionings the phrases are placed: positive, negative (keeps an unwanted thing out of "
            "its region), or both. A phrase must be in the prompt of the chosen side.",
        ),
        io.Combo.Input(
            "std",
            display_name="spread measured over",
            options=list(STD),
            default=STD[0],
            advanced=True,
            tooltip="Over what spatial_control measures the spread of the logits. per row: each picture and prompt on "
            "its own. joint: the whole batch, positive and negative together, as the source does.",
        ),
    ]


NODES = [RegionAttention]
