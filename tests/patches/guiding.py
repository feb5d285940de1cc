"""Edit concepts on the tiny models, and SEGA as a post-CFG hook of the plain host that shares no code with ours."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from pack.tests.tiny_models import FAMILIES, Family, sample
from torch import Tensor

SD1 = FAMILIES["sd1"]


def concept(text: str = "a green beach", family: Family = SD1, rows: int | None = None, **options):
    """Over the whole run, unless options say else; those of `Concept`, start and end for its window."""
    from pack.patches.run.concepts import Concept
    from pack.patches.run.window import Window

    window = Window(options.pop("start", 0.0), options.pop("end", 1.0))
    return Concept(family.conditioning(text, rows), window=window, **options)


def guided(model, *concepts, **settings):
    """SemanticGuidance on a model; settings as SemanticSettings -> model, maps."""
    from pack.patches.semantic import SemanticSettings, guide

    return guide(model, concepts, SemanticSettings(**settings))


def edit(model, *concepts, **settings):
    return guided(model, *concepts, **settings)[0]


def paint(model, family: Family = SD1, size: tuple[int, int] = (16, 16), batch: int = 1, **options) -> Tensor:
    given = family.conditioning(), family.conditioning("blurry")
    return sample(model, family.latent(batch, *size), *given, **{"steps": 4, **options})


def agree(ours: Tensor, explicit: Tensor, plain: Tensor) -> bool:
    """Equal to 1e-4 of the picture's size, and far from the picture without edits.

    But for two values: a threshold is a jump, and rounding may take a value that lies on it to its other side.
    """
    size = explicit.abs().max()
    assert (plain - explicit).abs().max() > 1e-2 * size, "the edits change nothing here"
    return int(((ours - explicit).abs() > 1e-4 * size).sum()) <= 2


@dataclass
class Rows:
    """Notes (sigma, positions of the chunks, latent rows) of every model call: `rows.on(model)`."""

    seen: list[tuple[float, list[int], int]] = field(default_factory=list)

    def on(self, model):
        patched = model.clone()
        patched.set_model_unet_function_wrapper(self._note)
        return patched

    def _note(self, apply_model, args):
        self.seen.append((float(args["timestep"][0]), list(args["cond_or_uncond"]), len(args["input"])))
        return apply_model(args["input"], args["timestep"], **args["c"])

    @property
    def chunks(self) -> list[int]:
        """Of every call."""
        return [len(positions) for _, positions, _ in self.seen]


class Source:
    """SOURCES 2.1 in eps units, by hooks of the host, for one-call samplers.

    A concept's text goes with the options of the sampled positive's first entry. mask: sega or joint; against: "prompt"
    compares with the positive.
    """

    def __init__(
        self, *concepts, s_m: float = 0.1, beta: float = 0.4, mask: str = "sega", outside: str = "source", against=""
    ):
        self.concepts, self.s_m, self.beta, self.mask, self.outside = concepts, s_m, beta, mask, outside
        self.against = against
        self.apart = False
        self.nu, self.told, self.seen = 0.0, None, []

    def on(self, model, positive: list | None = None):
        """positive: as sampled, if its options matter. `apart`: every concept stands alone, at position 0 of a call."""
        patched, self.given = model.clone(), positive or SD1.conditioning()
        patched.set_model_sampler_calc_cond_batch_function(self._predict)
        patched.set_model_sampler_post_cfg_function(self._hook)
        return patched

    def _texts(self, model, x: Tensor) -> list[list[dict]]:
        import comfy.samplers
        from comfy.sampler_helpers import convert_cond

        options = {k: v for k, v in self.given[0][1].items() if k != "pooled_output"}
        texts = [[[c.conditioning[0][0], {**c.conditioning[0][1], **options}]] for c in self.concepts]
        conds = {str(i): convert_cond(text) for i, text in enumerate(texts)}
        return list(comfy.samplers.process_conds(model, x, conds, x.device, torch.zeros_like(x), None, 1).values())

    def _predict(self, args: dict) -> list[Tensor]:
        from comfy.samplers import calc_cond_batch

        conds, x, sigma, model = (args[name] for name in ("conds", "input", "sigma", "model"))
        self.told = self.told or self._texts(model, x)
        texts = [
            t for t, on in zip(self.told, self._computed(float(sigma[0]), model.model_sampling), strict=True) if on
        ]
        if self.apart:
            self.seen = [calc_cond_batch(model, [text], x, sigma, args["model_options"])[0] for text in texts]
            return calc_cond_batch(model, conds, x, sigma, args["model_options"])
        out = calc_cond_batch(model, [*conds, *texts], x, sigma, args["model_options"])
        self.seen = out[len(conds) :]
        return out[: len(conds)]

    def _computed(self, sigma: float, sampling) -> list[bool]:
        to_sigma = sampling.percent_to_sigma
        warm = [self.outside == "source" or sigma <= to_sigma(c.window.start) for c in self.concepts]
        return [on and sigma >= to_sigma(c.window.end) for on, c in zip(warm, self.concepts, strict=True)]

    def _hook(self, args: dict) -> Tensor:
        from comfy.model_sampling import CONST

        x, sampling, sigma = args["input"].double(), args["model"].model_sampling, float(args["sigma"][0])
        noise, signal = (min(sigma, 1 - 1e-6), 1 - min(sigma, 1 - 1e-6)) if isinstance(sampling, CONST) else (sigma, 1)
        base = args["cond_denoised"] if args["uncond"] is None or self.against else args["uncond_denoised"]
        seen, made = iter(self.seen), []
        for one, on in zip(self.concepts, self._computed(sigma, sampling), strict=True):
            eps = [(x - signal * d.double()) / noise for d in (next(seen) if on else base, base)]
            made.append(self._edit(one, eps[0] - eps[1]))
        edits = self._step(made, sigma, sampling)
        return ((x - noise * ((x - signal * args["denoised"].double()) / noise + edits)) / signal).to(args["denoised"])

    def _step(self, made: list[Tensor], sigma: float, sampling) -> Tensor | float:
        warm = [sigma <= sampling.percent_to_sigma(c.window.start) for c in self.concepts]
        over = [sigma < sampling.percent_to_sigma(c.window.end) for c in self.concepts]
        if self.outside == "off" and all(over):
            return 0.0
        weights = [0.0 if late else max(c.weight, 0.0) for c, late in zip(self.concepts, over, strict=True)]
        every = self.s_m * self.nu + sum(w * e for w, e in zip(weights, made, strict=True))
        self.nu = self.beta * self.nu + (1 - self.beta) * every
        now = [w * on for w, on in zip(weights, warm, strict=True)]
        if all(warm):
            return every
        return sum(w / sum(now) * e for w, e in zip(now, made, strict=True) if w) if sum(now) else 0.0

    def _edit(self, one, psi: Tensor) -> Tensor:
        psi = psi * (-one.scale if one.remove else one.scale)
        size = psi.abs().sum(1, keepdim=True) if self.mask == "joint" else psi.abs()
        eta = torch.quantile(size.flatten(2), one.threshold, dim=2).reshape(*size.shape[:2], *[1] * (size.ndim - 2))
        kept = torch.where(size >= eta, psi, 0.0)
        if one.mask is None:
            return kept
        small = torch.nn.functional.interpolate(one.mask[:, None].double(), psi.shape[-2:], mode="area")
        return kept * small.reshape(len(small), *[1] * (psi.ndim - 3), *psi.shape[-2:])


class Watch:
    """Predictions of every model call by list, and the guided one before and after `node`: `watch.on(model, node)`."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, dict[str, Tensor]]] = []
        self.before: list[Tensor] = []
        self.after: list[Tensor] = []
        self.sigmas: list[float] = []

    def on(self, model, node):
        from pack.patches.run.run import Effect, attach

        watch = self

        class Before(Effect):
            def guide(self, run, x, denoised):
                watch.sigmas = run.sigmas
                watch.calls.append((run.sigma, dict(run.predictions)))
                watch.before.append(denoised)
                return denoised

        class After(Effect):
            def guide(self, run, x, denoised):
                watch.after.append(denoised)
                return denoised

        return attach(node(attach(model, Before)), After)

    def differences(self, base: str) -> list[Tensor]:
        """base - concept of every call, for one concept that acts in all."""
        return [
            seen[base] - next(v for k, v in seen.items() if k and k.startswith("lm_concept")) for _, seen in self.calls
        ]

    def edits(self) -> list[Tensor]:
        return [before - after for before, after in zip(self.before, self.after, strict=True)]
