"""Graphs through the host's own validation and executor in this process, with nodes that give and keep any object."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import signal
import tempfile
import uuid
from dataclasses import dataclass, field
from functools import cache

import torch
from pack.demo.nodes import NODES as DEMO
from pack.nodes import NODES
from pack.patches.run.told import technique

OWN = {node.GET_SCHEMA().node_id: node for node in [*NODES, *DEMO]}
NAMES = {node_id: technique(node.GET_SCHEMA().display_name) for node_id, node in OWN.items()}
SLOW = 20  # seconds of this process that a graph may take; a busy machine is not its fault


class Slow(Exception):
    """A graph took longer than `SLOW`."""


class Nobody:
    """Stands for the server: no client listens."""

    client_id = last_node_id = None

    def send_sync(self, *_: object) -> None:
        pass

    queue_updated = send_sync


class Any(str):
    """A socket type that fits every other."""

    def __ne__(self, other: object) -> bool:
        return False


GIVEN: dict[str, object] = {}
KEPT: dict[str, object] = {}


class Give:
    """Puts out the object that `GIVEN` holds under its key."""

    RETURN_TYPES, FUNCTION, CATEGORY = (Any("*"),), "give", "trust"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"key": ("STRING", {"default": ""})}}

    def give(self, key: str) -> tuple:
        return (GIVEN[key],)


class Keep:
    """Puts its input into `KEPT`."""

    RETURN_TYPES, FUNCTION, CATEGORY, OUTPUT_NODE = (), "keep", "trust", True

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": (Any("*"), {}), "key": ("STRING", {"default": ""})}}

    @classmethod
    def VALIDATE_INPUTS(cls, input_types):
        return True

    def keep(self, value: object, key: str) -> dict:
        KEPT[key] = value
        return {"ui": {}}


@cache
def register() -> str:
    """Makes the host know its extra nodes, this pack's and those above; its folders are a new one, whose path it is."""
    import folder_paths

    import nodes

    asyncio.run(nodes.init_builtin_extra_nodes())
    nodes.NODE_CLASS_MAPPINGS.update({**OWN, "TRUST_Give": Give, "TRUST_Keep": Keep})
    folder = tempfile.mkdtemp(prefix="trust-")
    for name in ("output", "temp", "input"):
        getattr(folder_paths, f"set_{name}_directory")(folder)
    return folder


@dataclass
class Outcome:
    """How a graph ended."""

    kind: str
    """ok, refused (by the host's validation), error, interrupted."""
    node: str = ""
    type: str = ""
    """Of the exception."""
    message: str = ""
    kept: dict = field(default_factory=dict)

    def sentence(self) -> str:
        return f"{self.type}: {self.message}" if self.type else self.kind


def run(graph: dict, seconds: int = SLOW, executor: object = None) -> Outcome:
    """Validates, then executes, as the server does; a hang ends as an error of type Slow."""
    register()
    KEPT.clear()

    def ring(*_: object) -> None:
        raise Slow(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return _run(json.loads(json.dumps(graph)), executor)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _run(graph: dict, executor: object) -> Outcome:
    import execution

    given = ("trust", graph, None)[: len(inspect.signature(execution.validate_prompt).parameters)]
    try:
        valid, error, outputs, problems = asyncio.run(execution.validate_prompt(*given))
    except Exception as problem:  # our own schema may make the host's validation fail: never right
        return Outcome("error", "validation", type(problem).__name__, str(problem))
    if not valid or problems:  # the host would still run the outputs that are right
        return Outcome("refused", message=json.dumps([error, problems], default=str)[:500])
    executor = executor or new()
    executor.execute(graph, uuid.uuid4().hex, {}, outputs)
    for event, data in executor.status_messages:
        if event == "execution_error":
            kind, said = data["exception_type"].split(".")[-1], str(data["exception_message"]).strip()
            return Outcome("error", data["node_type"], kind, said, dict(KEPT))
        if event == "execution_interrupted":
            return Outcome("interrupted", data["node_type"], kept=dict(KEPT))
    return Outcome("ok", kept=dict(KEPT))


def new():
    import execution

    return execution.PromptExecutor(Nobody(), execution.CacheType.CLASSIC, {"lru": 0, "ram": 0, "ram_inactive": 0})


@cache
def tiny_scenes() -> tuple:
    """MODEL, CLIP, VAE; the CLIP tracked."""
    from pack.demo.model import load
    from pack.patches.run.track import track_phrases

    model, clip, vae = load()
    gc.collect()
    gc.freeze()  # the host collects all garbage whenever a clone is gone; it need not search what stays
    return model, track_phrases(clip), vae


def finite(value: object) -> bool:
    """Whether all tensors and numbers in a kept value are finite."""
    if isinstance(value, dict):
        return all(finite(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(finite(item) for item in value)
    if isinstance(value, torch.Tensor):
        return bool(value.float().isfinite().all())
    return not isinstance(value, float) or value - value == 0
