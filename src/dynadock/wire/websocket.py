"""Websockets on either side (RFC 6455), without any input or output of its own.

The handshake is ours, the frames and their rules are those of the library named websockets, which
takes a while to import: this module is for those who open a websocket.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from typing import TYPE_CHECKING

from websockets.exceptions import PayloadTooBig
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side

from dynadock.errors import ConnectionLost, MalformedStream, TruncatedStream
from dynadock.wire.coding import too_large

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.wire.messages import Data, Request

_KEY = "Sec-WebSocket-Key"
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION = "13"
_DONE = 1000
_NORMAL = (_DONE, 1001, 1005)
"""Codes of a close that is no error: done, going away, none given (RFC 6455, section 7.4.1)."""

_CONTENT = (Opcode.BINARY, Opcode.TEXT, Opcode.CONT)

# The library would log what frames hold, and in some releases fail over text that is no UTF-8.
_SILENT = logging.Logger(__name__, logging.CRITICAL + 1)  # noqa: LOG001 - nobody can turn it on


def with_handshake(request: Request) -> Request:
    """Return a request that also asks for a websocket, with a key of its own."""
    key = base64.b64encode(secrets.token_bytes(16)).decode("ascii")
    asked = {_KEY: key, "Sec-WebSocket-Version": _VERSION}
    return request.with_headers(asked)


def check_handshake(request: Request, headers: Mapping[str, str]) -> None:
    """Raise MalformedStream unless a reply's ``headers`` answer the key that a request asked with.

    ``request`` is what `with_handshake` made, ``headers`` are those of a reply that upgrades.
    """
    if headers.get("Sec-WebSocket-Accept") != accepted(request.headers[_KEY]):
        raise MalformedStream("the websocket's handshake was answered with a wrong key")


def answer_handshake(headers: Mapping[str, str]) -> dict[str, str]:
    """Return a reply's headers that agree to the websocket that a request's ``headers`` ask for.

    Raises MalformedStream if they do not ask for one (RFC 6455, section 4.2.1).
    """
    if headers.get("Upgrade", "").lower() != "websocket":
        raise MalformedStream("not websocket protocol")
    key = headers.get(_KEY, "")
    if not key:
        raise MalformedStream("mismatch challenge/response")
    if headers.get("Sec-WebSocket-Version") != _VERSION:
        raise MalformedStream("missing or bad WebSocket Version")
    return {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": accepted(key),
    }


def accepted(key: str) -> str:
    """Return what a server answers to a key (RFC 6455, section 4.2.2)."""
    # The RFC wants this digest as proof of understanding; nothing is kept secret by it.
    digest = hashlib.sha1((key + _GUID).encode("ascii"), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


class WebSocketCodec:
    """The messages of a websocket after its handshake: decoded as they come, and written.

    ``done`` tells that the engine has closed the websocket in a normal way, ``fault`` what was
    wrong: a MalformedStream, TooLarge for a message of more than ``limit`` bytes (in one frame or
    in several), or a ConnectionLost for a close that is none. ``rest`` is always empty: nothing
    counts behind a close.
    """

    def __init__(self, limit: int | None = None, side: Side = Side.CLIENT) -> None:
        self.done = False
        self.fault: Exception | None = None
        self.rest = b""
        self._limit = limit
        self._protocol = Protocol(side, max_size=limit, logger=_SILENT)
        self._outgoing = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the content of the messages in ``data``, fragments of one as they come.

        Text is taken as it comes, UTF-8 or not: engines put whatever a container prints into text
        messages (seen at API 1.27). What is to be sent in answer, `outgoing` has.
        """
        if self.done or self.fault is not None:
            return []
        self._protocol.receive_data(data)
        # An answer to the latest ping is enough (RFC 6455, section 5.5.3): those that nobody took
        # give way to it and do not pile up.
        self._outgoing = b"".join(self._protocol.data_to_send()) or self._outgoing
        content = [
            bytes(event.data)
            for event in self._protocol.events_received()
            if isinstance(event, Frame) and event.opcode in _CONTENT and event.data
        ]
        self._note_end()
        return content

    def outgoing(self) -> bytes:
        """Return what is to be sent in answer to what was fed, once: pongs, our half of the close.

        To be asked for after each `feed`. Engines hang up right behind their close and do not wait
        for ours (seen on 20.10 to 28.5), so that sending it may fail.
        """
        outgoing, self._outgoing = self._outgoing, b""
        return outgoing

    @staticmethod
    def message(data: Data) -> bytes:
        """Return one binary message as it is sent; a thread may do so while another feeds."""
        return Frame(Opcode.BINARY, bytes(data)).serialize(mask=True)

    def finish(self) -> None:
        """Take note of the connection's end; raises TruncatedStream if no close frame came."""
        if not self.done and self.fault is None:
            raise TruncatedStream(
                "the websocket ended without a close frame, so something may be missing"
            )

    def _note_end(self) -> None:
        close, error = self._protocol.close_rcvd, self._protocol.parser_exc
        if close is not None:
            self.fault = _fault_of_close(close, is_inside_message=error is not None)
            self.done = self.fault is None
        elif isinstance(error, PayloadTooBig) and self._limit is not None:
            self.fault = too_large(self._limit, of="a message of the websocket")
        elif error is not None:
            self.fault = MalformedStream(f"what came is not a frame of a websocket: {error}")
            self.fault.__cause__ = error


class WebSocketServerCodec(WebSocketCodec):
    """The messages of a websocket as whoever serves it decodes and writes them.

    ``is_text`` tells that they are text messages, as engines send them up to API 1.27.
    """

    def __init__(self, limit: int, *, is_text: bool) -> None:
        super().__init__(limit, Side.SERVER)
        self._opcode = Opcode.TEXT if is_text else Opcode.BINARY

    def message_to_client(self, data: bytes) -> bytes:
        """Return one message as it is sent to a client."""
        return Frame(self._opcode, data).serialize(mask=False)

    @staticmethod
    def close() -> bytes:
        """Return the close in a normal way, as it is sent to a client."""
        return Frame(Opcode.CLOSE, Close(_DONE, "").serialize()).serialize(mask=False)


def _fault_of_close(close: Close, *, is_inside_message: bool) -> Exception | None:
    if close.code not in _NORMAL:
        problem = f"the websocket was closed with code {int(close.code)} {close.reason}"
        return ConnectionLost(problem.rstrip())
    if is_inside_message:
        return TruncatedStream(
            "the websocket was closed in the middle of a message, so something is missing"
        )
    return None
