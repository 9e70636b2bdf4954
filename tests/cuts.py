"""Bytes cut for decoders, which have to take them however they come."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dynadock.wire.http1 import BodyDecoder


def parts(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Return ``data`` cut at the places given, as far as it goes; parts may be empty."""
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def steps(data: bytes, size: int) -> list[bytes]:
    """Return ``data`` cut into parts of one size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def decoded(decoder: BodyDecoder, pieces: Iterable[bytes]) -> bytes:
    """Return what a body's decoder makes of pieces that come one by one."""
    return b"".join(map(decoder.feed, pieces))
