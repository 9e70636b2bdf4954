"""What wire tests share: nothing that they open may outlive them."""

from __future__ import annotations

import gc
import threading

import pytest


@pytest.fixture(autouse=True)
def nothing_left_open():
    """Let forgotten sockets warn while it is known whose they are; warnings are errors."""
    before = set(threading.enumerate())
    yield
    gc.collect(1)
    assert set(threading.enumerate()) <= before
