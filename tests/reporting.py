"""What tests/run.py adds to pytest: what did not run, a line per reason, and one live server for two processes."""

from collections import Counter

import pytest


class LeftOut:
    """Says before pytest's last line what did not run and why; `lines` is known before the first test."""

    def __init__(self, lines: list[str]):
        self.lines = lines

    def pytest_terminal_summary(self, terminalreporter) -> None:
        skipped = terminalreporter.stats.get("skipped", [])
        reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
        lines = [*self.lines, *(f"{count} skipped: {reason}" for reason, count in reasons.most_common())]
        if lines:
            terminalreporter.section("not run")
        for line in lines:
            terminalreporter.write_line(" ".join(line.split()))


class OneServer:
    """With `-n`: a file's tests stay together (its fixtures are made once), and so do all tests of the live server."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config, log):
        from xdist.scheduler import LoadFileScheduling

        class ByServer(LoadFileScheduling):
            def _split_scope(self, nodeid: str) -> str:
                return "tests/live" if nodeid.startswith("tests/live/") else super()._split_scope(nodeid)

        return ByServer(config, log) if config.getvalue("dist") == "loadfile" else None
