"""Train text model and U-Net on cached latents: eps loss, min-SNR weights, EMA, cosine decay. See README.md."""

from __future__ import annotations

import argparse
import math
import os
import time

import numpy as np
import torch
import torch.multiprocessing as mp
from torch import Tensor, nn

from ..autoencoder import LATENT_SCALE
from ..captions import caption
from ..config import UNET
from .autoencoder import trained
from .data import TRAIN_SEED, WORK, pictures, scene, to_model
from .optimizer import schedule
from .parallel import Share, Shared
from .text import TextModel, Words

STEPS = 1000
ALPHAS = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64) ** 2, 0).float()


def explicit_attention(function, q: Tensor, k: Tensor, v: Tensor, heads: int, *args, **kwargs) -> Tensor:
    """Plain softmax attention: its backward is twice as fast as the fused one on a CPU. (B, N, heads * d)"""
    b, n, c = q.shape
    q, k, v = (t.view(b, -1, heads, c // heads).transpose(1, 2) for t in (q, k, v))
    weights = (q * q.shape[-1] ** -0.5) @ k.mT
    return (weights.softmax(-1) @ v).transpose(1, 2).reshape(b, n, c)


def build_unet() -> nn.Module:
    """The host's own U-Net, initialised for training (the host leaves weights unset)."""
    import comfy.ops
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    unet = UNetModel(**UNET, dtype=torch.float32, operations=comfy.ops.disable_weight_init)
    for module in unet.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.GroupNorm | nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    for name, p in unet.named_parameters():  # residual branches start at zero
        if name.endswith(("out_layers.3.weight", "proj_out.weight", "out.2.weight")):
            nn.init.zeros_(p)
    return unet


def latents(count: int) -> Tensor:
    """Cached latents of the training pictures in the U-Net's scale, (count, 4, 16, 16) float16."""
    path = WORK / f"latents-{count}.pt"
    if not path.exists():
        model, data = trained(), pictures(count)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            parts = [model.encode(to_model(data[i : i + 128])).float() * LATENT_SCALE for i in range(0, count, 128)]
        torch.save(torch.cat(parts).half(), path)
    return torch.load(path)


def batch_captions(indices: np.ndarray, rng: np.random.Generator, scenes: dict) -> list[str]:
    """Captions of some training scenes: 10 % empty for guidance, 3 % with an unknown word."""
    out = []
    for i in indices.tolist():
        scenes.setdefault(i, scene(i, TRAIN_SEED))
        words = caption(scenes[i], rng).split() if rng.random() > 0.1 else []
        if words and rng.random() < 0.03:
            words.insert(int(rng.integers(len(words) + 1)), "?")
        out.append(" ".join(words))
    return out


class Network(nn.Module):
    """Text and U-Net together: the weighted eps loss of a batch."""

    def __init__(self, rows: int):
        super().__init__()
        self.text, self.unet = TextModel(rows), build_unet()

    def forward(self, z: Tensor, rows: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        alpha = ALPHAS[t].view(-1, 1, 1, 1)
        noised = alpha.sqrt() * z + (1 - alpha).sqrt() * noise
        options = {"optimized_attention_override": explicit_attention}
        eps = self.unet(noised, t.float(), self.text(rows), transformer_options=options).float()
        snr = (alpha / (1 - alpha)).flatten()
        return ((eps - noise).pow(2).mean((1, 2, 3)) * snr.clamp(max=5) / snr).mean()


def backward(shared: Shared, rank: int, z: Tensor, rows: Tensor) -> float:
    """Loss of this worker's batch; its gradients go to the shared ones."""
    shared.network.zero_grad(set_to_none=True)
    t = ((torch.randperm(len(z)) + torch.rand(len(z))) / len(z) * STEPS).long()  # stratified
    with torch.autocast("cpu", torch.bfloat16):
        loss = shared.network(z, rows, t, torch.randn_like(z))
    loss.backward()
    for p, gradients in zip(shared.network.parameters(), shared.gradients, strict=True):
        gradients[rank].copy_(p.grad)
    return loss.item()


def work(rank: int, shared: Shared, share: Share, options: argparse.Namespace) -> None:
    """The loop of one worker."""
    from comfy.sd1_clip import SD1Tokenizer

    torch.set_num_threads(1)
    z, words, scenes, losses = latents(options.count), Words(SD1Tokenizer()), {}, []
    before, steps = float(shared.progress[0]), int(shared.progress[1])
    rng = np.random.default_rng((options.seed, rank, steps))
    torch.manual_seed(int(rng.integers(1 << 31)))
    start = time.time()
    while (minutes := float(shared.progress[0])) < options.minutes:
        chosen = rng.integers(0, options.count, options.batch // options.workers)
        losses.append(backward(shared, rank, z[chosen].float(), words.encode(batch_captions(chosen, rng, scenes))))
        shared.barrier.wait()
        share.update(schedule(options.rate, steps, minutes / options.minutes), min(0.999, (steps + 1) / (steps + 10)))
        steps += 1
        if rank == 0:
            shared.progress.copy_(torch.tensor((before + (time.time() - start) / 60, steps)))
        shared.barrier.wait()
        if steps % 200 == 0 and rank == 0:
            print(f"{minutes:.1f} min, {steps} steps, loss {np.mean(losses[-200:]):.4f}", flush=True)
        if steps % 1000 == 0 or shared.progress[0] >= options.minutes:
            share.save()
            if rank == 0:
                shared.save()


def train(options: argparse.Namespace) -> None:
    from comfy.sd1_clip import SD1Tokenizer

    torch.manual_seed(options.seed)
    latents(options.count)  # before the workers would all make them
    shared = Shared(Network(len(Words(SD1Tokenizer()).tokens) + 1), options.workers)
    shares = [Share(shared, rank, options.workers) for rank in range(options.workers)]
    if options.resume:
        shared.load()
        for share in shares:
            share.load()
    fork = mp.get_context("fork")
    others = [fork.Process(target=work, args=(i, shared, shares[i], options)) for i in range(1, options.workers)]
    for process in others:
        process.start()
    work(0, shared, shares[0], options)
    for process in others:
        process.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=95)
    parser.add_argument("--count", type=int, default=40000, help="training pictures")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes of one thread each")
    parser.add_argument("--resume", action="store_true")
    train(parser.parse_args())
