"""Stored guidance: written to a file, and added to another run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import folder_paths
import torch
from comfy.model_patcher import ModelPatcher
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..attention.quote import short
from .maps import Edits
from .run import Effect, Run, attach
from .semantic import ratio_of


@dataclass(frozen=True)
class Guidance:
    """The edits of one run."""

    sigmas: tuple[float, ...]
    edits: Tensor = field(repr=False)
    """(steps, B, C, ..., h, w) in eps units."""


def save_guidance(edits: Edits, prefix: str) -> str:
    """Writes into the output folder; the file's name there, with its subfolder. ValueError: no edits, or elsewhere."""
    if not edits.sigmas:
        raise ValueError(
            "Nothing was edited in this run, so there is no guidance to save; check the concepts' windows."
        )
    output = folder_paths.get_output_directory()
    if not _inside(output, os.path.join(output, os.path.dirname(os.path.normpath(prefix)))):
        raise ValueError(
            f"'{short(prefix)}' lies outside of the output folder; name a place in it, such as 'guidance/edit'."
        )
    folder, name, counter, *_ = folder_paths.get_save_image_path(prefix, output)
    path = os.path.join(folder, f"{name}_{counter:05}_.safetensors")
    sigmas = torch.tensor(edits.sigmas, dtype=torch.float64)
    save_file({"sigmas": sigmas, "edits": edits.edits.contiguous()}, path)
    return os.path.relpath(path, output)


def guidance_path(name: str) -> str:
    """The file behind 'x.safetensors' (input folder) or 'x.safetensors [output]'; ValueError: elsewhere or missing."""
    plain, named = folder_paths.annotated_filepath(name.strip())
    allowed = (folder_paths.get_input_directory(), folder_paths.get_output_directory())
    base = named or allowed[0]
    path = os.path.realpath(os.path.join(base, plain))
    if base not in allowed or not _inside(base, path):
        raise ValueError(
            f"'{short(name)}' lies outside of the host's input and output folders; put the file into one of them and "
            "name it there."
        )
    if not plain.endswith(".safetensors") or not os.path.isfile(path):
        raise ValueError(
            f"There is no guidance file '{short(name)}'; Save Guidance writes one, such as "
            "'guidance/x.safetensors [output]'."
        )
    return path


def load_guidance(name: str) -> Guidance:
    """What `save_guidance` wrote; ValueError: another kind of file."""
    path = guidance_path(name)
    try:
        stored = load_file(path)
    except SafetensorError:  # not even a file of this format
        stored = {}
    if set(stored) != {"sigmas", "edits"} or not 0 < len(stored["sigmas"]) == len(stored["edits"]):
        raise ValueError(f"'{short(name)}' holds no guidance; choose a file of Save Guidance.")
    return Guidance(tuple(stored["sigmas"].tolist()), stored["edits"])


def _inside(folder: str, path: str) -> bool:
    """Links are followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def replay(model: ModelPatcher, guidance: Guidance, scale: float) -> ModelPatcher:
    """A clone to whose predictions the stored edits are added, each at the step nearest to its noise level."""
    return attach(model, lambda: Replay(guidance, scale)) if scale else model.clone()


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
        sigmas = self.guidance.sigmas
        nearest = min(range(len(sigmas)), key=lambda i: abs(sigmas[i] - run.sigma))
        if not min(sigmas) * 0.9 <= run.sigma <= max(sigmas) * 1.1:  # outside of the concepts' windows
            return denoised
        self.used = True
        return denoised - self.scale * ratio_of(run) * self.guidance.edits[nearest].to(denoised)
