"""A live server with graphs from several clients at once, some malformed: all good ones succeed, and it lives."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pack.tests.trust.tally import Check, Tally

GRAPHS, CLIENTS, MALFORMED = 200, 4, 20
SEEDS = 5
"""Different pictures; all of one seed must be the same."""
DEFAULTS = dict(steps=2, cfg=4.0, sampler_name="euler", scheduler="normal", denoise=1.0)


def graph(seed: int) -> dict:
    """A region on TinyScenes, 64x64 pixels."""
    region = {"phrase": "red circle", "mask": ["4", 0], "strength": 1.0, "outside": 0.5, "focus": 1.0, "occurrence": 0}
    how = {"weight_function": "spatial_control", "apply_to": "positive", "std": "per row"}
    how |= {"start_percent": 0.0, "end_percent": 1.0, "blocks": ""}
    texts = {"positive": ["3", 0], "negative": ["3", 0], "latent_image": ["7", 0]}
    made = {
        "1": ("LM_LoadTinyScenes", {}),
        "2": ("LM_TrackPhrases", {"clip": ["1", 1]}),
        "3": ("CLIPTextEncode", {"clip": ["2", 0], "text": "a red circle on a beach"}),
        "4": ("SolidMask", {"value": 1.0, "width": 32, "height": 64}),
        "5": ("LM_PhraseRegion", region),
        "6": ("LM_RegionAttention", {"model": ["1", 0], "regions": ["5", 0], **how}),
        "7": ("EmptyLatentImage", {"width": 64, "height": 64, "batch_size": 1}),
        "8": ("KSampler", {"model": ["6", 0], "seed": seed, **texts, **DEFAULTS}),
        "9": ("VAEDecode", {"samples": ["8", 0], "vae": ["1", 2]}),
        "10": ("PreviewImage", {"images": ["9", 0]}),
    }
    return {node: {"class_type": kind, "inputs": inputs} for node, (kind, inputs) in made.items()}


def changed(node: str, **inputs: object) -> Callable[[], dict]:
    def made() -> dict:
        given = graph(0)
        given[node]["inputs"].update(inputs)
        return given

    return made


def without(node: str, name: str) -> dict:
    given = graph(0)
    del given[node]["inputs"][name]
    return given


BROKEN: list[Callable[[], dict]] = [
    changed("5", strength="strong"),
    changed("5", strength=1e9),
    changed("5", occurrence=-1),
    changed("5", mask=["1", 0]),
    changed("5", mask=["99", 0]),
    changed("5", phrase="green star"),
    changed("6", weight_function="magic"),
    changed("6", end_percent=2.0),
    changed("6", model=["2", 0]),
    changed("6", regions=["3", 0]),
    changed("6", blocks="in.77"),
    changed("6", start_percent=0.9, end_percent=0.1),
    changed("8", steps=0),
    changed("8", sampler_name="none"),
    changed("3", clip=["1", 7]),
    lambda: without("6", "regions"),
    lambda: without("5", "mask"),
    lambda: {**graph(0), "6": {"class_type": "LM_NotThere", "inputs": {}}},
    lambda: {"1": graph(0)["1"]},
    lambda: {},
]


def run(tally: Tally) -> None:
    from pack.tools.client import Client
    from pack.tools.server import serve

    count, broken = (12, BROKEN[::5]) if tally.quick else (GRAPHS - MALFORMED, BROKEN)
    jobs = [(f"graph {i}", i % SEEDS, None) for i in range(count)]
    every = len(jobs) // len(broken)
    for i, made in enumerate(broken):
        jobs.insert(i * (every + 1), (f"malformed graph {i + 1}", None, made))
    with serve(Path(os.environ["COMFYUI_PATH"]), Path(sys.executable)) as server:
        clients = [Client(server.url) for _ in range(CLIENTS)]

        def work(number: int) -> list:
            mine = jobs[number::CLIENTS]
            return [(*job, clients[number].run(job[2]() if job[2] else graph(job[1]), progress=False)) for job in mine]

        with ThreadPoolExecutor(CLIENTS) as pool:
            done = [result for results in pool.map(work, range(CLIENTS)) for result in results]
        judge(tally, done)
        tally.expect("LM_RegionAttention" in clients[0].object_info(), "the server", "does not answer after all that")


def judge(tally: Tally, done: list) -> None:
    """The pictures of one seed are the same, those of two seeds are not; a malformed graph has a readable line."""
    pictures: dict[int, set[bytes]] = {}
    for where, seed, broken, result in done:
        if broken:
            tally.data.append([where, result.errors[:2]])
            tally.expect(bool(result.errors and readable(result.errors[0])), where, f"answered with {result.errors}")
        elif tally.expect(not result.errors, where, result.errors):
            pictures.setdefault(seed, set()).add(pixels(result.images["10"][0]))
    tally.expect(all(len(same) == 1 for same in pictures.values()), "one seed", "gave different pictures")
    tally.expect(len(set().union(*pictures.values())) == len(pictures), "different seeds", "gave the same picture")


def readable(line: str) -> bool:
    """A line without an exception's name but ValueError."""
    return "\n" not in line and len(line) < 600 and ("Error: " not in line or "ValueError: " in line)


def pixels(data: bytes) -> bytes:
    from PIL import Image

    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()


CHECK = Check(
    "A queue of many clients",
    f"{GRAPHS} graphs from {CLIENTS} clients to a live server, {MALFORMED} of them malformed: each good one gives its "
    "picture, each malformed one a readable line, the server lives",
    run,
)
