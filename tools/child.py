"""Hands over to a child process that ends its own server on Ctrl-C or `kill`."""

import signal
import subprocess
import sys


def hand_over(command: list[str], env: dict[str, str]) -> int:
    """Runs a command to its end and returns its exit code; never kills it (subprocess.call would, 0.25 s after Ctrl-C).

    Ctrl-C reaches the child from the terminal; a SIGTERM is passed on.
    """
    sys.stdout.flush()
    process = subprocess.Popen(command, env=env)
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
    finally:
        signal.signal(signal.SIGTERM, before)
