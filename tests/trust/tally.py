"""What one check counts and finds; `run.py` hands it in, the report merges those of all parts and hosts."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

LONGEST = 600  # characters of a finding


@dataclass
class Tally:
    """Of one part of one check."""

    quick: bool = False
    part: int = 0
    parts: int = 1
    count: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be run, and figures worth a line."""
    data: list = field(default_factory=list)
    """For the appendix: anything that JSON can hold."""
    started: float = field(default_factory=time.monotonic)

    def share(self, items: Sequence, quick: int | None = None) -> list:
        """This part's items; in a quick run only `quick` of all, evenly chosen."""
        items = list(items)
        if self.quick and quick is not None and len(items) > quick:
            items = [items[i * len(items) // quick] for i in range(quick)]
        return items[self.part :: self.parts]

    def fault(self, where: str, what: object) -> None:
        self.faults.append(f"{where}: {what}"[:LONGEST])

    def expect(self, holds: bool, where: str, what: object) -> bool:
        """Counts one case; a fault if it does not hold."""
        self.count += 1
        if not holds:
            self.fault(where, what)
        return holds

    @contextmanager
    def case(self, where: str) -> Iterator[None]:
        """A case whose exceptions are faults: the tier goes on with the next one."""
        try:
            yield
        except Exception as error:  # whatever it is, it belongs into the table
            place = traceback.extract_tb(error.__traceback__)[-1]
            self.fault(where, f"{type(error).__name__}: {error} ({place.name}, line {place.lineno})")

    def result(self) -> dict:
        kept = {name: value for name, value in asdict(self).items() if name in ("count", "faults", "notes", "data")}
        return {**kept, "seconds": round(time.monotonic() - self.started, 1)}


@dataclass(frozen=True)
class Check:
    """A promise, what is run for it, and how."""

    promise: str
    ran: str
    run: Callable[[Tally], None]
    parts: int = 1
    """Processes that share its cases."""
    seconds: int = 900
    """A part that takes longer is ended, and that is a fault."""
