"""The time that a part of a bench may take, so that the whole ends when it said it would."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


class Late(BaseException):
    """The time is over; not an Exception, so that nothing on the way takes it for a fault of its own."""


@dataclass
class Log:
    """What did not come to a figure."""

    failed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class Clock:
    """Runs from when it is made."""

    def __init__(self, seconds: float, log: Log) -> None:
        self.end, self.log = time.monotonic() + seconds, log

    @property
    def left(self) -> float:
        """Seconds."""
        return self.end - time.monotonic()

    def do(self, name: str, work: Callable[[], T]) -> T | None:
        """What `work` gives; None, with an entry in the log, where it fails or there is no time for (all of) it.

        Work that is itself made of such pieces is interrupted in these alone, from the first one on.
        """
        try:
            with self._alarm():
                return work()
        except Late:
            self.log.left_out.append(name)
        except Exception as error:  # noqa: BLE001, a failure is a figure, not the end of the bench
            self.log.failed.append(f"{name}: {type(error).__name__}: {first_line(error)}")
        return None

    @contextmanager
    def _alarm(self) -> Iterator[None]:
        """Raises Late when the time is over; where the system has no alarm (Windows), only at the beginning."""
        if self.left <= 0:
            raise Late
        if not hasattr(signal, "setitimer"):
            yield
            return
        before = signal.signal(signal.SIGALRM, _late)
        signal.setitimer(signal.ITIMER_REAL, self.left)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def first_line(error: BaseException) -> str:
    """At most 200 characters."""
    return (str(error).strip().splitlines() or [""])[0][:200]


def _late(*_: object) -> None:
    raise Late
