"""One check of each effect on a tiny model: it acts, and its neutral value leaves every bit as it was."""

from __future__ import annotations

from collections.abc import Callable

STEPS, CFG, PHRASE = 2, 3.0, "red dog"
STRENGTHS = (0.0, 0.25, 0.5, 1.0)


class Silent(Exception):
    """An effect that was on changed nothing, or one that was off changed something."""


class Subject:
    """A tiny model with its inputs."""

    def __init__(self, family: object) -> None:
        from pack.tests.reach.oracle import frames_of, noise_of, video

        self.family = family
        self.noise = noise_of(family, frames=frames_of(family))
        self.video = video(self.noise)
        self.positive, self.negative = family.conditioning(), family.conditioning("blurry")
        self.plain = self.paint(family.model())

    def paint(self, model: object, positive: list | None = None):
        """The video of a short run."""
        from pack.tests.reach.oracle import run, video

        given = positive or self.positive, self.negative
        return video(run(model, self.noise, *given, STEPS, CFG))

    def hold(self, off: object, on: object) -> None:
        """Silent: `off` is not the plain picture, or `on` is."""
        import torch

        if not torch.equal(self.paint(off), self.plain):
            raise Silent("its neutral value changes the picture")
        if torch.equal(self.paint(on), self.plain):
            raise Silent("it changes nothing")


def _placed(subject: Subject, model: object, strength: float):
    from pack.attention.regions import Region
    from pack.patches.regions import RegionSettings, place_regions
    from pack.tests.reach.oracle import left_half

    return place_regions(model, (Region(PHRASE, left_half(subject.noise), strength, 0.0),), RegionSettings())


def masses(subject: Subject) -> list[float]:
    """Attention to the phrase from inside of its region at each strength, mean over the calls of one step.

    Which keys and queries these are is seen by changing text and noise, not taken from our table.
    """
    from pack.tests.reach.oracle import Seen, find, run

    found, inside = find(subject.family, subject.noise, subject.positive), []
    for strength in STRENGTHS:
        seen = Seen()
        model = _placed(subject, seen.on(subject.family.model()), strength)
        run(model, subject.noise, subject.positive)
        values = found.mass(seen.calls)[0]
        inside.append(sum(values) / len(values))
    return inside


def regions(subject: Subject) -> dict:
    model = subject.family.model()
    subject.hold(_placed(subject, model, 0.0), _placed(subject, model, 1.0))
    inside = masses(subject)
    if any(weak >= strong for weak, strong in zip(inside, inside[1:], strict=False)):
        raise Silent(f"the mass inside does not rise: {inside}")
    return {"inside": [round(value, 4) for value in inside]}


def capture(subject: Subject) -> None:
    import torch
    from pack.patches.capture import CaptureSettings, capture

    reading, maps = capture(subject.family.model(), CaptureSettings((PHRASE,)))
    if not torch.equal(subject.paint(reading), subject.plain):
        raise Silent("reading changes the picture")
    if not all(layer[:, 0].std() > 0 for layer in maps.runs[0].layers.values()):
        raise Silent("its maps are flat")


def infusion(subject: Subject) -> None:
    from pack.patches.infuse import InfuseSettings, infuse

    samples, model = subject.video.roll(1, -1), subject.family.model()
    off, on = (infuse(model, samples, None, InfuseSettings(weight=w, preset="all")) for w in (0.0, 0.3))
    subject.hold(off, on)


def inject(subject: Subject) -> None:
    from pack.patches.inject import InjectSettings, inject
    from pack.patches.run.window import Window

    samples, model = subject.video.roll(1, -1), subject.family.model()
    off, on = (inject(model, samples, None, InjectSettings(Window(), strength=s))[0] for s in (0.0, 1.0))
    subject.hold(off, on)


def semantic(subject: Subject) -> None:
    from pack.patches.run.concepts import Concept
    from pack.patches.run.window import Window
    from pack.patches.semantic import SemanticSettings, guide

    text, model = subject.family.conditioning("a green beach"), subject.family.model()
    concepts = [Concept(text, scale=scale, window=Window(), threshold=0.5) for scale in (0.0, 5.0)]
    subject.hold(*(guide(model, (concept,), SemanticSettings())[0] for concept in concepts))


def slerp(subject: Subject) -> None:
    """theta 1 is the target's picture bit for bit, theta 0 the prompt's, and half is neither."""
    import torch
    from pack.patches.slerp import TextMove, move_text

    model, target = subject.family.model(), subject.family.conditioning("a green beach")
    pictures = [
        subject.paint(model, move_text(subject.positive, target, None, TextMove(theta))) for theta in (0.0, 0.5, 1.0)
    ]
    goal = subject.paint(model, target)
    if not torch.equal(pictures[0], subject.plain) or not torch.equal(pictures[2], goal):
        raise Silent("its ends are not the two prompts' pictures")
    if torch.equal(pictures[1], subject.plain) or torch.equal(pictures[1], goal):
        raise Silent("half way is one of the ends")


CHECKS: dict[str, Callable[[Subject], dict | None]] = {
    check.__name__: check for check in (regions, capture, infusion, inject, semantic, slerp)
}
