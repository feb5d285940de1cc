"""A pass of the plain model over other pictures, of which features are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress

import torch
from comfy.samplers import cond_cat
from torch import Tensor
from torch.nn import Module

from ...sampling.mixing import mean_over_images
from ..models.announced import apart
from ..models.reach import Places
from .engine import Override
from .packed import packed, with_video
from .run import Run

OVERRIDE = "optimized_attention_override"
Listen = Callable[[Module, dict, dict], AbstractContextManager[dict]]
"""(network, what it gets beside the latent, its options) -> the options of a call that is listened to."""


def text_of(run: Run, name: str, batch: int, area: tuple | None) -> dict:
    """What the model gets beside the latent for `batch` rows: of the entry of a guider's list that acts now.

    The first, where several act; also where none does, as between two ranges of steps.
    """
    listed = run.guider.conds[name]
    entry = next((cond for cond in listed if _acts(cond, run.sigma)), listed[0])
    return rows_of(entry, batch, area and _narrowed(area, run.noise_shape))


def _narrowed(area: tuple[int, int, int, int], shape: Sequence[int]) -> tuple[int, ...]:
    """An entry's area as the host cuts by it: sizes, then starts, of frames too, of what lies in a latent's shape."""
    (h, w, y, x), (*frames, height, width) = area, shape[2:]
    return (*frames, min(h, height - y), min(w, width - x), *[0] * len(frames), y, x)


def rows_of(encoded: dict, batch: int, area: tuple | None = None) -> dict:
    """What the model gets beside the latent for `batch` rows of an entry. area: as of `_narrowed`."""
    conds = encoded["model_conds"].items()
    return cond_cat([{key: cond.process_cond(batch_size=batch, area=area) for key, cond in conds}])


def _acts(cond: dict, sigma: float) -> bool:
    return cond.get("timestep_end", 0.0) <= sigma <= cond.get("timestep_start", float("inf"))


def check_one_device(run: Run) -> None:
    """ValueError: the host shares the model's calls out among several GPUs, and a pass beside them has one."""
    if "multigpu_clones" in run.guider.model_options:
        raise ValueError("It cannot work where several GPUs share the steps; remove MultiGPU CFG Split.")


class Enough(Exception):
    """All that is kept is there: what follows in the model is not needed."""


def plain_call(executor: object, x: Tensor, t: Tensor, given: dict, options: dict, listen: Listen) -> None:
    """x through the model without control or patches, not even ours. given: what it gets beside, as of `rows_of`."""
    network = executor.class_obj.diffusion_model
    with suppress(Enough), apart(), listen(network, given, _plain(options)) as recording:
        executor.original(x, t.expand(len(x)), control=None, transformer_options=recording, **given)


def parts(run: Run, x: Tensor, pictures: Tensor, area: tuple | None) -> list[tuple[Tensor, Sequence[int]]]:
    """The latents of the calls in which pictures (N, C, [frames,] h, w) go through the model, and their own shapes.

    All in one, cut to an entry's area. Videos with sound go one by one, with that of x (1, 1, M).
    """
    if area is not None:
        h, w, top, left = area
        pictures = pictures[..., top : top + h, left : left + w]
    count = 1 if packed(run.latent_shapes) else len(pictures)
    return [(with_video(x, part, run.latent_shapes), part.shape) for part in pictures.split(count)]


class Recorder:
    """One recorded pass; images: the weight of each picture."""

    def __init__(self, sites: Iterable[str], places: Places, images: Sequence[float], run: Run) -> None:
        self.sites, self.places, self.images, self.run = frozenset(sites), places, images, run

    def record(
        self, executor: object, x: Tensor, pictures: Tensor, t: Tensor, text: str, options: dict, area: tuple | None
    ) -> dict[str, Tensor]:
        """Site -> (1, C, h, w), the mean over the pictures (N, C, [frames,] h, w). executor: of the host's APPLY_MODEL.

        As of `plain_call` and `parts`.
        """
        found = [
            self._pass(executor, latent, shape, t, text, options, area)
            for latent, shape in parts(self.run, x, pictures, area)
        ]
        if len(found) == 1:
            return found[0]
        return {site: mean_over_images(torch.cat([one[site] for one in found]), self.images) for site in self.sites}

    def _pass(self, executor, x: Tensor, shape: Sequence[int], t: Tensor, text: str, options: dict, area) -> dict:
        """Site -> (1, C, h, w) of one call of the plain model with all pictures, or with one of several."""
        features = {}

        def keep(site: str, h: Tensor) -> None:  # at once: the next block may write into it
            features[site] = mean_over_images(h, self.images) if len(h) == len(self.images) else h.clone()
            if len(features) == len(self.sites):
                raise Enough

        def listen(network: Module, given: dict, plain: dict) -> AbstractContextManager[dict]:
            return self.places.recording(network, shape, given, plain, keep, self.sites)

        plain_call(executor, x, t, text_of(self.run, text, len(x), area), options, listen)
        return features


def _plain(options: dict) -> dict:
    """The call's options without anyone's patches; an attention backend that a node chose stays."""
    emptied = {"patches": {}, "patches_replace": {}, "wrappers": {}, "cond_or_uncond": [], "uuids": []}
    plain = {**options, **emptied}
    override = plain.pop(OVERRIDE, None)
    if isinstance(override, Override):
        override = override.previous
    return plain if override is None else {**plain, OVERRIDE: override}
