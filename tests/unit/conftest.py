"""What unit tests share: programs of the test's own on the path."""

from __future__ import annotations

import pytest

from docker_config import Programs


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Let a test put programs on the path, such as credential helpers."""
    return Programs(tmp_path / "bin", monkeypatch)
