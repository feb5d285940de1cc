"""Train the autoencoder: L1 on pixels and on their differences, with a little noise on the code. See README.md."""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
import torch
from torch.nn import functional as F

from ..autoencoder import TinyAutoencoder
from ..scenes import render
from .data import TEST_SEED, WORK, pictures, scene, to_model


def differences(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def loss_of(model: TinyAutoencoder, x: torch.Tensor, noise: float) -> torch.Tensor:
    code = model.code(x)
    out = model.decoder(code + noise * torch.rand(len(x), 1, 1, 1) * torch.randn_like(code)).float()
    edges = sum(F.l1_loss(a, b) for a, b in zip(differences(out), differences(x), strict=True))
    return F.l1_loss(out, x) + edges + 2 * F.mse_loss(out, x)


@torch.no_grad()
def psnr(model: TinyAutoencoder, count: int = 64) -> float:
    """Mean PSNR in dB of round trips of held-out scenes."""
    held_out = np.stack([render(scene(i, TEST_SEED))[0] for i in range(count)])
    x = to_model((held_out * 255).round().astype(np.uint8)).contiguous(memory_format=torch.channels_last)
    error = ((model.decode(model.encode(x)).clamp(-1, 1) - x) / 2).pow(2).mean((1, 2, 3))
    return float((-10 * error.log10()).mean())


def train(minutes: float, count: int, batch: int, rate: float, seed: int, resume: bool) -> None:
    torch.manual_seed(seed)
    rng, data, path = np.random.default_rng(seed), pictures(count), WORK / "autoencoder.pt"
    model = TinyAutoencoder().to(memory_format=torch.channels_last)
    if resume:
        model.load_state_dict(torch.load(path))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.01)
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998))
    start, step = time.time(), 0
    while (done := (time.time() - start) / 60 / minutes) < 1:
        optimizer.param_groups[0]["lr"] = (
            rate * min(1, (step + 1) / 200) * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
        )
        x = to_model(data[np.sort(rng.integers(0, count, batch))]).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(model, x, 0.15)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(model)
        step += 1
        if step % 100 == 0:
            print(
                f"{step} steps, {step * batch / (time.time() - start):.1f} pictures/s, loss {float(loss):.4f}",
                flush=True,
            )
        if step % 1000 == 0:
            print(f"PSNR {psnr(average.module):.2f} dB", flush=True)
    model = average.module
    with torch.no_grad():
        code = torch.cat([model.code(to_model(data[i : i + 64])) for i in range(0, 2048, 64)])
        model.mean.copy_(code.mean((0, 2, 3)))
        model.std.copy_(code.std((0, 2, 3)))
    torch.save(model.state_dict(), path)
    print(f"PSNR {psnr(model):.2f} dB, code std {model.std.tolist()}, {step} steps -> {path}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--count", type=int, default=40000, help="training pictures")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    train(**vars(parser.parse_args()))
