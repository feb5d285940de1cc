"""Values of inputs held against the schema that asks for them: type, finite, range, choice."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from numbers import Integral, Real

import torch
from comfy.model_patcher import ModelPatcher
from comfy.sd import CLIP
from comfy_api.latest import io
from torch import Tensor

from ...attention.quote import figure, listed, short
from ...patches.run.maps import Maps
from ...sampling.even import Probes
from .shared import Names


def checked(schema: io.Schema, values: dict[str, object]) -> dict[str, object]:
    """The values by input id, numbers and masks in their usual form; ValueError names the first that is not legal.

    An optional input that is None counts as not connected. start_percent may not lie behind end_percent.
    """
    inputs = {spec.id: spec for spec in schema.inputs}
    given = {name: value for name, value in values.items() if value is not None or not inputs[name].optional}
    found = {name: _each(inputs[name], value, schema.is_input_list) for name, value in given.items()}
    start, end = (found.get(name) for name in ("start_percent", "end_percent"))
    if start is not None and end is not None and start > end:
        raise ValueError(
            f"start_percent {start:g} lies behind end_percent {end:g}; percent runs from 0, the noisiest moment, to 1: "
            "swap them."
        )
    return found


def _each(spec: io.Input, value: object, listed: bool) -> object:
    check = CHECKS.get(spec.get_io_type())
    if check is None:
        return value
    return [check(spec, item) for item in value] if listed else check(spec, value)


def _number(spec: io.Input, value: object) -> float:
    if not isinstance(value, Real) or not _finite(value):
        raise ValueError(f"{spec.id} is {_shown(value)}, but it must be a number{_range(spec)}.")
    return float(_inside(spec, value))


def _whole(spec: io.Input, value: object) -> int:
    if not isinstance(value, Real) or not _finite(value) or int(value) != value:
        raise ValueError(f"{spec.id} is {_shown(value)}, but it must be a whole number{_range(spec)}.")
    return int(_inside(spec, value))


def _finite(value: Real) -> bool:
    """Also of whole numbers that no float holds."""
    return isinstance(value, Integral) or isfinite(value)


def _inside(spec: io.Input, value: Real) -> Real:
    if (spec.min is not None and value < spec.min) or (spec.max is not None and value > spec.max):
        raise ValueError(f"{spec.id} is {_shown(value)}, but it must be{_range(spec)}.")
    return value


def _range(spec: io.Input) -> str:
    return "" if spec.min is None or spec.max is None else f" from {spec.min:g} to {spec.max:g}"


def _choice(spec: io.Input, value: object) -> str:
    if isinstance(spec, Names):
        return CHECKS["STRING"](spec, value)
    if value not in spec.options:
        raise ValueError(f"{spec.id} is {_shown(value)}, but it must be one of: {listed(spec.options)}.")
    return value


def mask(spec: io.Input, value: object) -> Tensor:
    """(H, W) or (B, H, W) as (B, H, W) in float32, 0..1."""
    if not torch.is_tensor(value) or value.ndim not in (2, 3) or not value.numel():
        raise ValueError(
            f"The {spec.id} {_form(value)}, but it must be (height, width) or (batch, height, width); convert an IMAGE "
            "with the node Convert Image to Mask."
        )
    if value.isnan().any():
        raise ValueError(f"The {spec.id} holds values that are not numbers (NaN); make it with another node.")
    return value.reshape(-1, *value.shape[-2:]).float().clamp(0, 1)


def _image(spec: io.Input, value: object) -> Tensor:
    if not torch.is_tensor(value) or value.ndim != 4 or not value.numel():
        raise ValueError(f"The {spec.id} {_form(value)}, but it must be (batch, height, width, channels).")
    if not value.isfinite().all():
        raise ValueError(f"The {spec.id} holds values that are not finite numbers; make it with another node.")
    return value


def _latent(spec: io.Input, value: object) -> dict:
    samples = value.get("samples") if isinstance(value, dict) else None
    parts = samples.unbind() if getattr(samples, "is_nested", False) else [samples]
    if not all(torch.is_tensor(part) and part.ndim >= 3 and part.numel() for part in parts):
        raise ValueError(f"The {spec.id} holds no picture; give the LATENT of VAE Encode or of a sampler.")
    if not all(part.isfinite().all() for part in parts):
        raise ValueError(
            f"The {spec.id} holds values that are not finite numbers (NaN or infinite), so the picture is broken; make "
            "it again."
        )
    return value


def _conditioning(spec: io.Input, value: object) -> list:
    if not isinstance(value, list) or not all(map(_entry, value)):
        raise ValueError(f"The {spec.id} is no CONDITIONING; connect the output of a text encode node.")
    texts = [text for entry in value for text in (entry[0], entry[1].get("pooled_output")) if torch.is_tensor(text)]
    if not all(text.isfinite().all() for text in texts):
        raise ValueError(f"The {spec.id} holds values that are not finite numbers; encode the text again.")
    return value


def _entry(given: object) -> bool:
    """Whether this is one text of a CONDITIONING: [tensor, options]."""
    return isinstance(given, list | tuple) and len(given) == 2 and isinstance(given[1], dict)


def _clip(spec: io.Input, value: object) -> CLIP | None:
    """None: a checkpoint without a text encoder, which the nodes explain."""
    if value is not None and not isinstance(value, CLIP):
        raise ValueError(f"{spec.id} is {_shown(value)}, but it must be a CLIP; connect a CLIP loader.")
    return value


def _kind(kind: type, what: str) -> Callable[[io.Input, object], object]:
    def check(spec: io.Input, value: object) -> object:
        if not isinstance(value, kind):
            raise ValueError(f"{spec.id} is {_shown(value)}, but it must be {what}.")
        return value

    return check


CHECKS = {
    "FLOAT": _number,
    "INT": _whole,
    "BOOLEAN": _kind(bool, "on or off"),
    "STRING": _kind(str, "a text"),
    "COMBO": _choice,
    "MASK": mask,
    "IMAGE": _image,
    "LATENT": _latent,
    "CONDITIONING": _conditioning,
    "CLIP": _clip,
    "MODEL": _kind(ModelPatcher, "a MODEL; connect a model loader"),
    "LM_MAPS": _kind(Maps, "LM_MAPS, from the maps output of the node that made them"),
    "LM_REGIONS": _kind(tuple, "LM_REGIONS, from Region Canvas or Phrase Region"),
    "LM_PROBES": _kind(Probes, "LM_PROBES, from Even Steps"),
    "LM_CONCEPTS": _kind(tuple, "LM_CONCEPTS, from Edit Concept"),
}
"""Type of an input -> f(input, value) -> value; ValueError where it is not legal."""


def _form(value: object) -> str:
    return f"has the shape {tuple(value.shape)}" if torch.is_tensor(value) else f"is {_shown(value)}"


def _shown(value: object) -> str:
    if isinstance(value, Integral | Real):
        return figure(value)
    return f"'{short(value)}'" if isinstance(value, str) else f"of the kind {type(value).__name__}"
