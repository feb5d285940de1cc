"""Makes a host that was started with --cpu take `far:0` for its accelerator, in a process of its own."""

from __future__ import annotations

import torch
from pack.tests.trust import far_device

PLENTY = 1 << 36
CAN_NOT = "supports_fp8_compute supports_nvfp4_compute supports_mxfp8_compute is_nvidia is_amd is_intel_xpu "
CAN_NOT += "device_supports_non_blocking should_use_fp16 should_use_bf16 supports_cast pytorch_attention_enabled_vae "
CAN_NOT += "should_free_cast_buffers"


def device() -> torch.device:
    """Once it is registered."""
    return torch.device(far_device.NAME, 0)


def use() -> None:
    """Call once, after comfy was imported and before models are made."""
    import comfy.model_management as management

    far_device.register()
    far = device()
    cpu = torch.device("cpu")
    management.vram_state = management.VRAMState.NORMAL_VRAM
    management.cpu_state = management.CPUState.GPU
    for name in ("get_torch_device", "vae_device"):
        setattr(management, name, lambda *_, **__: far)
    for name in ("unet_offload_device", "intermediate_device", "text_encoder_device"):
        setattr(management, name, lambda *_, **__: cpu)
    for name in CAN_NOT.split():
        if hasattr(management, name):
            setattr(management, name, lambda *_, **__: False)
    for name in ("synchronize", "soft_empty_cache"):
        setattr(management, name, lambda *_, **__: None)
    management.cast_to = _cast
    memory(PLENTY)


def memory(free: int) -> None:
    """How many bytes are free when a model is loaded: with less than it needs, its weights stay partly on the CPU."""
    import comfy.model_management as management

    def asked(dev: object = None, torch_free_too: bool = False) -> object:
        return (free, free) if torch_free_too else free

    def whole(dev: object = None, torch_total_too: bool = False) -> object:
        return (free, free) if torch_total_too else free

    management.get_free_memory, management.get_total_memory = asked, whole


def _cast(weight, dtype=None, device=None, non_blocking=False, copy=False, *_: object, **__: object):
    return weight.to(device=device or weight.device, dtype=dtype or weight.dtype)
