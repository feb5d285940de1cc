"""Random graphs of our nodes for hypothesis: values in and out of range, and odd objects on their links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from pack.tests.trust.building import PHRASE, Graph, Linked, around, latent, regions
from pack.tests.trust.executor import GIVEN, OWN
from pack.tests.trust.special_inputs import patched

NAN, INFINITE = float("nan"), float("inf")
TEXTS = ["", PHRASE, "red circle\nblue square", "red circle | 0.5 | 0.2", "nothing of that", "🦆 红色 حمراء"]
TEXTS += ["(red:1.2)", "in.1, mid.0", "in.0-3", "out", "in.1:0.3", "1 0.5", "x | 1 | 2 | #ff0000", "a" * 500, "nan"]
SIZES = [(8, 8), (1, 8), (8, 1), (9, 13), (4, 4), (16, 8)]
NODES = [name for name in OWN if not name.startswith("LM_LoadTinyScenes")]


@dataclass(frozen=True)
class Drawn:
    """A graph that is built when it runs."""

    told: str
    build: Callable[[], dict]


def forget() -> None:
    """Objects of the graphs before."""
    GIVEN.clear()


def tensors() -> st.SearchStrategy:
    """What may stand where a MASK or an IMAGE belongs."""
    shapes = [(1, 16, 16), (2, 16, 16), (1, 1, 1), (1, 7, 300), (16, 16), (0, 8, 8), (1, 8, 8, 3), (1, 8, 8, 4)]
    fills = [0.0, 1.0, 0.5, -1.0, NAN, INFINITE, 1e30]
    return st.builds(torch.full, st.sampled_from(shapes), st.sampled_from(fills))


def latents() -> st.SearchStrategy:
    def made(size, batch, channels, value):
        out = latent(*size, batch, channels, seed=3)
        return out if value is None else {"samples": torch.full_like(out["samples"], value)}

    values = st.sampled_from([None, None, None, 0.0, NAN, INFINITE, 1e20])
    return st.builds(made, st.sampled_from(SIZES), st.integers(0, 3), st.sampled_from([4, 4, 4, 16]), values)


def texts() -> st.SearchStrategy:
    """What may stand where a CONDITIONING belongs."""
    shapes = [(1, 77, 128), (1, 154, 128), (1, 1, 128), (2, 77, 128), (1, 77, 768), (77, 128)]
    extras = [{}, {"mask": torch.ones(1, 8, 8)}, {"area": (4, 4, 0, 0)}, {"start_percent": 0.5}, {"strength": 0.0}]
    entry = st.tuples(st.sampled_from(shapes).map(torch.ones), st.sampled_from(extras).map(dict))
    return st.lists(entry.map(list), max_size=2)


ODD = st.sampled_from([None, 5, "text", {}, [], (), [1, 2], {"samples": None}, object, NAN])
LINKS = {"MASK": tensors(), "IMAGE": tensors(), "LATENT": latents(), "CONDITIONING": texts()}


def value(given: object) -> st.SearchStrategy:
    """Something for one input of a node: typed in range, typed out of range, or over a link."""
    kind = given.get_io_type()
    if kind in LINKS:
        return st.one_of(LINKS[kind], LINKS[kind], LINKS[kind], ODD).map(Linked)
    if kind in ("FLOAT", "INT"):
        whole = kind == "INT"
        least, most = given.min, min(given.max, given.min + 1000)
        inside = st.integers(least, most) if whole else st.floats(least, most)
        wild = st.integers(-(2**70), 2**70) if whole else st.floats()
        return st.one_of(inside, inside, inside, wild, st.one_of(wild, ODD).map(Linked))
    if kind == "COMBO":
        choices = st.sampled_from(list(given.options))
        return st.one_of(choices, choices, st.sampled_from(TEXTS), st.sampled_from(TEXTS).map(Linked))
    if kind == "BOOLEAN":
        return st.booleans()
    if kind == "STRING":
        return st.one_of(st.sampled_from(TEXTS), st.text(max_size=40), ODD.map(Linked))
    return ODD.map(Linked)


@st.composite
def graphs(draw) -> Drawn:
    """One node with some of its inputs exchanged, or several effects on one MODEL, at any size and batch."""
    how = {"steps": draw(st.sampled_from([1, 2, 3])), "cfg": draw(st.sampled_from([1.0, 4.0, 0.0]))}
    how |= {"denoise": draw(st.sampled_from([1.0, 0.5])), "sampler_name": draw(st.sampled_from(SAMPLERS))}
    if draw(st.integers(0, 3)) == 0:
        names = draw(st.lists(st.sampled_from(EFFECTS), min_size=1, max_size=4))
        size, batch = draw(st.sampled_from(SIZES)), draw(st.integers(1, 2))
        return Drawn(f"{names} {size} batch {batch} {how}", lambda: stack(names, size, batch, how))
    node = draw(st.sampled_from(NODES))
    inputs = [i for i in OWN[node].GET_SCHEMA().inputs]
    chosen = draw(st.lists(st.sampled_from(inputs), min_size=1, max_size=3, unique_by=lambda i: i.id))
    given = {i.id: draw(value(i)) for i in chosen}
    return Drawn(f"{node} {shown(given)} {how}", lambda: around(node, given, **how))


SAMPLERS = ["euler", "dpmpp_2m", "heun", "dpmpp_2m_sde", "uni_pc", "lcm", "res_multistep"]
EFFECTS = ["regions", "inject", "phrase", "infuse", "sega", "ledits"]


def stack(names: list[str], size: tuple[int, int], batch: int, how: dict) -> dict:
    """Effects one after the other on one MODEL."""
    g = Graph()
    for name in names:
        g.model = patched(g, name, *size)
    picture = g.sample(g.model, size=g.give(latent(*size, batch)), **how)
    g.keep(g.own("LM_RegionPreview", {}, regions=regions(g, {}), latent=picture), "preview")
    return g.nodes


def shown(given: dict) -> str:
    """Inputs in a line; tensors by their shape and first value."""
    return ", ".join(f"{name}={short(item)}" for name, item in given.items())


def short(item: object) -> str:
    if isinstance(item, Linked):
        return f"link({short(item.value)})"
    if isinstance(item, torch.Tensor):
        first = f" of {float(item.flatten()[0]):g}" if item.numel() else ""
        return f"{list(item.shape)}{first}"
    if isinstance(item, dict):
        return "{" + ", ".join(f"{name}: {short(part)}" for name, part in item.items()) + "}"
    if isinstance(item, list | tuple):
        return "[" + ", ".join(map(short, item)) + "]"
    return repr(item)[:60]
