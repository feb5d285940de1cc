"""Which conditioning entry each chunk of a model call's batch belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from torch import Tensor

from ...attention.phrases import Tag
from .track import KEY


@dataclass(frozen=True)
class Entry:
    """One conditioning entry of a run, as the model sees it."""

    name: str
    """The guider's list: positive, negative, middle, ..."""
    uuid: object
    rows: int
    """Of its text as the model gets it; in a batch the host may repeat them to the least common multiple."""
    own: slice
    """Those that its encoder made; the model may put others before or behind them."""
    tag: Tag | None
    """Its words, or None if they were not tracked."""
    area: tuple[int, int, int, int] | None
    """(h, w, y, x) in latent cells, or None for the whole picture."""
    first: float = inf
    """The noise level from which it acts, and `last` where it ends (the host's timestep ranges)."""
    last: float = 0.0

    @property
    def tokens(self) -> int:
        """Rows of its own."""
        return self.own.stop - self.own.start

    @property
    def key(self) -> tuple[str, object]:
        return self.name, self.uuid

    def acts(self, sigma: float) -> bool:
        """Whether it takes part at a noise level, which a schedule gives to seven digits."""
        return self.last * (1 - 1e-6) <= sigma <= self.first * (1 + 1e-6)

    @property
    def negative(self) -> bool:
        return "negative" in self.name


def table(conds: dict[str, list[dict]]) -> dict[tuple[str, object], Entry]:
    """(list name, uuid) -> Entry, for a guider's processed conditionings.

    Where an entry has an area or a ControlNet, the host copies it to the other lists with its uuid and our tag, and
    puts the other list's text in: such a copy shares its text with an earlier entry of its list, whose words it gets.
    """
    entries: dict[tuple[str, object], Entry] = {}
    for name, listed in conds.items():
        owners: dict[int, dict] = {}
        for cond in listed:
            text = cond.get("model_conds", {}).get("c_crossattn")
            owner = owners.setdefault(id(text), cond)
            rows = 0 if text is None else text.cond.shape[1]
            own = slice(0, 0) if text is None else _own(owner, text.cond)
            times = float(cond.get("timestep_start", inf)), float(cond.get("timestep_end", 0.0))
            entry = Entry(name, cond["uuid"], rows, own, owner.get(KEY), _area(cond.get("area")), *times)
            entries.setdefault(entry.key, entry)
    return entries


def _own(cond: dict, text: Tensor) -> slice:
    """Which rows of the text (b, rows, C) that the model gets are the encoder's."""
    if (ids := cond.get("t5xxl_ids")) is not None:  # Anima makes one row of each, and fills up behind
        return slice(0, ids.shape[-1])
    given = cond.get("cross_attn")
    before = text.shape[1] - (text.shape[1] if given is None else given.shape[1])
    if before > 0 and not text[:, :before].any():  # Flux 2 fills up in front
        return slice(before, text.shape[1])
    return slice(0, text.shape[1])


def find(entries: dict[tuple[str, object], Entry], name: str | None, uuid: object) -> Entry | None:
    """The entry of a chunk. A list that another pack copied has no name; then a uuid in one list only will do."""
    if name is not None:
        return entries.get((name, uuid))
    found = [entry for entry in entries.values() if entry.uuid == uuid]
    return found[0] if len(found) == 1 else None


def _area(area: tuple[int, ...] | None) -> tuple[int, int, int, int] | None:
    """(h, w, y, x) of an area in as many dimensions as the latent has (sizes, then starts)."""
    if area is None:
        return None
    dims = len(area) // 2
    return (*area[dims - 2 : dims], *area[2 * dims - 2 :])
