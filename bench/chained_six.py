"""All six effects in one graph, in both orders, and each of them alone in the same graph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from ..attention.regions import Region
from ..demo import judge
from ..demo.backdrops import BACKGROUNDS, STYLES
from ..demo.captions import phrase, thing_words
from ..demo.scenes import Scene, Thing
from ..demo.train.data import TEST_SEED
from ..nodes.inputs.weights import FOCUS, OUTSIDE, STRENGTH
from ..patches.capture import CaptureSettings, capture
from ..patches.infuse import InfuseSettings, infuse
from ..patches.inject import inject
from ..patches.regions import RegionSettings, place_regions
from ..patches.run.concepts import Concept
from ..patches.run.window import Window
from ..patches.semantic import SemanticSettings, guide
from ..patches.slerp import TextMove, move_text
from .asked import Box
from .chained import Chains, around, seen
from .infuser import SHARE
from .keep_cases import drawn as scene_drawn
from .keep_subject import ours
from .keeping import grown
from .looks import pictures
from .paint import paint, tagged
from .placing import drawn, inside

EVERY = ("capture", "regions", "semantic", "inject", "infuse", "slerp")
THETA, WEIGHT, SAME = 1.0, 3.0, 0.6
LATE = 0.25
"""Where style and edit begin, once things have their places; chosen on scenes from 60,000 on."""


@dataclass(frozen=True)
class Six:
    """One thing of a picture to keep, another in a region, striped by an edit; a background and a style from aside."""

    kept: Thing
    other: Thing
    box: Box
    backdrop: str
    style: str
    seed: int

    @property
    def words(self) -> str:
        """Of the other thing, plain."""
        return phrase(self.other)

    def text(self, striped: bool = False, style: bool = False) -> str:
        things = f"{thing_words(self.kept)} and {thing_words(replace(self.other, striped=striped))}"
        return f"{things} {self.style}" if style else things


def sixes(scenes: list[Scene], seed: int) -> list[Six]:
    """Of scenes of two things that differ in shape and colour."""
    found = []
    for scene in scenes:
        one, other = (replace(thing, striped=False) for thing in scene.things)
        rng = np.random.default_rng((TEST_SEED, 6, scene.seed))
        if one.shape != other.shape and one.colour != other.colour:
            style = str(rng.choice(STYLES[1:]))
            backdrop = str(rng.choice([name for name in BACKGROUNDS if name != scene.background]))
            found.append(Six(one, other, around(other), backdrop, style, seed + len(found)))
    return found


class Graph:
    """The graph of a case, with some of the effects."""

    def __init__(self, chains: Chains, case: Six) -> None:
        self.chains, self.case, self.maps, self.styled = chains, case, None, False
        alone = Scene((case.kept,), case.backdrop, "")
        picture, masks = scene_drawn(alone)
        self.latent, self.mask = chains.vae.encode(picture[None]), grown(masks)

    def made(self, *effects: str) -> tuple[Tensor, dict[str, float]]:
        """The picture (H, W, 3), and what each effect did there, 0..1; in the effects' order."""
        chains, case, self.styled = self.chains, self.case, "slerp" in effects
        model = chains.model
        for name in effects:
            model = model if name == "slerp" else getattr(self, f"_{name}")(model)
        made = paint(model, chains.vae, self._told(), chains.empty, [case.seed])
        reading = judge.read(chains.judge, made)[0]
        return made[0], self._done(reading, "capture" in effects)

    def _done(self, reading: judge.Reading, captured: bool) -> dict[str, float]:
        case = self.case
        share = judge.coverage(self.mask.numpy())[0]
        own, kept = (reading.of(thing.shape, thing.colour) for thing in (case.other, case.kept))
        done = {
            "regions": any(inside(found.cells, case.box) for found in own),
            "semantic": any(found.striped for found in own),
            "inject": any((found.cells * share).sum() >= SAME * found.cells.sum() for found in kept),
            "infuse": reading.background == case.backdrop,
            "slerp": reading.style == case.style,
        }
        if captured and own:
            cells = judge.coverage(seen(self.maps, case.words).numpy())[0] > 0.5
            done["capture"] = max(judge.overlap(cells, found.cells) for found in own)
        return {name: float(value) for name, value in done.items()}

    def _told(self, striped: bool = False) -> list:
        """The prompt, or the edit's; the slider moves both, else the edit would take the style back."""
        plain = tagged(self.chains.clip, self.case.text(striped))
        if not self.styled:
            return plain
        late = TextMove(THETA, start_percent=0.0 if striped else LATE)  # an edit is one text, with a start of its own
        return move_text(plain, tagged(self.chains.clip, self.case.text(striped, style=True)), None, late)

    def _capture(self, model):
        model, self.maps = capture(model, CaptureSettings((self.case.words,), True))
        return model

    def _regions(self, model):
        region = Region(self.case.words, drawn(self.case.box), STRENGTH, OUTSIDE, focus=FOCUS)
        return place_regions(model, (region,), RegionSettings())

    def _semantic(self, model):
        concept = Concept(self._told(striped=True), window=Window(LATE, 1.0), threshold=0.0)
        return guide(model, (concept,), SemanticSettings(against="auto"))[0]

    def _inject(self, model):
        return inject(model, self.latent, self.mask, ours())[0]

    def _infuse(self, model):
        empty = self.chains.vae.encode(pictures([Scene((), self.case.backdrop, "")]))
        return infuse(model, empty, None, InfuseSettings(WEIGHT, **SHARE))


def jobs(chains: Chains, cases: list[Six]) -> dict[str, dict[str, float]]:
    """alone, forth and back: effect -> mean over the cases of what it did."""
    rows: dict[str, dict[str, list[float]]] = {way: {name: [] for name in EVERY} for way in ("alone", "forth", "back")}
    for case in cases:
        graph = Graph(chains, case)
        for name in EVERY:
            done = graph.made(name)[1]
            rows["alone"][name] += [done[name]] if name in done else []
        for way, order in (("forth", EVERY), ("back", EVERY[::-1])):
            for name, value in graph.made(*order)[1].items():
                rows[way][name].append(value)
    return {way: {k: float(np.mean(v)) if v else 0.0 for k, v in one.items()} for way, one in rows.items()}
