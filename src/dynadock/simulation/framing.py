"""Frames as engines write them: channel, three zeros, four bytes of length, then the output."""

from __future__ import annotations

from struct import Struct

_HEADER = Struct(">BxxxL")


def frame(channel: int, data: bytes) -> bytes:
    """Return output as one frame; the documents describe the format at ContainerAttach."""
    return _HEADER.pack(channel, len(data)) + data
