"""A kept subject beside an IP-Adapter and beside an edit, and a region that a first pass found."""

from __future__ import annotations

from dataclasses import replace

import comfy.sample
from torch import Tensor

from ..attention.regions import Region
from ..demo import judge
from ..demo.backdrops import STYLES
from ..demo.captions import phrase, prompt, thing_words
from ..demo.scenes import Scene
from ..patches.capture import CaptureSettings, capture
from ..patches.inject import inject
from ..patches.regions import RegionSettings, place_regions
from ..patches.run.concepts import Concept
from ..patches.semantic import SemanticSettings, guide
from .chained import Chains, seen
from .keep_cases import Case
from .keep_subject import DENOISE, ours
from .keeping import Verdict, grown, judged
from .looks import adapted, pictures
from .paint import CFG, STEPS, noise_of, paint, tagged


def keep(chains: Chains, case: Case, text: str, seed: int, dress) -> Tensor:
    """(1, 128, 128, 3): the case's subject kept by the node's defaults in what `text` asks for.

    dress(model, mask) -> the model with another effect; mask (1, H, W) is the subject's.
    """
    picture, mask = case.draw()
    mask = grown(mask[None])
    latent = chains.vae.encode(picture[None])
    model = dress(inject(chains.model, latent, mask, ours())[0], mask)
    given = (model, noise_of(latent, [seed]), STEPS, CFG, "dpmpp_2m", "karras", tagged(chains.clip, text), chains.empty)
    out = comfy.sample.sample(*given, latent, denoise=DENOISE, seed=seed, disable_pbar=True)
    return chains.vae.decode(out)


def beside_adapter(chains: Chains, case: Case, seed: int) -> Verdict:
    """The scene is not in the prompt: a picture of an empty one gives it."""
    look = pictures([replace(case.asked, things=())])

    def dress(model, mask):
        return adapted(model, chains.adapter, look, attn_mask=1 - mask)

    made = keep(chains, case, thing_words(case.asked.things[0]), seed, dress)
    return judged(chains.judge, [case], made)[0]


def beside_edit(chains: Chains, case: Case, seed: int) -> tuple[Verdict, bool]:
    """The new scene is in the prompt, a style is added by an edit; whether it came."""
    text, style = prompt(case.asked), STYLES[1 + seed % (len(STYLES) - 1)]
    concept = Concept(tagged(chains.clip, f"{text} {style}"), threshold=0.0)

    def dress(model, mask):
        return guide(model, (concept,), SemanticSettings(against="auto"))[0]

    made = keep(chains, case, text, seed, dress)
    return judged(chains.judge, [case], made)[0], judge.read(chains.judge, made)[0].style == style


def second_pass(chains: Chains, scene: Scene, seed: int) -> bool | None:
    """Whether the thing of one picture stands at its place in one of another seed; None where the first had none.

    Its words are captured in the first pass, their mask is its region in the second.
    """
    thing, text = scene.things[0], tagged(chains.clip, prompt(scene))
    model, maps = capture(chains.model, CaptureSettings((phrase(thing),), True))
    first = judge.read(chains.judge, paint(model, chains.vae, text, chains.empty, [seed]))[0]
    mask, own = seen(maps, phrase(thing)), first.of(thing.shape, thing.colour)
    if not own or not mask.any():
        return None
    model = place_regions(chains.model, (Region(phrase(thing), mask),), RegionSettings())
    after = judge.read(chains.judge, paint(model, chains.vae, text, chains.empty, [seed + 1]))[0]
    return any(judge.overlap(own[0].cells, found.cells) > 0.5 for found in after.of(thing.shape, thing.colour))
