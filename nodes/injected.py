"""InjectedMasks: where a kept subject was put back, and its own pixels there."""

from __future__ import annotations

from comfy_api.latest import io, ui
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor
from torch.nn.functional import interpolate

from ..patches.run.maps import Cuts, Maps
from ..patches.run.moved import moved_pictures
from .drawing.soft import feathered, shrunk
from .inputs.node import Node
from .inputs.shared import LM_MAPS, found_by, number
from .subject import MENU

NO_IMAGE = "Injected Masks gives a picture only if it gets one; connect the picture that is kept to its image."


class InjectedMasks(Node):
    """The masks that Latent Cache Inject used."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_InjectedMasks",
            display_name="Injected Masks",
            category=MENU,
            description="The mask of every injection that Latent Cache Inject made in the run that gave this latent, "
            "and with them the subject's own pixels: connect picture and mask to Image Composite Masked.",
            search_aliases=found_by("dynamic mask, injection masks, own pixels, original pixels, paste subject back"),
            inputs=_inputs(),
            outputs=[
                io.Mask.Output(tooltip="One per injection and picture, all pictures of the first injection first."),
                io.Image.Output(
                    display_name="picture", tooltip="The image, moved and scaled as its subject was; as it is if not."
                ),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def execute(
        cls, maps: Maps, latent: dict, shrink: float = 0.0, feather: float = 0.0, image: Tensor | None = None
    ) -> io.NodeOutput:
        cuts = maps.fit(latent["samples"], Cuts)
        size = tuple(side * cuts.ratio for side in cuts.masks.shape[-2:])
        masks = interpolate(cuts.masks[:, None], size=size, mode="nearest-exact")[:, 0]
        masks = feathered(shrunk(masks, round(shrink * cuts.ratio)), round(feather * cuts.ratio))
        picture = ExecutionBlocker(NO_IMAGE) if image is None else moved_pictures(image, cuts.moves)
        return io.NodeOutput(masks, picture, ui=ui.PreviewMask(masks))


def _inputs() -> list:
    return [
        LM_MAPS.Input("maps", tooltip="From Latent Cache Inject."),
        io.Latent.Input("latent", tooltip="From the sampler that used its model: says which of its runs to show."),
        number("shrink", 0.0, 0.0, 16.0, "Cells of the latent by which the masks get smaller, 0..16. Neutral: 0."),
        number("feather", 0.0, 0.0, 16.0, "Cells of the latent over which their edges fade, 0..16. Neutral: 0."),
        io.Image.Input(
            "image",
            optional=True,
            tooltip="The picture that is kept: it comes out moved as its subject was. Neutral: not connected.",
        ),
    ]


NODES = [InjectedMasks]
