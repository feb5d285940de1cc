"""A pass of the plain U-Net over other pictures, of which features are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.samplers import cond_cat
from torch import Tensor

from ..sampling.mixing import mean_over_images
from .engine import Override
from .run import Run

OVERRIDE = "optimized_attention_override"


def text_of(run: Run, name: str, batch: int, area: tuple | None) -> dict:
    """What the model gets beside the latent for `batch` rows: of the entry of a guider's list that acts now.

    The first, where several act; also where none does, as between two ranges of steps.
    """
    listed = run.guider.conds[name]
    model_conds = next((cond for cond in listed if _acts(cond, run.sigma)), listed[0])["model_conds"]
    return cond_cat([{key: cond.process_cond(batch_size=batch, area=area) for key, cond in model_conds.items()}])


def _acts(cond: dict, sigma: float) -> bool:
    return cond.get("timestep_end", 0.0) <= sigma <= cond.get("timestep_start", float("inf"))


class Recorder:
    """One recorded pass; images: the weight of each picture."""

    def __init__(self, sites: Iterable[str], network: UNetModel, images: Sequence[float]) -> None:
        self.sites, self.network, self.images = frozenset(sites), network, images
        self.features: dict[str, Tensor] = {}

    def record(self, model: Callable, x: Tensor, sigma: Tensor, text: dict, options: dict, area: tuple | None) -> dict:
        """Site -> (1, C, h, w), the mean over N pictures x (N, C, h, w). model: BaseModel._apply_model.

        No ControlNet and no other patch acts, not even ours.
        """
        if area is not None:
            h, w, top, left = area
            x = x[..., top : top + h, left : left + w]
        with self.network.out.register_forward_pre_hook(self._last):
            model(x, sigma, control=None, transformer_options=self._options(options), **text)
        return self.features

    def _options(self, options: dict) -> dict:
        """The call's options without anyone's patches; an attention backend that a node chose stays."""
        patches = {"input_block_patch": [self._input], "output_block_patch": [self._output]}
        plain = {
            **options,
            "patches": patches,
            "patches_replace": {},
            "wrappers": {},
            "cond_or_uncond": [],
            "uuids": [],
        }
        override = plain.pop(OVERRIDE, None)
        if isinstance(override, Override):
            override = override.previous
        return plain if override is None else {**plain, OVERRIDE: override}

    def _input(self, h: Tensor, options: dict) -> Tensor:
        number = options["block"][1]
        self._keep(f"in.{number}", h)
        self._keep(f"skip.{number}", h)
        return h

    def _output(self, h: Tensor, hsp: Tensor, options: dict) -> tuple[Tensor, Tensor]:
        self._keep(before_output(options), h)
        return h, hsp

    def _last(self, module: torch.nn.Module, args: tuple) -> None:
        self._keep(last_site(self.network), args[0])

    def _keep(self, site: str, h: Tensor) -> None:
        if site in self.sites:
            self.features[site] = mean_over_images(h, self.images)


def before_output(options: dict) -> str:
    """The site whose features an `output_block_patch` is given."""
    number = options["block"][1]
    return f"out.{number - 1}" if number else "mid.0"


def last_site(network: UNetModel) -> str:
    """The site before the U-Net's last layers, which no patch of the host reaches."""
    return f"out.{len(network.output_blocks) - 1}"
