"""Sessions over websockets: what is attached to a process by messages instead of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.wire.websocket import WebSocketServerCodec

if TYPE_CHECKING:
    from dynadock.simulation.state.sessions import Session

LONGEST_MESSAGE = 16 * 1024 * 1024
"""Bytes of a message that a client may send."""


class WebSocketSession:
    """A session whose bytes are those of a websocket, behind its handshake.

    It is used as a `Session` is: whoever carries its bytes does not look at them.
    """

    def __init__(self, session: Session, *, is_text: bool) -> None:
        self._session = session
        self._codec = WebSocketServerCodec(LONGEST_MESSAGE, is_text=is_text)
        self._outgoing = b""
        self._has_closed = False

    def take(self) -> bytes | None:
        """Return messages with output, none at the end, None if nothing is there yet."""
        if self._outgoing:
            outgoing, self._outgoing = self._outgoing, b""
            return outgoing
        if self._has_closed:
            return b""
        data = self._session.take()
        if data == b"":
            self._has_closed = True
            return self._codec.close()
        return None if data is None else self._codec.message_to_client(data)

    @property
    def takes_input(self) -> bool:
        """Whether input may be given now, without more waiting than is allowed."""
        return self._session.takes_input

    def feed(self, data: bytes) -> None:
        """Take bytes of the client's messages; its close, or what is no message, is its end."""
        codec = self._codec
        for content in codec.feed(data):
            self._session.feed(content)
        # Its answer to a close, too.
        self._outgoing = codec.outgoing() or self._outgoing
        if (codec.done or codec.fault is not None) and not self._has_closed:
            self._has_closed = True
            self.leave()

    def end(self) -> None:
        """Hang up: nobody who sends nothing more takes part in a websocket."""
        self.leave()

    def leave(self) -> None:
        """Hang up: the caller is gone."""
        self._session.leave()
        self._session.finish()
