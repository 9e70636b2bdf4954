"""What a driver needs of a connection, whatever it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dynadock.wire.messages import Data

READ = 64 * 1024
"""Bytes to receive at a time: the allocator is slow with blocks beyond 128 KiB (bench/)."""


class Link(Protocol):
    """Bytes in both directions, each of which ends by itself.

    Every method raises OSError when the connection breaks, TimeoutError (an OSError) when the time
    allowed is over. One thread may receive while another sends, and `close` ends both.
    """

    def allow(self, seconds: float | None) -> None:
        """Set the longest wait of each later step, None for ever."""

    def receive(self) -> bytes:
        """Return some bytes as soon as there are any, none at the end."""

    def send(self, data: Data) -> None:
        """Send all of ``data``."""

    def offer(self, data: Data) -> tuple[int, bytes]:
        """Send some of ``data``, or receive what the peer sends before it takes any.

        Return how much was sent, and what came.
        """

    def close_sending(self) -> None:
        """Half-close: tell the peer that nothing more will be sent; it may go on sending."""

    def is_idle(self) -> bool:
        """Tell whether nothing is there to be received, not even the peer's close; never blocks."""

    def close(self) -> None:
        """Close for good, which unblocks other threads; may be called again."""

    def fileno(self) -> int:
        """Return the descriptor to poll, -1 once closed."""
