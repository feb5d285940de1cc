"""Training pictures: scene i of a seed is always the same; pictures are rendered once into a memory-mapped file."""

from __future__ import annotations

from multiprocessing import Pool
from pathlib import Path

import numpy as np

from ..scenes import SIZE, Scene, random_scene, render

WORK = Path(__file__).parent / "work"  # caches and checkpoints; ignored by git
TRAIN_SEED, TEST_SEED = 1, 2


def scene(index: int, seed: int = TRAIN_SEED) -> Scene:
    return random_scene(np.random.default_rng((seed, index)))


def _picture(index: int) -> np.ndarray:
    return (render(scene(index))[0] * 255).round().astype(np.uint8)


def pictures(count: int) -> np.ndarray:
    """The first `count` training pictures, (count, 128, 128, 3) uint8, memory-mapped; renders them on first use."""
    WORK.mkdir(exist_ok=True)
    path = WORK / f"pictures-{count}.npy"
    if not path.exists():
        part = path.with_suffix(".part")
        out = np.lib.format.open_memmap(part, "w+", np.uint8, (count, SIZE, SIZE, 3))
        with Pool() as pool:
            for i, picture in enumerate(pool.imap(_picture, range(count), chunksize=64)):
                out[i] = picture
        out.flush()
        part.rename(path)
    return np.load(path, mmap_mode="r")


def to_model(batch: np.ndarray):
    """(B, 128, 128, 3) uint8 -> (B, 3, 128, 128) float32 in -1..1."""
    import torch

    return torch.from_numpy(batch).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
