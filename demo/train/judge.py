"""Train the judge on rendered scenes and on their autoencoder round trips. See README.md."""

from __future__ import annotations

import argparse
import time
from multiprocessing import Pool

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from ..autoencoder import TinyAutoencoder
from ..judge import CELLS, HEADS, INSIDE, OUTSIDE, WEIGHTS, WHOLE, Judge, Reading, coverage, load, read
from ..scenes import Scene, render
from .autoencoder import trained
from .data import TEST_SEED, TRAIN_SEED, pictures, scene, to_model
from .optimizer import optimizers, schedule


def labels(of: Scene) -> np.ndarray:
    """(3, 16, 16) class of every cell (shape with 0 = none, colour, texture), -1 where a cell has no such answer."""
    shares = coverage(render(of)[1])
    out = np.stack([np.zeros((CELLS, CELLS)), *[np.full((CELLS, CELLS), -1.0)] * 2]).astype(np.int64)
    for thing, share in zip(of.things, shares, strict=True):
        out[0][(share > OUTSIDE) & (share <= INSIDE)] = -1
        answers = HEADS["shape"].index(thing.shape), HEADS["colour"].index(thing.colour), int(thing.striped)
        for head, answer in zip(out, answers, strict=True):
            head[share > INSIDE] = answer
    return out


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
    masks = coverage(render(truth)[1]) > INSIDE
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


class Examples:
    """Scenes as renderings and as round trips, with the answers."""

    def __init__(self, model: TinyAutoencoder, count: int, of: int):
        scenes = [scene(i, TRAIN_SEED) for i in range(count)]
        with Pool() as pool:
            self.cells = torch.from_numpy(np.stack(pool.map(labels, scenes, chunksize=64)))
        self.whole = torch.tensor([[values.index(getattr(s, n)) for n, values in WHOLE.items()] for s in scenes])
        self.drawn = pictures(of)[:count]
        self.trips = round_trips(model, self.drawn)

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures with a little noise and a colour cast, and the answers per cell and for the whole."""
        i = np.sort(rng.integers(0, len(self.drawn), size))
        x = to_model(self.drawn[i]) if rng.random() < 0.5 else self.trips[i].float()
        x = x + torch.randn_like(x) * 0.1 * torch.rand(size, 1, 1, 1) + torch.randn(size, 3, 1, 1) * 0.03
        return x, self.cells[i], self.whole[i]


def learn(judge: Judge, examples: Examples, options: argparse.Namespace) -> None:
    rng, both = np.random.default_rng(options.seed), optimizers(list(judge.named_parameters()))
    start, step = time.time(), 0
    while (done := (time.time() - start) / 60 / options.minutes) < 1:
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(judge, *examples.batch(rng, options.batch))
        loss.backward()
        for optimizer in both:
            optimizer.param_groups[0]["lr"] = schedule(options.rate, step, done)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step += 1
        if step % 200 == 0:
            print(
                f"{step} steps, {step * options.batch / (time.time() - start):.0f}/s, loss {loss.item():.4f}",
                flush=True,
            )


def train(options: argparse.Namespace) -> None:
    torch.manual_seed(options.seed)
    model, judge = trained(), load().requires_grad_(True) if options.resume else Judge()
    learn(judge, Examples(model, options.count, options.of), options)
    WEIGHTS.parent.mkdir(exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in judge.state_dict().items()}, WEIGHTS)
    print(f"accuracy {accuracy(judge.requires_grad_(False), model)} -> {WEIGHTS.name}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--count", type=int, default=20000, help="pictures to train on")
    parser.add_argument("--of", type=int, default=40000, help="of so many rendered ones")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="from the weights that are there")
    train(parser.parse_args())
