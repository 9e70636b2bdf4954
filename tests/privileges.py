"""Tests as a user without privileges, since root may open and write whatever there is."""

from __future__ import annotations

import contextlib
import os

import pytest

from lacking import give_up

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
        give_up("root may not become another user here, so that nothing is forbidden to it")
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


def need_root():
    """Give up where this user may not give files away."""
    if os.getuid() != 0:
        give_up("only root may give files away")


def give_away(path):
    """Make such a user the owner of a file or a folder; a test is skipped where we may not."""
    try:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    except PermissionError:
        give_up("only root may give files away")
