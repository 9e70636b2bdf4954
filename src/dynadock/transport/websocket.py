"""Websockets (RFC 6455) over an driver: our handshake, websocket-client's messages."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
from typing import TYPE_CHECKING, Any, cast

from websocket import (
    ABNF,
    WebSocket,
    WebSocketConnectionClosedException,
    WebSocketException,
    WebSocketTimeoutException,
)

from dynadock.errors import (
    ConnectionLost,
    MalformedStream,
    TransportError,
    TruncatedStream,
    Unsupported,
)
from dynadock.transport.faults import placed
from dynadock.wire.coding import too_large

if TYPE_CHECKING:
    import socket

    from dynadock.transport.driver import Driver
    from dynadock.wire.messages import Data, Headers, Request

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION = "13"
_NORMAL = (1000, 1001, 1005)
"""Codes of a close that is no error: done, going away, none given (RFC 6455, section 7.4.1)."""


def with_handshake(request: Request) -> Request:
    """Return a request that also asks for a websocket, with a key of its own."""
    key = base64.b64encode(secrets.token_bytes(16)).decode("ascii")
    asked = {"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": _VERSION}
    return request._replace(headers={**request.headers, **asked})


def agreed(request: Request, driver: Driver) -> WebSocketSource | Driver:
    """Return the websocket that the engine has agreed to; the exchange as it is if it has not."""
    if not driver.is_upgraded:
        return driver
    expected = _accepted(request.headers["Sec-WebSocket-Key"])
    if driver.headers.get("Sec-WebSocket-Accept") != expected:
        problem = "the websocket's handshake was answered with a wrong key"
        raise MalformedStream(f"{driver.endpoint}: {problem}", str(driver.endpoint))
    return WebSocketSource(driver)


def _accepted(key: str) -> str:
    # The RFC wants this digest as proof of understanding; nothing is kept secret by it.
    digest = hashlib.sha1((key + _GUID).encode("ascii"), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


class _Socket:
    """What websocket-client takes for a socket: a driver, whose errors are kept as they were."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._left = b""
        self.error: TransportError | None = None

    def recv(self, size: int) -> bytes:
        try:
            data = self._left or self._driver.receive()
        except TransportError as error:
            self.error = error
            raise
        self._left = data[size:]
        return data[:size]

    def send(self, data: bytes) -> int:
        try:
            self._driver.send(data)
        except TransportError as error:
            self.error = error
            raise
        return len(data)

    def gettimeout(self) -> None:
        """Tell that this waits by itself."""

    def fileno(self) -> int:
        return self._driver.fileno()

    def close(self) -> None:
        self._driver.close()


class _Messages(WebSocket):
    """websocket-client's websocket."""

    def send_close(self, *arguments: Any, **options: Any) -> None:
        # Engines hang up behind their farewell and do not wait for ours (seen on 20.10 to 28.5).
        with contextlib.suppress(ConnectionLost):
            super().send_close(*arguments, **options)

    def pong(self, *arguments: Any, **options: Any) -> None:
        # Who has hung up needs no answer, and what has come from there is still to be read.
        with contextlib.suppress(ConnectionLost):
            super().pong(*arguments, **options)


class WebSocketSource:
    """A websocket as a stream's source: the content of messages, one after the other."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._socket = _Socket(driver)
        # Engines put whatever a container prints into text messages (seen at API 1.27).
        self._messages = _Messages(skip_utf8_validation=True)
        self._messages.sock = cast("socket.socket", self._socket)
        self._messages.connected = True

    @property
    def status(self) -> int:
        """The reply's status code, 101."""
        return self._driver.status

    @property
    def headers(self) -> Headers:
        """The reply's headers."""
        return self._driver.headers

    def receive(self) -> bytes:
        """Return the next message's content, none after the last; raises a TransportError."""
        while True:
            opcode, message = self._next()
            content = cast("bytes", message.data)
            if opcode == ABNF.OPCODE_CLOSE:
                self._check_close(content)
                return b""
            if content:
                return content

    def _next(self) -> tuple[int, ABNF]:
        try:
            opcode, message = self._messages.recv_data_frame()
        except WebSocketConnectionClosedException:
            problem = "the websocket ended without a farewell, so something may be missing"
            raise TruncatedStream(
                f"{self._driver.endpoint}: {problem}", str(self._driver.endpoint)
            ) from None
        except WebSocketTimeoutException as error:
            raise (self._socket.error or error) from None
        except WebSocketException as error:
            raise MalformedStream(f"{self._driver.endpoint}: no websocket: {error}") from error
        return opcode, message

    def _check_close(self, data: bytes) -> None:
        code = int.from_bytes(data[:2], "big") if data else 1000
        if code not in _NORMAL:
            reason = data[2:].decode("utf-8", "replace")
            raise ConnectionLost(
                f"{self._driver.endpoint}: the websocket was closed with code {code} {reason}",
                str(self._driver.endpoint),
            )

    def read_all(self, limit: int | None) -> bytes:
        """Return the content of all messages; TooLarge if that is more than ``limit`` bytes."""
        content = bytearray()
        for data in iter(self.receive, b""):
            content += data
            if limit is not None and len(content) > limit:
                raise placed(too_large(limit), self._driver.endpoint)
        return bytes(content)

    def send(self, data: Data) -> None:
        """Send one binary message; raises a TransportError."""
        try:
            self._messages.send(bytes(data), ABNF.OPCODE_BINARY)
        except WebSocketTimeoutException as error:
            raise (self._socket.error or error) from None

    def close_sending(self) -> None:
        """Raise Unsupported: a websocket closes both ways or none."""
        raise Unsupported(
            "a websocket has no way to end the input and go on reading; attach without one does"
        )

    def close(self) -> None:
        """Close the connection; may be called again."""
        self._driver.close()

    def fileno(self) -> int:
        """Return the connection's descriptor, -1 once closed."""
        return self._driver.fileno()
