"""TinyScenes' IP-Adapter: a file as ComfyUI_IPAdapter_plus reads it, and the image encoder that belongs to it."""

from __future__ import annotations

from pathlib import Path

import comfy.model_management as management
import torch
from comfy.clip_vision import Output
from comfy.model_patcher import ModelPatcher
from comfy.utils import load_torch_file
from torch import Tensor, nn
from torch.nn import functional as F

from .trunk import CELL, SUMMARY, Trunk

WEIGHTS = Path(__file__).parent / "weights" / "adapter.safetensors"
EMBEDDING, TOKENS, SHAPES = CELL + SUMMARY, 4, 7
KEYS = {1: ("input", 1), 7: ("input", 5), 13: ("output", 3), 15: ("output", 4), 17: ("output", 5)}
"""Numbers of the pack's layers -> their cross-attentions; it has none for TinyScenes' other five."""
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of CLIP's pictures


class ImageEncoder(Trunk):
    """In the place of a CLIP vision model: how things look and what is behind them, whatever their shape and place.

    Pictures (B, 3, H, W) as CLIP takes them -> image_embeds (B, 192), with mean 0 and deviation 1 over scenes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shape = nn.Conv2d(CELL, SHAPES, 1)  # of the thing in a cell, after "none"
        self.register_buffer("mean", torch.zeros(EMBEDDING))
        self.register_buffer("std", torch.ones(EMBEDDING))

    def embedded(self, x: Tensor) -> Tensor:
        """Pictures (B, 3, 128, 128) in -1..1 -> (B, 192)."""
        cells, whole = self.features(x)
        there = 1 - self.shape(cells).softmax(1)[:, :1]
        things = (cells * there).sum((2, 3)) / (there.sum((2, 3)) + 1)
        return (torch.cat((things, whole), 1) - self.mean) / self.std

    def forward(self, pixel_values: Tensor, **kwargs: object) -> tuple[Tensor, Tensor, Tensor, None]:
        """last_hidden_state and the penultimate one (B, 1, 192), image_embeds (B, 192), and nothing."""
        mean, std = (torch.tensor(values).to(pixel_values)[:, None, None] for values in (MEAN, STD))
        picture = F.interpolate(pixel_values * std + mean, size=(128, 128), mode="bilinear", antialias=True)
        image = self.embedded(picture.clamp(0, 1) * 2 - 1)
        return image[:, None], image[:, None], image, None


class ClipVision:
    """A CLIP_VISION around the image encoder: what the host's own object offers to nodes."""

    def __init__(self, model: ImageEncoder) -> None:
        self.model, self.load_device = model, management.text_encoder_device()
        self.patcher = ModelPatcher(model, self.load_device, management.text_encoder_offload_device())

    def encode_image(self, image: Tensor, crop: bool = True) -> Output:
        """Pictures (B, H, W, 3) in 0..1; parts outside a square in the middle are cut off if `crop`."""
        from comfy.clip_vision import clip_preprocess

        management.load_model_gpu(self.patcher)
        out = self.model(clip_preprocess(image.to(self.load_device), size=224, crop=crop).float())
        found, names = Output(), ("last_hidden_state", "penultimate_hidden_states", "image_embeds")
        for name, value in zip(names, out, strict=False):
            found[name] = value.to(management.intermediate_device())
        found["mm_projected"] = None
        return found


def parts() -> dict[str, dict[str, Tensor]]:
    """image_encoder, image_proj and ip_adapter, each name -> weight in fp32."""
    found: dict[str, dict[str, Tensor]] = {}
    for name, weight in load_torch_file(str(WEIGHTS)).items():
        part, _, rest = name.partition(".")
        found.setdefault(part, {})[rest] = weight.float()
    return found


def load() -> tuple[dict[str, dict[str, Tensor]], ClipVision]:
    """A fresh IPADAPTER and its CLIP_VISION."""
    found, encoder = parts(), ImageEncoder()
    encoder.load_state_dict(found.pop("image_encoder"))
    return found, ClipVision(encoder.requires_grad_(False))
