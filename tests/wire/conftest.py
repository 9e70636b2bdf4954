"""What wire tests share: nothing that they open may outlive them."""

from __future__ import annotations

import gc
import threading

import pytest

PATIENCE = 5


@pytest.fixture(autouse=True)
def nothing_left_open():
    """Let forgotten sockets warn while it is known whose they are; warnings are errors."""
    before = set(threading.enumerate())
    yield
    gc.collect(1)
    for each in {*threading.enumerate()} - before:
        # What was told to end may take a moment; rich does not wait for its own.
        each.join(PATIENCE)
    assert set(threading.enumerate()) <= before
