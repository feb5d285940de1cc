"""Whether every effect gives on a device what it gives on the CPU, on tiny models of four forms.

An effect may be as far off as the plain model is (device against CPU, the same weights, computed there in float32),
times a small factor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache, partial

import comfy.model_management as management
import torch
from comfy.model_patcher import ModelPatcher
from pack.bench.clock import Clock, Log
from pack.bench.families import WORKS, measure
from pack.bench.gpu_effects import EFFECTS, Given
from pack.bench.gpu_models import again
from pack.tests.tiny_models import FAMILIES
from torch import Tensor

FORMS = ("sd15", "sdxl", "flux", "z_image")
FACTOR = 2
"""How much further off than the plain model; in float16 and bfloat16 on a CPU it is at most 1.5."""
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Mode:
    """How the weights are kept and computed."""

    weights: torch.dtype = torch.float32
    computed: torch.dtype = torch.float32
    offloaded: bool = False
    """Kept on the CPU and moved layer by layer, as the host does with --novram."""
    backend: str = ""
    """Of torch.compile."""


@dataclass
class Found:
    """What the checks came to."""

    worst: dict[str, float] = field(default_factory=dict)
    """Mode -> the largest error of an effect over the plain model's."""
    plain: dict[str, float] = field(default_factory=dict)
    """Mode and form -> the plain model's error."""
    checked: int = 0
    log: Log = field(default_factory=Log)


MODES = {
    "float32": Mode(),
    "float16": Mode(torch.float16, torch.float16),
    "bfloat16": Mode(torch.bfloat16, torch.bfloat16),
    "float8 weights": Mode(torch.float8_e4m3fn, torch.float16),
    "offloaded": Mode(offloaded=True),
}


def check(device: torch.device, backend: str, clock: Clock) -> Found:
    """Every mode on every form while there is time; compiling, which takes longest, comes last."""
    found, threads, tf32 = Found(log=clock.log), torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    torch.set_num_threads(1)  # with tensors this small a second thread only waits
    torch.backends.cudnn.allow_tf32 = False
    for name, mode in MODES.items():
        for form in FORMS:
            clock.do(f"{name}, {form}", partial(_compare, found, name, mode, form, device))
    for form in FORMS:
        clock.do(f"acts, and off is exact, {form}", partial(_hold, found, form, device))
    for form in FORMS[::-1]:  # transformers, which have fewer graphs, first
        clock.do(f"compiled, {form}", partial(_compare, found, "compiled", Mode(backend=backend), form, device))
    torch.set_num_threads(threads)
    torch.backends.cudnn.allow_tf32 = tf32
    return found


def _compare(found: Found, mode_name: str, mode: Mode, form: str, device: torch.device) -> None:
    """Fills in `found`."""
    family, name, right = FAMILIES[form], f"{mode_name}, {form}", expected(form, mode.weights)
    model = again(family.model(), mode.weights, mode.computed, device)
    given = Given(family, compiled(model, mode.backend) if mode.backend else model, gentle=True)
    with _novram() if mode.offloaded else nullcontext():
        plain = found.plain[name] = error(given.sample(given.model), right["plain"])
        if mode.offloaded and device != CPU and model.loaded_size() >= model.model_size():
            found.log.failed.append(f"{name}: the weights were not offloaded")
        for effect in [effect for effect in right if effect != "plain"]:
            off = error(outcome(given, effect), right[effect])
            found.checked += 1
            found.worst[mode_name] = max(found.worst.get(mode_name, 0.0), off / plain if plain else off)
            if not off <= FACTOR * plain:
                found.log.failed.append(f"{name}, {effect}: {off:.1e} off, the plain model {plain:.1e}")


def _hold(found: Found, form: str, device: torch.device) -> None:
    """Each effect acts, and its neutral value leaves every bit as it was."""
    model = again(FAMILIES[form].model(), torch.float32, torch.float32, device)
    for effect, says in measure(replace(FAMILIES[form], model=lambda: model)).items():
        found.checked += 1
        if says["status"] != WORKS:
            found.log.failed.append(f"acts, and off is exact, {form}, {effect}: {says['status']}, {says['why']}")


@cache
def expected(form: str, weights: torch.dtype) -> dict[str, Tensor]:
    """Effect -> outcome on the CPU, in float32; those that the form refuses are not in it."""
    family = FAMILIES[form]
    given = Given(family, again(family.model(), weights, torch.float32, CPU), gentle=True)
    found = {"plain": given.sample(given.model)}
    for effect in EFFECTS:
        try:
            found[effect] = outcome(given, effect)
        except ValueError:  # concepts by attention, which U-Nets alone have
            continue
    return found


def outcome(given: Given, effect: str) -> Tensor:
    """The picture, or what was read."""
    model, maps = EFFECTS[effect](given)
    picture = given.sample(model)
    return torch.cat([layer.flatten() for layer in maps.runs[-1].layers.values()]).cpu() if maps else picture


def error(found: Tensor, right: Tensor) -> float:
    """Root of the mean square of the difference over that of what is right."""
    return float((found.double() - right.double()).norm() / right.double().norm())


def compiled(model: ModelPatcher, backend: str) -> ModelPatcher:
    """As the host's TorchCompileModel."""
    from comfy_api.torch_helpers import set_torch_compile_wrapper
    from comfy_extras.nodes_torch_compile import skip_torch_compile_dict

    patched = model.clone()
    set_torch_compile_wrapper(patched, backend, options={"guard_filter_fn": skip_torch_compile_dict})
    return patched


@contextmanager
def _novram() -> Iterator[None]:
    before, management.vram_state = management.vram_state, management.VRAMState.NO_VRAM
    try:
        yield
    finally:
        management.vram_state = before
