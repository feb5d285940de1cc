"""Stored guidance: written to a file, and added to another run."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

import folder_paths
import torch
from comfy.model_patcher import ModelPatcher
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from .run.files import check_prefix, guidance_path, shown
from .run.maps import Edits
from .run.run import Effect, Run, attach
from .run.sizes import check_kept

EMPTY = "The file is of a run in which nothing was edited, so it does nothing; choose another, or save that one again."
BEYOND = 1.1  # times the noise over signal of the last stored step: as far as another schedule may lie beside it
MOST = 10_000  # steps: what the host's samplers take
NUMBERS = ("F64", "F32", "F16", "BF16")  # safetensors' names


@dataclass(frozen=True)
class Guidance:
    """The edits of one run."""

    sigmas: tuple[float, ...]
    edits: Tensor = field(repr=False)
    """(steps, B, C, ..., h, w) in eps units."""


def save_guidance(edits: Edits, prefix: str) -> str:
    """Writes into the output folder; the file's name there, with its subfolder. ValueError: elsewhere.

    A run in which nothing was edited gives a file of no steps.
    """
    check_prefix(prefix)
    output = folder_paths.get_output_directory()
    folder, name, counter, *_ = folder_paths.get_save_image_path(prefix, output)
    path = os.path.join(folder, f"{name}_{counter:05}_.safetensors")
    sigmas = torch.tensor(edits.sigmas, dtype=torch.float64)
    save_file({"sigmas": sigmas, "edits": edits.edits.contiguous()}, path)
    return os.path.relpath(path, output)


def check_guidance(name: str) -> str:
    """The path of a file of Save Guidance, by its form alone; ValueError: elsewhere, missing or of another kind."""
    path = guidance_path(name)
    try:
        with safe_open(path, "pt") as file:
            parts = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118, it is no dict
            form = {key: (part.get_dtype(), part.get_shape()) for key, part in parts.items()}
    except (SafetensorError, OSError):  # cut off, of another format, or not ours to read
        raise ValueError(f"{shown(name)} holds no guidance that can be read; choose a file of Save Guidance.") from None
    if form.keys() != {"sigmas", "edits"} or not _fits(*form["sigmas"], *form["edits"]):
        raise ValueError(f"{shown(name)} holds no guidance; choose a file of Save Guidance.")
    return path


def stored_guidance() -> list[str]:
    """Names of all files that `check_guidance` takes, as it wants them; those of the input folder first."""
    folders = ((folder_paths.get_input_directory(), ""), (folder_paths.get_output_directory(), " [output]"))
    names = [
        f"{path.relative_to(folder).as_posix()}{mark}"
        for folder, mark in folders
        for path in sorted(Path(folder).rglob("*.safetensors"))
    ]
    return [name for name in names if _readable(name)]


def load_guidance(name: str) -> Guidance:
    """What `save_guidance` wrote; ValueError: another kind of file, or one with values that cannot be."""
    stored = load_file(check_guidance(name))
    sigmas, edits = stored["sigmas"].double(), stored["edits"]
    if not (sigmas.isfinite().all() and edits.isfinite().all()):
        raise ValueError(f"{shown(name)} holds values that are not finite numbers (NaN or infinite); save it again.")
    if (sigmas <= 0).any() or (sigmas.diff() >= 0).any():
        raise ValueError(
            f"{shown(name)} holds no guidance: its noise levels must fall from step to step and stay above 0; choose a "
            "file of Save Guidance."
        )
    return Guidance(tuple(sigmas.tolist()), edits)


def _readable(name: str) -> bool:
    try:
        check_guidance(name)
    except ValueError:
        return False
    return True


def _fits(levels: str, steps: list[int], kind: str, shape: list[int]) -> bool:
    """Whether numbers of these types and shapes are noise levels and a latent for each."""
    right = levels in NUMBERS and kind in NUMBERS and len(steps) == 1 and len(shape) in (5, 6)
    return right and steps[0] == shape[0] <= MOST and 0 not in shape[1:]


def replay(model: ModelPatcher, guidance: Guidance, scale: float) -> ModelPatcher:
    """A clone to whose predictions the stored edits are added, each at the step nearest to its noise level."""
    if scale and guidance.sigmas:
        return attach(model, lambda: Replay(guidance, scale))
    if scale:
        logging.getLogger(__name__).warning("%s: %s", Replay.node, EMPTY)
    return model.clone()


class Replay(Effect):
    """One run with stored guidance."""

    node = "Load Guidance"

    def __init__(self, guidance: Guidance, scale: float) -> None:
        self.guidance, self.scale, self.used = guidance, scale, False

    def prepare(self, run: Run) -> None:
        stored = self.guidance.edits.shape[1:]
        if stored[1:] != run.noise_shape[1:] or stored[0] not in (1, run.noise_shape[0]):
            raise ValueError(
                f"The stored guidance is {list(stored)} but {list(run.noise_shape)} is being sampled; use the size it "
                f"was saved at, with one picture or as many as are sampled."
            )

    def idle(self, run: Run) -> str:
        return "" if self.used else "This run has none of the noise levels of the stored edits, so it did nothing."

    def guide(self, run: Run, x: Tensor, denoised: Tensor) -> Tensor:
        check_kept(tuple(x.shape), run.noise_shape)
        sigmas = self.guidance.sigmas
        nearest = min(range(len(sigmas)), key=lambda i: abs(sigmas[i] - run.sigma))
        least, most = (run.ratio_at(edge(sigmas)) for edge in (min, max))
        if not least / BEYOND <= run.ratio <= most * BEYOND:  # outside of the concepts' windows
            return denoised
        self.used = True
        return denoised - self.scale * run.ratio * self.guidance.edits[nearest].to(denoised)
