"""The server that tests/live uses too."""

from pack.tests.live.conftest import client, runnable, server  # noqa: F401
