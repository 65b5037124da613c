"""Tests that only compute give way to calls: a call that is late lasts longer and costs more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

COMPUTE = (
    "tests/live/",
    "tests/local/api/",
    "tests/local/engine/answers/",
    "tests/local/engine/language/",
    "tests/local/engine/sight/",
    "tests/test_setup.py",
    "tests/test_tutorial.py",
    "tests/test_wheel.py",
)
"""Beginnings of the paths of such tests."""

NICE = 10


@contextmanager
def giving_way(nodeid: str) -> Iterator[None]:
    """Lowers the priority during such a test, where this user may raise it again."""
    if not nodeid.startswith(COMPUTE) or os.geteuid() != 0:
        yield
        return
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, usual + NICE)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, usual)
