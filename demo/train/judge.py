"""Train the judge on rendered scenes and on their autoencoder round trips. See README.md."""

from __future__ import annotations

import argparse
import math
import time
from multiprocessing import Pool

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from ..autoencoder import TinyAutoencoder
from ..judge import CELLS, HEADS, WEIGHTS, WHOLE, Judge, Reading, load, read
from ..scenes import Scene, render
from .data import TEST_SEED, TRAIN_SEED, WORK, pictures, scene, to_model
from .optimizer import optimizers


def labels(of: Scene) -> np.ndarray:
    """(3, 16, 16) class of every cell (shape with 0 = none, colour, texture), -1 where a cell has no such answer."""
    masks = render(of)[1].reshape(-1, CELLS, 8, CELLS, 8).mean((2, 4))
    out = np.stack([np.zeros((CELLS, CELLS)), *[np.full((CELLS, CELLS), -1.0)] * 2]).astype(np.int64)
    for thing, mask in zip(of.things, masks, strict=True):
        out[0][(mask > 0.1) & (mask <= 0.35)] = -1
        answers = HEADS["shape"].index(thing.shape), HEADS["colour"].index(thing.colour), int(thing.striped)
        for head, answer in zip(out, answers, strict=True):
            head[mask > 0.35] = answer
    return out


def _labels(index: int) -> np.ndarray:
    return labels(scene(index))


@torch.no_grad()
def round_trips(model: TinyAutoencoder, data: np.ndarray) -> Tensor:
    """The pictures after encoding and decoding, (N, 3, 128, 128) float16 in -1..1."""
    parts = []
    for i in range(0, len(data), 64):
        with torch.autocast("cpu", torch.bfloat16):
            parts.append(model.decode(model.encode(to_model(data[i : i + 64]))).clamp(-1, 1).half())
    return torch.cat(parts)


def loss_of(judge: Judge, x: Tensor, cells: Tensor, whole: Tensor) -> Tensor:
    out = judge(x)
    loss = sum(F.cross_entropy(out[n].float(), cells[:, i], ignore_index=-1) for i, n in enumerate(HEADS))
    return loss + sum(F.cross_entropy(out[n].float(), whole[:, i]) for i, n in enumerate(WHOLE))


def right(reading: Reading, truth: Scene) -> dict[str, list[bool]]:
    """Per question, whether the judge was right; an object it misses counts as wrong, by the cell at its place."""
    answers = {"shape": [], "colour": []}
    masks = render(truth)[1].reshape(-1, CELLS, 8, CELLS, 8).mean((2, 4)) > 0.35
    for thing, mask in zip(truth.things, masks, strict=True):
        best = max(reading.things, key=lambda found: (found.cells & mask).sum(), default=None)
        answers["shape"].append(best is not None and best.shape == thing.shape)
        answers["colour"].append(best is not None and best.colour == thing.colour)
    return answers | {n: [getattr(reading, n) == getattr(truth, n)] for n in WHOLE}


def accuracy(judge: Judge, model: TinyAutoencoder, count: int = 400) -> dict[str, float]:
    """Share of right answers on held-out scenes, the lower one of renderings and round trips."""
    scenes = [scene(i, TEST_SEED) for i in range(count)]
    data = (np.stack([render(s)[0] for s in scenes]) * 255).round().astype(np.uint8)
    lowest = {}
    for x in (to_model(data), round_trips(model, data).float()):
        answers: dict[str, list[bool]] = {}
        for reading, truth in zip(read(judge, x.movedim(1, -1) / 2 + 0.5), scenes, strict=True):
            for name, values in right(reading, truth).items():
                answers.setdefault(name, []).extend(values)
        for name, values in answers.items():
            lowest[name] = min(lowest.get(name, 1), float(np.mean(values)))
    return lowest


def train(minutes: float, count: int, of: int, batch: int, rate: float, seed: int, resume: bool) -> None:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model, judge = TinyAutoencoder(), load().requires_grad_(True) if resume else Judge()
    model.load_state_dict(torch.load(WORK / "autoencoder.pt"))
    data = pictures(of)[:count]
    with Pool() as pool:
        cells = torch.from_numpy(np.stack(pool.map(_labels, range(count), chunksize=64)))
    scenes = [scene(i, TRAIN_SEED) for i in range(count)]
    whole = torch.tensor([[values.index(getattr(s, n)) for n, values in WHOLE.items()] for s in scenes])
    trips = round_trips(model, data)
    both = optimizers(list(judge.named_parameters()))
    start, step = time.time(), 0
    while (done := (time.time() - start) / 60 / minutes) < 1:
        i = np.sort(rng.integers(0, count, batch))
        x = to_model(data[i]) if rng.random() < 0.5 else trips[i].float()
        x = x + torch.randn_like(x) * 0.1 * torch.rand(batch, 1, 1, 1) + torch.randn(batch, 3, 1, 1) * 0.03
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(judge, x, cells[i], whole[i])
        loss.backward()
        for optimizer in both:
            optimizer.param_groups[0]["lr"] = rate * min(1, (step + 1) / 100) * (1 + math.cos(math.pi * done)) / 2
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step += 1
        if step % 200 == 0:
            print(
                f"{step} steps, {step * batch / (time.time() - start):.0f} pictures/s, loss {float(loss):.4f}",
                flush=True,
            )
    WEIGHTS.parent.mkdir(exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in judge.state_dict().items()}, WEIGHTS)
    print(f"accuracy {accuracy(judge.requires_grad_(False), model)}, {step} steps -> {WEIGHTS.name}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--count", type=int, default=12000, help="pictures to train on")
    parser.add_argument("--of", type=int, default=40000, help="of so many rendered ones")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="from the weights that are there")
    train(**vars(parser.parse_args()))
