"""Train the ControlNet on outline maps beside the frozen U-Net. See README.md."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ..captions import caption
from ..control import WEIGHTS, network
from ..outlines import outline
from ..scenes import SHAPES, Scene
from .data import scene
from .frozen import Frozen, Noised, Run, attention_options, averaged, device, of_scenes, options, write

WIDTHS = (1.6, 2.4, 3.2)  # of the lines, in pixels


def packed_outline(index: int) -> np.ndarray:
    """(128, 128) uint8."""
    return (outline(scene(index), WIDTHS[index % len(WIDTHS)]) * 255).round().astype(np.uint8)


def asked(of: Scene, rng: np.random.Generator) -> str:
    """A caption; 15 % are empty, 25 % name no shape, so that the outline alone tells where and what."""
    say, words = rng.random(), caption(of, rng)
    if say < 0.15:
        return ""
    return " ".join(word for word in words.split() if say > 0.4 or word not in SHAPES)


def start(unet: nn.Module) -> nn.Module:
    """The U-Net's encoder, a random hint encoder, and zero convolutions on the way out."""
    control = network()
    for module in control.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias) if module.bias is not None else None
    encoder = {name: weight for name, weight in unet.state_dict().items() if name in control.state_dict()}
    control.load_state_dict(encoder, strict=False)
    for module in (*control.zero_convs, control.middle_block_out):
        for p in module.parameters():
            nn.init.zeros_(p)
    return control


def controlled(frozen: Frozen, control: nn.Module, noised: Noised, hint: Tensor, text: Tensor) -> Tensor:
    """The U-Net's eps with a ControlNet's outputs added. hint: (B, 3, 128, 128) in 0..1."""
    added = control(noised.z, hint, noised.t.float(), text)
    return frozen.unet(noised.z, noised.t.float(), text, control=added, transformer_options=attention_options())


def train() -> None:
    given = options(__doc__, 25, 1e-3)
    frozen = Frozen()
    z, lines = frozen.latents(given.count), of_scenes("outlines", packed_outline, given.count)
    run = Run("control", start(frozen.unet), given)

    def loss_of(rng: np.random.Generator) -> Tensor:
        chosen = rng.integers(0, given.count, given.batch)
        text = frozen.told([asked(scene(i), rng) for i in chosen.tolist()])
        hint = torch.from_numpy(lines[chosen])[:, None].expand(-1, 3, -1, -1).to(device()).float() / 255
        noised = Noised.of(z[chosen].to(device()).float(), early=0.7)
        return noised.loss(controlled(frozen, run.network, noised, hint, text))

    run.learn(loss_of)
    write(WEIGHTS, averaged("control"))


def main() -> None:
    train()
