"""A bench ends in time, and a failure is an entry in its log."""

import time

import pytest
from pack.bench.clock import Clock, Log


def test_what_work_gives_and_what_it_raises():
    clock = Clock(60, Log())
    assert clock.do("sum", lambda: 1 + 1) == 2
    assert clock.do("division", lambda: 1 / 0) is None
    assert clock.log == Log(failed=["division: ZeroDivisionError: division by zero"])


def test_work_for_which_no_time_is_left_is_not_begun():
    clock, begun = Clock(0, Log()), []
    assert clock.do("late", lambda: begun.append(1)) is None
    assert not begun and clock.log == Log(left_out=["late"])


@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="this system has no alarm")
def test_work_is_interrupted_and_the_alarm_is_off_afterwards():
    clock, start = Clock(0.2, Log()), time.monotonic()

    def stubborn() -> None:
        while time.monotonic() - start < 30:
            try:
                time.sleep(30)
            except Exception:  # noqa: BLE001, S110, as a compiler that hides faults
                pass

    assert clock.do("endless", stubborn) is None
    assert time.monotonic() - start < 10 and clock.log == Log(left_out=["endless"])
    assert Clock(60, Log()).do("after", lambda: time.sleep(0.3) or 1) == 1
