"""Tests as a user without privileges, since root may open and write whatever there is."""

from __future__ import annotations

import contextlib
import os

import pytest

NOBODY = 65534


@contextlib.contextmanager
def without_privileges():
    """Be such a user; a test is skipped where root may not become one."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(NOBODY)
    except PermissionError:
        pytest.skip("root may not become another user here, and may do everything")
    try:
        yield
    finally:
        os.seteuid(0)
