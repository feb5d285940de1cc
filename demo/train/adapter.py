"""Train the IP-Adapter: the look of a scene, told by another that looks alike, beside the frozen U-Net (README.md)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .. import judge
from ..adapter import EMBEDDING, KEYS, TOKENS, WEIGHTS, ImageEncoder
from ..captions import caption
from ..config import CONTEXT
from ..looks import alike
from ..scenes import COLOURS, Scene, render
from .data import scene, to_model
from .frozen import Frozen, Noised, Run, attention_options, averaged, device, of_scenes, options, write
from .unet import explicit_attention


def _reference(index: int) -> np.ndarray:
    """A picture that looks like scene `index`, (128, 128, 3) uint8."""
    other = alike(scene(index), np.random.default_rng((4, index)))
    return (render(other)[0] * 255).round().astype(np.uint8)


def encoder() -> ImageEncoder:
    """The judge's trunk, and its answer what shape is in a cell."""
    state, made = judge.load().state_dict(), ImageEncoder()
    shared = {name.removeprefix("heads."): weight for name, weight in state.items()}
    made.load_state_dict({name: shared.get(name, weight) for name, weight in made.state_dict().items()})
    return made.requires_grad_(False)


@torch.no_grad()
def embeddings(of: ImageEncoder, data: np.ndarray) -> Tensor:
    """(N, 192); sets the encoder's mean and deviation to theirs."""
    with torch.autocast("cpu", torch.bfloat16):
        found = torch.cat([of.embedded(to_model(data[i : i + 128])).float() for i in range(0, len(data), 128)])
    of.mean.copy_(found.mean(0))
    of.std.copy_(found.std(0) + 0.02)  # a channel that never changes stays small
    return (found - of.mean) / of.std


class Adapter(nn.Module):
    """Image embeddings (B, 192) -> tokens, and their keys and values for each cross-attention, as the pack has them."""

    def __init__(self, widths: dict[int, int]) -> None:
        super().__init__()
        self.proj, self.norm = nn.Linear(EMBEDDING, TOKENS * CONTEXT), nn.LayerNorm(CONTEXT)
        self.layers = nn.ModuleDict()
        for number, width in widths.items():
            for name in ("to_k_ip", "to_v_ip"):
                self.layers[f"{number}:{name}"] = nn.Linear(CONTEXT, width, bias=False)
            nn.init.zeros_(self.layers[f"{number}:to_v_ip"].weight)

    def replaces(self, image: Tensor) -> dict:
        """Attention of the U-Net by block, with the picture's added: transformer_options' patches_replace."""
        tokens = self.norm(self.proj(image).view(len(image), TOKENS, CONTEXT))

        def part(number: int):
            k, v = (self.layers[f"{number}:to_{name}_ip"](tokens) for name in "kv")

            def attention(q: Tensor, text_k: Tensor, text_v: Tensor, extra: dict) -> Tensor:
                heads = extra["n_heads"]
                return explicit_attention(None, q, text_k, text_v, heads) + explicit_attention(None, q, k, v, heads)

            return attention

        return {"attn2": {key: part(number) for number, key in KEYS.items()}}

    def exported(self) -> dict[str, Tensor]:
        state = self.state_dict()
        own = {f"image_proj.{name}": state[name] for name in state if not name.startswith("layers")}
        rest = (name for name in state if name.startswith("layers"))
        return own | {f"ip_adapter.{name.removeprefix('layers.').replace(':', '.')}": state[name] for name in rest}


def asked(of: Scene, rng: np.random.Generator) -> str:
    """A caption; 40 % are empty, and half of the rest name no colours and no background: the picture tells them."""
    say = rng.random()
    if say < 0.4:
        return ""
    if say > 0.7:
        return caption(of, rng)
    words = " and ".join(f"a {thing.shape}" for thing in of.things) or "a picture"
    return words if rng.random() < 0.7 else " ".join(w for w in caption(of, rng).split() if w not in COLOURS)


def widths(unet: nn.Module) -> dict[int, int]:
    blocks = {number: getattr(unet, f"{stage}_blocks")[i] for number, (stage, i) in KEYS.items()}
    return {number: block[1].transformer_blocks[0].attn2.to_k.out_features for number, block in blocks.items()}


def train() -> None:
    given = options(__doc__, 20, 2e-3)
    frozen, image_encoder = Frozen(), encoder()
    z = frozen.latents(given.count)
    images = embeddings(image_encoder, of_scenes("alike", _reference, given.count))
    run = Run("adapter", Adapter(widths(frozen.unet)), given)

    def loss_of(rng: np.random.Generator) -> Tensor:
        chosen = rng.integers(0, given.count, given.batch)
        text = frozen.told([asked(scene(i), rng) for i in chosen.tolist()])
        seen = torch.from_numpy(rng.random((given.batch, 1)) > 0.1).float()  # nothing: guidance starts from there
        image = (images[chosen] + 0.1 * torch.randn(given.batch, EMBEDDING)) * seen
        noised = Noised.of(z[chosen].to(device()).float(), early=0.7)
        told = attention_options() | {"patches_replace": run.network.replaces(image.to(device()))}
        return noised.loss(frozen.unet(noised.z, noised.t.float(), text, transformer_options=told))

    run.learn(loss_of)
    network = Adapter(widths(frozen.unet))
    network.load_state_dict(averaged("adapter"))
    whole = {f"image_encoder.{name}": weight for name, weight in image_encoder.state_dict().items()}
    write(WEIGHTS, whole | network.exported())


def main() -> None:
    train()
