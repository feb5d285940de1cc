"""What one family of transformers is made of: all that effects need to know about a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch.nn import Module

Size = tuple[int, int, int]
"""(frames, h, w)."""


@dataclass(frozen=True)
class Blocks:
    """A list of blocks in a network."""

    name: str
    """The network's attribute."""
    picture: int | None = None
    """Which part of what a block returns holds the picture's tokens; None: it returns one tensor."""
    joint: bool = False
    """Whether that tensor holds the text's tokens too, in the family's order."""
    attention: str = ""
    """The block's module in which picture and text meet; '': the block has one attention."""
    alone: str = ""
    """The block's module in which the picture looks at itself; '': it does so where it meets the text, or unseen."""
    features: bool = True
    """Whether features can enter behind its blocks; not where they only make hints, or are not called as a whole."""


@dataclass(frozen=True)
class Family:
    """Where a transformer keeps its text and its picture."""

    blocks: dict[str, Blocks]
    """By the name that users give them, such as 'double'."""
    order: str | Callable[[Module, dict], str] = "text picture refs"
    """Tokens of an attention call in their order, of cross-attention those of its queries.

    text, picture; refs = the reference pictures that the host counts; a number, beside the text unless in
    cross-attention; '*' = however many others, once.
    Or what makes it of the network and of what a call gives to it.
    """
    cross: bool = False
    """Whether the picture looks at the text alone; else both look at both in one call."""
    call: int = 1
    """Which attention call of the block, or of its module, is the text's, in cross-attention."""
    patch: str | Size = "patch_size"
    """Latent cells of a token, or the network's attribute that says so: a number, (h, w) or (frames, h, w)."""
    fills: bool = False
    """Whether the model fills the text up with rows of its own, so that a prompt is never repeated."""
    unreachable: str = ""
    """Why its attention cannot be reached; features can."""
    wordless: str = ""
    """Why its attention to phrases cannot be reached; the picture's to itself can."""
    moves: bool = False
    """Whether the host moves the picture's positions by `rope_options`, in tokens."""

    def cells(self, network: Module) -> Size:
        """Latent cells of one token."""
        given = getattr(network, self.patch) if isinstance(self.patch, str) else self.patch
        given = (given, given) if isinstance(given, int) else tuple(given)
        return (1, *given)[-3:]

    def modules(self, network: Module) -> dict[str, Module]:
        """The blocks by their names, such as 'double.0'."""
        lists = {kind: getattr(network, blocks.name) for kind, blocks in self.blocks.items()}
        return {f"{kind}.{i}": block for kind, listed in lists.items() for i, block in enumerate(listed)}

    def meeting(self, network: Module) -> dict[str, Module]:
        """Block -> what of it runs the attention in which picture and text meet."""
        return {name: _inside(block, self.kind(name).attention) for name, block in self.modules(network).items()}

    def alone(self, network: Module) -> dict[str, Module]:
        """Block -> its attention of the picture to itself alone, where it has one."""
        modules = self.modules(network).items()
        return {name: _inside(block, self.kind(name).alone) for name, block in modules if self.kind(name).alone}

    def attending(self, network: Module) -> list[str]:
        """The blocks in which the picture looks at itself, alone or beside the text."""
        alone = self.alone(network)
        return [name for name in self.modules(network) if not self.cross or name in alone]

    def kind(self, block: str) -> Blocks:
        """The list to which a block belongs."""
        return self.blocks[block.partition(".")[0]]


def _inside(block: Module, name: str) -> Module:
    return getattr(block, name) if name else block
