"""What one placed node does during one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from comfy.samplers import Sampler

    from .run import Run


class Effect:
    """What one placed node does during one run; a fresh object for every run."""

    node = ""
    """The node's name, for errors and warnings."""
    whole = False
    """Whether it needs the whole picture, or an entry's whole area, in every model call: tiles are refused."""

    foreseen = False
    """Whether it acts in steps that are looked ahead and forgotten: its attributes are then those of before, so what it
    learns in a step must be in new objects."""

    opened = False
    """Whether a step of the run was in its window."""

    def start(self, run: Run) -> None:
        """The run begins: `run.guider` is known, its conditionings are not yet."""

    def prepare(self, run: Run) -> None:
        """The conditionings are encoded and `run.table` is filled; nothing is sampled yet."""

    def step(self, run: Run) -> None:
        """The sampler calls the model; `run.sigma` is its noise level."""

    def append(self, run: Run) -> dict[str, list[dict]]:
        """Name -> processed conditioning entries to run in the sampler's own model call of this step."""
        return {}

    def guide(self, run: Run, x: Tensor, denoised: Tensor) -> Tensor:
        """The guided prediction of this step, changed; `run.predictions` holds the single ones by name."""
        return denoised

    def sampler(self, run: Run, sampler: Sampler) -> Sampler:
        """The sampler to run, such as a changed copy of the given one."""
        return sampler

    def finish(self, run: Run, samples: Tensor) -> None:
        """The run ended without error or interrupt; `samples` is the latent it returns."""

    def idle(self, run: Run) -> str:
        """After the run: a sentence on what had no effect in it, or ''. A neutral setting is no reason to speak."""
        return ""
