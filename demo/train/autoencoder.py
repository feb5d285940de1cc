"""Train the autoencoder: L1 on pixels and on their differences, with a little noise on the code. See README.md."""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..autoencoder import TinyAutoencoder
from ..scenes import render
from .data import TEST_SEED, WORK, pictures, scene, to_model
from .optimizer import schedule

PATH = WORK / "autoencoder.pt"


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


def trained() -> TinyAutoencoder:
    """The autoencoder of the last run, for the steps that build on it."""
    model = TinyAutoencoder()
    model.load_state_dict(torch.load(PATH))
    return model


def learn(model: TinyAutoencoder, average: AveragedModel, data: np.ndarray, options: argparse.Namespace) -> None:
    """The training loop; the result is `average`."""
    rng = np.random.default_rng(options.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, betas=(0.9, 0.99), weight_decay=0.01)
    start, step = time.time(), 0
    while (done := (time.time() - start) / 60 / options.minutes) < 1:
        optimizer.param_groups[0]["lr"] = schedule(options.rate, step, done)
        x = to_model(data[np.sort(rng.integers(0, len(data), options.batch))])
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(model, x.contiguous(memory_format=torch.channels_last), 0.15)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(model)
        step += 1
        if step % 500 == 0:
            speed = step * options.batch / (time.time() - start)
            print(f"{step} steps, {speed:.1f}/s, loss {loss.item():.4f}, {psnr(average.module):.2f} dB", flush=True)


def train(options: argparse.Namespace) -> None:
    torch.manual_seed(options.seed)
    data = pictures(options.count)
    model = trained() if options.resume or options.decoder else TinyAutoencoder()
    model.to(memory_format=torch.channels_last)
    model.encoder.requires_grad_(not options.decoder)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.998))
    learn(model, average, data, options)
    model = average.module
    if not options.decoder:
        normalise(model, data)
    torch.save(model.state_dict(), PATH)
    print(f"PSNR {psnr(model):.2f} dB, code std {model.std.tolist()} -> {PATH.name}", flush=True)


@torch.no_grad()
def normalise(model: TinyAutoencoder, data: np.ndarray) -> None:
    """Sets mean and deviation of the code's channels, over 2048 pictures."""
    code = torch.cat([model.code(to_model(data[i : i + 64])) for i in range(0, 2048, 64)])
    model.mean.copy_(code.mean((0, 2, 3)))
    model.std.copy_(code.std((0, 2, 3)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--count", type=int, default=40000, help="training pictures")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--decoder", action="store_true", help="sharpen the decoder alone; latents stay as they are")
    train(parser.parse_args())
