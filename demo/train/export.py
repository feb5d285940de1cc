"""Write the trained networks to demo/weights/tinyscenes.safetensors: fp16, only the embedding rows in use."""

from __future__ import annotations

import torch
from safetensors.torch import save_file

from .autoencoder import trained
from .data import WORK
from .text import Words


def export() -> None:
    from comfy.sd1_clip import SD1Tokenizer

    from ..model import WEIGHTS

    average = torch.load(WORK / "unet.pt", map_location="cpu")["average"]
    weights = {f"vae.{n}": w for n, w in trained().state_dict().items()} | average
    half = {n: w.half().contiguous() for n, w in weights.items()}
    half["tokens"] = torch.tensor(Words(SD1Tokenizer()).tokens, dtype=torch.int32)
    WEIGHTS.parent.mkdir(exist_ok=True)
    save_file(half, WEIGHTS)
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    export()
