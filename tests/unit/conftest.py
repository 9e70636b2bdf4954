"""What unit tests share: programs on the path, a user without privileges, an embedded engine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from docker_config import Programs
from dynadock.embedded import Engine
from privileges import NOBODY, without_privileges


@pytest.fixture
def engine():
    """Give an embedded engine whose clock only the test moves."""
    with Engine(clock="manual", seed=1) as made:
        yield made


@pytest.fixture
def client(engine):
    """Give a client of the embedded engine."""
    with engine.client("1.45", timeout=5) as made:
        yield made


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Let a test put programs on the path, such as credential helpers."""
    return Programs(tmp_path / "bin", monkeypatch)


@pytest.fixture
def as_nobody():
    """Give a folder, and be a user that modes mean something to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "own"
        folder.mkdir()
        folder.parent.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        with without_privileges():
            yield folder
