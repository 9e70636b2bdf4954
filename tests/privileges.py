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
        _lacks("root may not become another user here, so that nothing is forbidden to it")
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def without_configuration():
    """Have no configuration of the docker command: one that may not be read is warned of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", f"{os.devnull}/none")
        yield


def give_away(path):
    """Make such a user the owner of a file or a folder; a test is skipped where we may not."""
    try:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    except PermissionError:
        _lacks("only root may give files away")


def _lacks(reason):
    # Where engines are required, all that a whole run needs is.
    say = pytest.fail if os.environ.get("DYNADOCK_REQUIRE_ENGINES") else pytest.skip
    say(reason)
