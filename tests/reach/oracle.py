"""What a model's attention calls really hold, without a word of how our table says they are laid out.

Which keys are a phrase is seen by changing its text rows, which queries are the picture's by changing its noise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from pack.tests.tiny_models import Family
from torch import Tensor

WORDS = slice(2, 4)  # the rows of 'red dog'


@dataclass
class Seen:
    """Keeps (q, k, mask) of every attention call, (B, heads, tokens, D)."""

    calls: list[tuple] = field(default_factory=list)

    def on(self, model):
        """Before our node, so that our override chains it and hands it the mask."""
        patched = model.clone()
        patched.model_options["transformer_options"]["optimized_attention_override"] = self
        return patched

    def __call__(self, func, *args, **kwargs):
        given = dict(zip(("q", "k", "v", "heads", "mask"), args, strict=False)) | kwargs
        q, k = (_heads(given[name], given) for name in "qk")
        self.calls.append((q.clone(), k.repeat_interleave(q.shape[1] // k.shape[1], 1), given.get("mask")))
        return func(*args, **kwargs)


def _heads(tokens: Tensor, given: dict) -> Tensor:
    if given.get("skip_reshape"):
        return tokens
    width = given["q"].shape[-1] // given["heads"]
    return tokens.unflatten(-1, (-1, width)).transpose(1, 2)


def run(model, noise: object, positive: list, negative: list | None = None, steps: int = 1, cfg: float = 1.0) -> object:
    """What the host's sampler makes of this noise."""
    import comfy.sample

    given = (model, noise, steps, cfg, "euler", "normal", positive, negative or positive, noise * 0)
    return comfy.sample.sample(*given, seed=1, disable_pbar=True)


def frames_of(family: Family) -> int:
    """Anima makes pictures, though its latents have an axis of frames."""
    return 3 if family.video and getattr(family, "config", "") != "Anima" else 1


def left_half(noise: object) -> Tensor:
    """A mask (1, H, W) of the picture, of 8 pixels a latent cell."""
    height, width = (8 * side for side in video(noise).shape[-2:])
    mask = torch.zeros(1, height, width)
    mask[..., : width // 2] = 1
    return mask


def noise_of(family: Family, batch: int = 1, frames: int = 1, height: int = 0) -> object:
    """Random, of the shapes that the model samples."""
    import comfy.sample

    size = {"height": height} if height else {}
    latent = comfy.sample.fix_empty_latent_channels(family.model(), family.latent(batch, frames=frames, **size))
    return comfy.sample.prepare_noise(latent, 1)


def video(latent: object) -> Tensor:
    """The picture or video of a latent that may hold sound, too."""
    return latent.unbind()[0] if latent.is_nested else latent


def _seen(family: Family, noise: object, positive: list) -> list[tuple]:
    seen = Seen()
    run(seen.on(family.model()), noise, positive)
    return seen.calls


def _moved(noise: object, columns: slice) -> object:
    """The noise with other values in these columns of the picture."""
    part = video(noise).clone()
    part[..., columns] += 1.0
    if not noise.is_nested:
        return part
    return type(noise)((part, *noise.unbind()[1:]))


def reworded(positive: list) -> list:
    """The conditioning with other vectors, or ids, where 'red dog' is."""
    [[text, options]] = positive
    if "t5xxl_ids" in options:
        ids = options["t5xxl_ids"].clone()
        ids[WORDS] += 100
        return [[text, {**options, "t5xxl_ids": ids}]]
    text = text.clone()
    text[:, WORDS] += torch.randn(1, 2, text.shape[-1], generator=torch.Generator().manual_seed(5))
    return [[text, options]]


@dataclass(frozen=True)
class Found:
    """The first attention call that holds both."""

    keys: list[int]
    inside: Tensor
    """(Q,) bool, queries of the left half of the picture."""
    picture: Tensor
    """(Q,) bool, all of the picture."""
    size: tuple[int, int]
    """(Q, K)."""

    def mass(self, calls: list[tuple]) -> tuple[list[float], list[float]]:
        """Of every call of this size: the phrase's probability, mean over heads and queries, inside and elsewhere."""
        found = [self._mass(*call) for call in calls if (call[0].shape[2], call[1].shape[2]) == self.size]
        return [inside for inside, _ in found], [elsewhere for _, elsewhere in found]

    def _mass(self, q: Tensor, k: Tensor, mask: Tensor | None) -> tuple[float, float]:
        scores = q.double() @ k.double().mT * q.shape[3] ** -0.5
        if mask is not None:
            wide = torch.zeros(mask.shape).double().masked_fill(~mask, -1e30) if mask.dtype == torch.bool else mask
            scores = scores + (wide[:, None] if wide.ndim == 3 else wide)
        seen = scores.softmax(-1)[0].mean(0)[:, self.keys].sum(1)
        return float(seen[self.inside].mean()), float(seen[self.picture & ~self.inside].mean())


def find(family: Family, noise: object, positive: list) -> Found:
    """AssertionError where no call shows both."""
    width = video(noise).shape[-1]
    plain = _seen(family, noise, positive)
    words = _seen(family, noise, reworded(positive))
    left, whole = (_seen(family, _moved(noise, slice(0, end)), positive) for end in (width // 2, width))
    for before, word, half, every in zip(plain, words, left, whole, strict=True):
        if not before[1].numel():  # an image that was not given
            continue
        keys, inside, picture = (_change(before[i], after[i]) for i, after in ((1, word), (0, half), (0, every)))
        if keys.max() > 1e-4 and inside.max() > 1e-4:
            chosen = keys.topk(2).indices.sort().values.tolist()
            if "t5xxl_ids" in positive[0][1]:  # Anima's adapter lets every row see every other, and keeps their order
                chosen = list(range(WORDS.start, WORDS.stop))
            picture = picture > 0.05 * picture.max()
            inside = inside > 0.2 * inside.max()
            if inside.sum() > 0.6 * picture.sum():  # the halves have met before, in an attention to the picture alone
                inside = _left(family, noise, picture)
            return Found(chosen, inside, picture, (before[0].shape[2], before[1].shape[2]))
    raise AssertionError("no attention call shows both the text and the picture")


def _change(before: Tensor, after: Tensor) -> Tensor:
    """Per token, the largest over batch, heads and channels."""
    return (before - after).abs().amax((0, 1, 3))


def _left(family: Family, noise: object, picture: Tensor) -> Tensor:
    """The left half by counting from the picture's first token."""
    height, width = (side // family.patch for side in video(noise).shape[-2:])
    half = torch.zeros(max(1, round(int(picture.sum()) / (height * width))), height, width, dtype=torch.bool)
    half[..., : width // 2] = True
    inside, first = torch.zeros_like(picture), int(picture.nonzero()[0])
    inside[first : first + half.numel()] = half.flatten()
    return inside
