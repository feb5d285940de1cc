"""What trains beside the frozen model: its parts, latents of scenes, and the loop of one process. See README.md."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..autoencoder import LATENT_SCALE
from .data import WORK, pictures, to_model
from .optimizer import optimizers, schedule
from .text import TextModel, Words
from .unet import ALPHAS, STEPS, explicit_attention

SAVED = 250  # steps between checkpoints


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Frozen:
    """The embedded model's U-Net, text model and autoencoder, none of which learns."""

    def __init__(self) -> None:
        from comfy.sd1_clip import SD1Tokenizer
        from comfy.utils import load_torch_file

        from ..model import WEIGHTS, _part, load

        model, _, vae = load()
        self.unet, self.vae = model.model.diffusion_model.to(device()), vae.first_stage_model
        self.words = Words(SD1Tokenizer())
        self.text = TextModel(len(self.words.tokens) + 1)
        self.text.load_state_dict(_part(load_torch_file(str(WEIGHTS)), "text."))
        self.text.requires_grad_(False).to(device())

    @torch.no_grad()
    def told(self, captions: list[str]) -> Tensor:
        """(B, 77, 128)."""
        return self.text(self.words.encode(captions).to(device()))

    def latents(self, count: int) -> Tensor:
        """Cached latents of the first training pictures in the U-Net's scale, (count, 4, 16, 16) float16."""
        path = WORK / f"embedded-latents-{count}.pt"
        if not path.exists():
            data, vae = pictures(count), self.vae.to(memory_format=torch.channels_last)
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                parts = [vae.encode(to_model(data[i : i + 128])).float() * LATENT_SCALE for i in range(0, count, 128)]
            torch.save(torch.cat(parts).half(), path)
        return torch.load(path)


def of_scenes(name: str, function: Callable[[int], np.ndarray], count: int) -> np.ndarray:
    """What `function` makes of the numbers 0..count - 1, stacked; made once and cached under `name`."""
    WORK.mkdir(exist_ok=True)
    path = WORK / f"{name}-{count}.npy"
    if not path.exists():
        with Pool() as pool:
            np.save(path, np.stack(pool.map(function, range(count), chunksize=64)))
    return np.load(path)


@dataclass(frozen=True)
class Noised:
    """Latents (B, 4, 16, 16) at times t (B,), and the noise in them."""

    z: Tensor
    t: Tensor
    noise: Tensor

    @classmethod
    def of(cls, clean: Tensor, early: float = 1.0) -> Noised:
        """Times spread over all steps; early below 1 leans to the noisy ones, where a picture's layout is decided."""
        spread = (torch.randperm(len(clean)) + torch.rand(len(clean))) / len(clean)
        t = (spread**early * STEPS).long().to(clean.device)
        alpha = ALPHAS.to(clean)[t].view(-1, 1, 1, 1)
        noise = torch.randn_like(clean)
        return cls(alpha.sqrt() * clean + (1 - alpha).sqrt() * noise, t, noise)

    def loss(self, eps: Tensor) -> Tensor:
        """The eps loss with min-SNR weights (5), and more where a picture's layout is decided, in much noise."""
        alpha = ALPHAS.to(self.z)[self.t]
        snr = alpha / (1 - alpha)
        weight = snr.clamp(max=5) / snr * (1 + 1 / snr).sqrt()
        return ((eps.float() - self.noise).pow(2).mean((1, 2, 3)) * weight).mean()


def attention_options() -> dict:
    """transformer_options of the U-Net for training."""
    return {"optimized_attention_override": explicit_attention}


class Run:
    """A network that learns beside the frozen model, its average, and how far it is; resumable."""

    def __init__(self, name: str, network: nn.Module, options: argparse.Namespace) -> None:
        self.path, self.options = WORK / f"{name}.pt", options
        self.network = network.to(device()).to(memory_format=torch.channels_last)
        self.average = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(0.995))
        self.optimizers = optimizers(list(self.network.named_parameters()))
        self.minutes, self.steps = 0.0, 0
        if options.resume:
            self._load()
        torch.manual_seed(options.seed + self.steps)

    def learn(self, loss_of: Callable[[np.random.Generator], Tensor]) -> None:
        """Steps until options.minutes are over, with those of earlier runs; loss_of: a batch's loss."""
        rng, losses = np.random.default_rng((self.options.seed, self.steps)), []
        before, start = self.minutes, time.time()
        while self.minutes < self.options.minutes:
            with torch.autocast(device().type, torch.bfloat16):
                loss = loss_of(rng)
            loss.backward()
            rate = schedule(self.options.rate, self.steps, self.minutes / self.options.minutes)
            for optimizer in self.optimizers:
                optimizer.param_groups[0]["lr"] = rate
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            self.average.update_parameters(self.network)
            self.steps, self.minutes = self.steps + 1, before + (time.time() - start) / 60
            losses.append(loss.item())
            if self.steps % SAVED == 0 or self.minutes >= self.options.minutes:
                print(f"{self.minutes:.1f} min, {self.steps} steps, loss {np.mean(losses[-SAVED:]):.4f}", flush=True)
                self._save()

    def _save(self) -> None:
        state = {"network": self.network.state_dict(), "average": self.average.state_dict()}
        state |= {"optimizers": [o.state_dict() for o in self.optimizers], "done": (self.minutes, self.steps)}
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        part.rename(self.path)

    def _load(self) -> None:
        state = torch.load(self.path, map_location=device())
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.minutes, self.steps = state["done"]


def averaged(name: str) -> dict[str, Tensor]:
    """The averaged weights of the last checkpoint."""
    state = torch.load(WORK / f"{name}.pt", map_location="cpu")["average"]
    return {key.removeprefix("module."): value for key, value in state.items() if key != "n_averaged"}


def write(path: Path, weights: dict[str, Tensor]) -> None:
    """fp16 safetensors."""
    from safetensors.torch import save_file

    save_file({name: weight.half().contiguous() for name, weight in weights.items()}, path)
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


def options(description: str, minutes: float, rate: float) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--minutes", type=float, default=minutes, help="of this run and those it resumes")
    parser.add_argument("--count", type=int, default=16000, help="training pictures")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--threads", type=int, default=1, help="of the processor; a GPU is used where there is one")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    return given
