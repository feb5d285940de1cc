"""Where features of other pictures enter a U-Net, and which places other kinds of model have."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from comfy.ldm.modules.diffusionmodules.openaimodel import Downsample, UNetModel, Upsample
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch import Tensor

from .entering import Entering
from .families import blocks_of
from .features import PRESETS
from .options import append_patches
from .tokens import Change, TokenPlaces


class UNetPlaces:
    """in.N and out.N are what blocks hand on, mid what the middle does, skip.N what input block N hands over."""

    frames = 1

    def __init__(self, network: UNetModel) -> None:
        self.network = network
        inputs, outputs = len(network.input_blocks), len(network.output_blocks)
        self.counts = {"in": inputs, "mid": 1, "out": outputs, "skip": inputs}
        self.last = f"out.{outputs - 1}"
        """The site before the last layers, which no patch of the host reaches."""

    def preset(self, name: str) -> list[str]:
        return [f"{kind}.{i}" for kind in PRESETS[name] for i in self._preset(kind)]

    def _preset(self, kind: str) -> list[int]:
        """Source 001's places, in any U-Net: after blocks that change the resolution, and at each path's end."""
        if kind == "mid":
            return [0]
        blocks, change = (
            (self.network.output_blocks, Upsample) if kind == "out" else (self.network.input_blocks, Downsample)
        )
        last = len(blocks) - 1
        if kind == "skip":
            return list(range(1, last + 1))
        return [i for i, block in enumerate(blocks) if i == last or any(isinstance(layer, change) for layer in block)]

    def fit(self, shape: tuple[int, ...]) -> None:
        """Nothing: a U-Net's features have their height and width."""

    def install(self, options: dict, key: str, change: Change, sites: Iterable[str]) -> None:
        """Has `change` called on the features of every call with these options."""

        def after_input(h: Tensor, extra: dict) -> Tensor:
            return change(f"in.{extra['block'][1]}", h)

        def before_output(h: Tensor, hsp: Tensor, extra: dict) -> tuple[Tensor, Tensor]:
            skip = self.counts["in"] - 1 - extra["block"][1]
            return change(_before(extra), h), change(f"skip.{skip}", hsp)

        append_patches(options, input_block_patch_after_skip=after_input, output_block_patch=before_output)
        last = self._last(lambda h: change(self.last, h))
        add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, key, last, options)

    def recording(self, keep: Callable[[str, Tensor], None], sites: Iterable[str]) -> dict:
        """Entries of a plain call's options with which `keep` is given its features."""

        def after_input(h: Tensor, extra: dict) -> Tensor:
            keep(f"in.{extra['block'][1]}", h)
            keep(f"skip.{extra['block'][1]}", h)
            return h

        def before_output(h: Tensor, hsp: Tensor, extra: dict) -> tuple[Tensor, Tensor]:
            keep(_before(extra), h)
            return h, hsp

        return {
            "patches": {"input_block_patch": [after_input], "output_block_patch": [before_output]},
            "wrappers": {WrappersMP.DIFFUSION_MODEL: {"": [self._last(lambda h: keep(self.last, h))]}},
        }

    def _last(self, act: Callable[[Tensor], Tensor | None]) -> Callable:
        """Has `act` called on the features of the last site in a call of the network."""

        def whole(executor: Callable, *args: object, **kwargs: object) -> Tensor:
            with Entering(executor.class_obj, act):
                return executor(*args, **kwargs)

        return whole


Places = UNetPlaces | TokenPlaces


def places_of(model: ModelPatcher) -> Places:
    """The places of this model; ValueError if it has none that we know."""
    network = model.get_model_object("diffusion_model")
    if isinstance(network, UNetModel):
        return UNetPlaces(network)
    blocks = blocks_of(network)
    if blocks is None:
        raise ValueError(
            f"The features cannot be reached in a model of the kind {type(network).__name__}; use one of SD1, "
            "SD2, SDXL, SD3, Flux, Chroma, Qwen-Image, Lumina 2, Z-Image, Wan, Lens or MageFlow."
        )
    return TokenPlaces(network, *blocks)


def _before(options: dict) -> str:
    """The site whose features an `output_block_patch` is given."""
    number = options["block"][1]
    return f"out.{number - 1}" if number else "mid.0"
