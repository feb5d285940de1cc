"""TinyScenes' ControlNet: an outline map steers where things are, by the host's own classes."""

from __future__ import annotations

from pathlib import Path

import comfy.model_management as management
import torch
from comfy.cldm.cldm import ControlNet as Network
from comfy.controlnet import ControlNet
from comfy.utils import load_torch_file

from .config import UNET

WEIGHTS = Path(__file__).parent / "weights" / "control.safetensors"


def network() -> Network:
    """The encoder half of TinyScenes' U-Net with a hint encoder; the host leaves its weights unset."""
    decoder = ("out_channels", "transformer_depth_output")
    form = {name: value for name, value in UNET.items() if name not in decoder}
    return Network(**form, hint_channels=3, dtype=torch.float32, device=management.unet_offload_device())


def load() -> ControlNet:
    """A fresh CONTROL_NET for pictures of white outlines on black, 8 pixels a latent cell."""
    module = network()
    module.load_state_dict({name: weight.float() for name, weight in load_torch_file(str(WEIGHTS)).items()})
    return ControlNet(module.requires_grad_(False), load_device=management.get_torch_device())
