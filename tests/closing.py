"""Streams that another thread closes while they are read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from dynadock import StreamClosed

if TYPE_CHECKING:
    from dynadock.streams.stream import DecodedStream


def check_closed_while_read(stream: DecodedStream) -> None:
    """Read a stream until another thread closes it: the reader is told so."""
    closing = threading.Timer(0.2, stream.close)
    closing.start()
    with pytest.raises(StreamClosed, match="while it was read"):
        list(stream)
    closing.join()
    assert (stream.closed, stream.fileno()) == (True, -1)
