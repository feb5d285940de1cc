"""A pass of the plain model over other pictures, of which features are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from comfy.samplers import cond_cat
from torch import Tensor

from ...sampling.mixing import mean_over_images
from ..models.reach import Places
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


class _Enough(Exception):
    """All features are there: what follows in the model is not needed."""


class Recorder:
    """One recorded pass; images: the weight of each picture."""

    def __init__(self, sites: Iterable[str], places: Places, images: Sequence[float]) -> None:
        self.sites, self.places, self.images = frozenset(sites), places, images
        self.features: dict[str, Tensor] = {}

    def record(self, executor: object, x: Tensor, sigma: Tensor, text: dict, options: dict, area: tuple | None) -> dict:
        """Site -> (1, C, h, w), the mean over N pictures x (N, C, h, w). executor: of the host's APPLY_MODEL.

        No ControlNet and no other patch acts, not even ours.
        """
        if area is not None:
            h, w, top, left = area
            x = x[..., top : top + h, left : left + w]
        network, plain = executor.class_obj.diffusion_model, _plain(options)
        with suppress(_Enough), self.places.recording(network, x.shape, text, plain, self._keep, self.sites) as options:
            executor.original(x, sigma, control=None, transformer_options=options, **text)
        return self.features

    def _keep(self, site: str, h: Tensor) -> None:
        self.features[site] = mean_over_images(h, self.images)
        if len(self.features) == len(self.sites):
            raise _Enough


def _plain(options: dict) -> dict:
    """The call's options without anyone's patches; an attention backend that a node chose stays."""
    emptied = {"patches": {}, "patches_replace": {}, "wrappers": {}, "cond_or_uncond": [], "uuids": []}
    plain = {**options, **emptied}
    override = plain.pop(OVERRIDE, None)
    if isinstance(override, Override):
        override = override.previous
    return plain if override is None else {**plain, OVERRIDE: override}
