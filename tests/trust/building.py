"""Builds API graphs in which one of our nodes stands where it belongs, on TinyScenes, with inputs of any kind."""

from __future__ import annotations

import json
import uuid

import torch
from pack.tests.trust.executor import GIVEN, OWN, tiny_scenes

PROMPT = "a red circle and a blue square on grass"
PHRASE = "red circle"


def defaults(node: str) -> dict:
    inputs = OWN[node].GET_SCHEMA().inputs
    return {i.id: i.default for i in inputs if getattr(i, "default", None) is not None}


def latent(height: int = 8, width: int = 8, batch: int = 1, channels: int = 4, seed: int | None = None) -> dict:
    shape = (batch, channels, height, width)
    if seed is None:
        return {"samples": torch.zeros(shape)}
    return {"samples": torch.randn(shape, generator=torch.Generator().manual_seed(seed))}


class Linked:
    """A value that comes over a link, past the host's checks."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"link({self.value!r})"


class Graph:
    """Grows node by node; `nodes` is the API graph."""

    def __init__(self, prompt: str = PROMPT) -> None:
        self.nodes: dict[str, dict] = {}
        self.model, self.clip, self.vae = (self.give(part) for part in tiny_scenes())
        self.positive, self.negative = self.text(prompt), self.text("")

    def add(self, kind: str, **inputs: object) -> list:
        """A link to the new node's first output."""
        name = str(len(self.nodes) + 1)
        resolved = {key: self.give(v.value) if isinstance(v, Linked) else v for key, v in inputs.items()}
        name = str(len(self.nodes) + 1)
        self.nodes[name] = {"class_type": kind, "inputs": resolved}
        return [name, 0]

    def own(self, kind: str, given: dict, **inputs: object) -> list:
        """One of our nodes: its defaults, then `inputs`, then what is `given`."""
        return self.add(kind, **{**defaults(kind), **inputs, **given})

    def give(self, value: object) -> list:
        key = uuid.uuid4().hex
        GIVEN[key] = value
        return self.add("TRUST_Give", key=key)

    def text(self, text: str) -> list:
        return self.add("CLIPTextEncode", text=text, clip=self.clip)

    def keep(self, link: list, key: str, output: int = 0) -> None:
        self.add("TRUST_Keep", value=[link[0], output], key=key)

    def sample(self, model: list, size: list | None = None, **given: object) -> list:
        size = size or self.give(latent())
        how = dict(seed=1, steps=2, cfg=4.0, sampler_name="euler", scheduler="normal", denoise=1.0)
        texts = {"positive": self.positive, "negative": self.negative, "latent_image": size}
        out = self.add("KSampler", model=model, **{**how, **texts, **given})
        self.keep(out, "picture")
        return out


def regions(g: Graph, given: dict, kind: str = "LM_PhraseRegion") -> list:
    base = {
        "LM_PhraseRegion": {"phrase": PHRASE, "mask": Linked(torch.ones(1, 16, 16))},
        "LM_RegionsFromMasks": {"phrases": PHRASE, "masks": Linked(torch.ones(1, 16, 16))},
        "LM_RegionsFromColorMap": {"phrases": PHRASE, "image": Linked(torch.zeros(1, 16, 16, 3))},
        "LM_RegionsFromBoxes": {"phrases": PHRASE, "boxes": Linked([[0, 0, 512, 1024]])},
        "LM_RegionCanvas": {"drawing": json.dumps({"regions": [{"phrase": PHRASE, "box": [0, 0, 0.5, 1]}]})},
    }
    return g.own(kind, given, **base[kind])


def around(node: str, given: dict, **how: object) -> dict:
    """A graph that uses `node` with these inputs, and keeps what comes out; how: the sampler's inputs."""
    g = Graph()
    picture = {"latent": Linked(latent(seed=1))}
    if node == "LM_PhraseRegion" or node.startswith(("LM_RegionsFrom", "LM_RegionCanvas")):
        g.sample(
            g.add(
                "LM_RegionAttention", **defaults("LM_RegionAttention"), model=g.model, regions=regions(g, given, node)
            ),
            **how,
        )
    elif node == "LM_RegionAttention":
        g.sample(g.own(node, given, model=g.model, regions=regions(g, {})), **how)
    elif node in ("LM_LatentCacheInject", "LM_InfusionBias", "LM_LoadGuidance"):
        g.sample(g.own(node, given, model=g.model, **({} if node == "LM_LoadGuidance" else picture)), **how)
    elif node in ("LM_EditConcept", "LM_SemanticGuidance"):
        concept = g.own("LM_EditConcept", given if node == "LM_EditConcept" else {}, conditioning=g.text("at sunset"))
        g.sample(
            g.own("LM_SemanticGuidance", {} if node == "LM_EditConcept" else given, model=g.model, concepts=concept),
            **how,
        )
    elif node == "LM_ClipSlerpAugment":
        g.positive = g.own(node, given, base=g.positive, target=g.text("a dog"))
        g.sample(g.model, **how)
    else:
        read(g, node, given, **how)
    return g.nodes


def read(g: Graph, node: str, given: dict, **how: object) -> None:
    """The nodes whose own output is what counts."""
    outputs = len(OWN[node].GET_SCHEMA().outputs)
    if node == "LM_AttentionCapture":
        made = g.own(node, given, model=g.model, phrase=PHRASE)
        g.keep(g.own("LM_MaskFromAttentionMaps", {}, maps=[made[0], 1], latent=g.sample(made, **how)), "mask")
        return
    if node in MADE:
        kind, inputs = MADE[node]
        made = inputs(g, kind)
        out = g.own(node, given, maps=[made[0], 1], latent=g.sample(made, **how))
    else:
        out = g.own(node, given, **READ[node](g))
    for i in range(outputs):
        g.keep(out, f"output {i}", i)


def _injected(g: Graph, kind: str) -> list:
    return g.own(kind, {}, model=g.model, latent=Linked(latent(seed=1)), start_percent=0.0, end_percent=1.0)


def _guided(g: Graph, kind: str) -> list:
    concept = g.own("LM_EditConcept", {}, conditioning=g.text("at sunset"), start_percent=0.0)
    return g.own(kind, {}, model=g.model, concepts=concept)


MADE = {
    "LM_MaskFromAttentionMaps": ("LM_AttentionCapture", lambda g, kind: g.own(kind, {}, model=g.model, phrase=PHRASE)),
    "LM_InjectedMasks": ("LM_LatentCacheInject", _injected),
    "LM_EditMapsToImage": ("LM_SemanticGuidance", _guided),
    "LM_SaveGuidance": ("LM_SemanticGuidance", _guided),
}
READ = {
    "LM_SubjectMaskFromAttention": lambda g: dict(
        model=g.model, conditioning=g.positive, latent=g.give(latent(seed=1)), phrase=PHRASE
    ),
    "LM_RegionPreview": lambda g: dict(regions=regions(g, {}), latent=g.give(latent()), conditioning=g.positive),
    "LM_LabelledGrid": lambda g: dict(images=g.give(torch.rand(2, 32, 32, 3))),
    "LM_SplitSubjectScene": lambda g: dict(text="a dog on a farm"),
    "LM_ValueSweep": lambda g: {},
    "LM_EvenSteps": lambda g: dict(images=g.give(torch.rand(2, 32, 32, 3)), values=g.own("LM_ValueSweep", {}, count=2)),
    "LM_TrackPhrases": lambda g: dict(clip=g.clip),
    "LM_LoadTinyScenes": lambda g: {},
    "LM_LoadTinyScenesControlNet": lambda g: {},
    "LM_LoadTinyScenesIPAdapter": lambda g: {},
}
