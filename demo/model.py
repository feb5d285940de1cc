"""Builds TinyScenes from its embedded weights as ordinary MODEL, CLIP and VAE objects of the host."""

from __future__ import annotations

from pathlib import Path

import comfy.model_management as management
import comfy.sd
import comfy.supported_models
import torch
from comfy.ldm.models.autoencoder import AutoencoderKL
from comfy.model_patcher import ModelPatcher
from comfy.sd1_clip import SD1ClipModel, SD1Tokenizer
from comfy.utils import load_torch_file
from torch import Tensor

from .autoencoder import TinyAutoencoder
from .config import CONTEXT, TEXT, UNET

WEIGHTS = Path(__file__).parent / "weights" / "tinyscenes.safetensors"


def _part(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n[len(prefix) :]: w.float() for n, w in weights.items() if n.startswith(prefix)}


def _model(weights: dict[str, Tensor]) -> ModelPatcher:
    config = comfy.supported_models.SD15({**UNET, "dtype": torch.float32})
    config.unet_config |= {n: UNET[n] for n in ("num_heads", "num_head_channels")}  # the constructor sets SD1.5's
    config.set_inference_dtype(torch.float32, None)
    device = management.unet_offload_device()
    model = config.get_model({}, "", device=device)
    model.diffusion_model.load_state_dict(_part(weights, "unet."))
    return ModelPatcher(model.requires_grad_(False), management.get_torch_device(), device)


def _clip(weights: dict[str, Tensor]) -> comfy.sd.CLIP:
    class Target:
        params: dict = {}
        clip, tokenizer = SD1ClipModel, SD1Tokenizer

    clip = comfy.sd.CLIP(
        Target, model_options={"clip_l_model_config": TEXT, "dtype": torch.float32}, disable_dynamic=True
    )
    text = _part(weights, "text.")
    kept = text.pop("embeddings.token_embedding.weight")
    table = kept[:1].repeat(49408, 1)  # row 0 is what every token unknown to TinyScenes gets
    table[weights["tokens"].long()] = kept[1:]
    state = {f"text_model.{n}": w for n, w in text.items()}
    state |= {"text_model.embeddings.token_embedding.weight": table, "text_projection.weight": torch.eye(CONTEXT)}
    clip.cond_stage_model.clip_l.transformer.load_state_dict(state)
    return clip


def _vae(weights: dict[str, Tensor]) -> comfy.sd.VAE:
    """The host's VAE around our network: made for the smallest network it knows, which is then exchanged."""
    sizes = {"double_z": True, "z_channels": 4, "resolution": 128, "in_channels": 3, "out_ch": 3, "ch": 32}
    sizes |= {"ch_mult": [1, 1, 1, 1], "num_res_blocks": 1, "attn_resolutions": [], "dropout": 0.0}
    params = {"ddconfig": sizes, "embed_dim": 4}
    vae = comfy.sd.VAE(sd=AutoencoderKL(**params).state_dict(), config={"params": params}, dtype=torch.float32)
    network = TinyAutoencoder()
    network.load_state_dict(_part(weights, "vae."))
    vae.first_stage_model = network.requires_grad_(False).to(vae.vae_dtype)
    vae.patcher = ModelPatcher(vae.first_stage_model, vae.device, management.vae_offload_device())
    return vae


def load() -> tuple[ModelPatcher, comfy.sd.CLIP, comfy.sd.VAE]:
    """A fresh MODEL, CLIP and VAE of TinyScenes."""
    weights = load_torch_file(str(WEIGHTS))
    return _model(weights), _clip(weights), _vae(weights)
