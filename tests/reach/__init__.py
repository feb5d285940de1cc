"""Tiny random models of further classes of the host, by name: what each effect reaches is measured on them.

A new family of models is an entry of `patches/models/table.py`, a build and an entry here, and nothing else.
"""

from __future__ import annotations

import atexit

from pack.tests.reach import families, images, unets, videos, wans

REACH = {**images.REACH, **videos.REACH, **wans.REACH, **unets.REACH}
atexit.register(families.forget, REACH)


def known(names=REACH) -> list[str]:
    """Those whose class the host has."""
    return [name for name in names if REACH[name].known]
