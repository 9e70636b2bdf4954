"""The half of a stream that never waits: its state, its decoding and its errors.

The other half waits for bytes: `dynadock.streams.stream.Stream` by blocking. Before it waits it
asks `Flow` whether more may come; afterwards it tells `Flow` what came, or how waiting failed.
"""

from __future__ import annotations

import atexit
import contextlib
import enum
import os
import sys
import warnings
import weakref
from typing import TYPE_CHECKING, Generic, NamedTuple, NoReturn, Protocol, TypeVar

from dynadock.call.interpret import stream_error
from dynadock.errors import (
    DynadockError,
    StreamClosed,
    StreamError,
    TooLarge,
    TransportError,
    UnreadStreamWarning,
)
from dynadock.options import LARGEST_REPLY
from dynadock.wire.messages import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dynadock.contract.holding import Holding
    from dynadock.spec.model import Operation
    from dynadock.wire.messages import Data, Headers

Item = TypeVar("Item")


class Connection(Protocol):
    """What a flow needs of the connection that its bytes come from."""

    @property
    def status(self) -> int:
        """The reply's status code."""

    @property
    def headers(self) -> Headers:
        """The reply's headers."""

    def close(self) -> None:
        """Close for good, which unblocks other threads; may be called again."""

    def fileno(self) -> int:
        """Return the descriptor to poll, -1 once closed."""


class Source(Connection, Protocol):
    """A connection whose bytes are waited for by blocking, as `transport.driver.Driver` is."""

    def receive(self) -> bytes:
        """Return some bytes as soon as there are any, none at the end; raises TransportError."""

    def read_all(self, limit: int | None) -> bytes:
        """Return all bytes to the end, at most ``limit``; raises TransportError."""

    def send(self, data: Data) -> None:
        """Send bytes to the peer, after an upgrade; raises TransportError."""

    def close_sending(self) -> None:
        """Half-close: tell the peer that nothing more comes; Unsupported if that is impossible."""


class Origin(NamedTuple):
    """The call that a stream is the reply to: its operation, and the engine's address.

    ``limit`` are the bytes that may be held of it at a time, None for any number: of a value, of a
    line, and of what the caller wants as a whole. ``holding`` looks at what comes, if it is to be
    held against the document.
    """

    operation: Operation
    host: str
    limit: int | None = LARGEST_REPLY
    holding: Holding | None = None

    def __str__(self) -> str:
        return f"{self.operation.operation_id} (API {self.operation.version})"


class State(enum.Enum):
    """Whether a stream is open, and if not, how it ended."""

    OPEN = "open"
    ENDED = "at its end"
    CLOSED = "closed"
    FAILED = "failed"


_ACTING: weakref.WeakSet[Flow] = weakref.WeakSet()
"""Streams for which the engine works while they are open; exit drops them with a warning."""


class Flow:
    """A reply that comes bit by bit over a connection of its own."""

    def __init__(self, connection: Connection, origin: Origin) -> None:
        self._connection = connection
        self._origin = origin
        self._state = State.OPEN
        self._error: BaseException | None = None
        if origin.operation.reply.acts:
            _ACTING.add(self)

    @property
    def status(self) -> int:
        """The reply's status code: 200, or 101 after an upgrade."""
        return self._connection.status

    @property
    def headers(self) -> Headers:
        """The reply's headers."""
        return self._connection.headers

    @property
    def closed(self) -> bool:
        """Whether the connection is closed: at the end, after `close`, or after an error."""
        return self._state is not State.OPEN

    def fileno(self) -> int:
        """Return the connection's descriptor, for select and the like; -1 once closed.

        Polling it does not report data that came with the reply's head or is decoded already.
        """
        return self._connection.fileno()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self._origin}: a stream is one connection, which cannot be copied")

    def __del__(self) -> None:
        # A stream whose constructor failed has no state.
        if hasattr(self, "_state") and not sys.is_finalizing():
            self._drop()

    def _drop(self) -> None:
        if self._cut_off():
            self._warn_of_unread("dropped")
            if not self._origin.operation.reply.acts:
                message = f"{self._origin}: the stream was left open; close it, or use with"
                warnings.warn(message, ResourceWarning, stacklevel=2, source=self)

    def _cut_off(self) -> bool:
        """Close; tell whether there was anything to close."""
        was_open = self._state is State.OPEN
        if was_open:
            self._state = State.CLOSED
            self._connection.close()
            self._forget()
        return was_open

    def _forget(self) -> None:
        """Drop what was received and not returned yet."""

    def _warn_of_unread(self, what: str) -> None:
        if self._origin.operation.reply.acts:
            message = (
                f"{self._origin}: the stream was {what} before its end, so the engine may have"
                " given up what it was doing; .wait() runs it to the end"
            )
            warnings.warn(message, UnreadStreamWarning, stacklevel=3)

    def _may_receive(self) -> bool:
        """Tell whether more may come; raise the error of a stream that failed or was closed."""
        if self._state is State.OPEN:
            return True
        if self._state is State.ENDED:
            return False
        if self._error is not None:
            raise self._error.with_traceback(None)
        raise StreamClosed(f"{self._origin}: the stream is closed")

    def _note_received(self, data: bytes) -> None:
        """Note what was received; no bytes are the end."""
        if not data:
            self._raise_if_closed()
            self._finish()

    def _note_broken(self, error: BaseException) -> None:
        """Note what waiting raised; StreamClosed if that is because the stream was closed."""
        self._raise_if_closed(error)
        self._note_failure(error)

    def _raise_if_closed(self, error: BaseException | None = None) -> None:
        """Raise StreamClosed if somebody closed the stream during the wait."""
        if self._state is State.CLOSED and (error is None or isinstance(error, TransportError)):
            message = f"{self._origin}: the stream was closed while it was read"
            raise StreamClosed(message) from error
        if self._state is State.FAILED and self._error is not None:
            # Sending failed meanwhile, and closed what was being waited for.
            raise self._error.with_traceback(None)

    def _finish(self) -> None:
        """Note that the stream has come to its end."""
        self._state = State.ENDED
        self._connection.close()

    def _fail(self, error: Exception) -> NoReturn:
        """Close and raise; further reads raise the same error again."""
        self._note_failure(error)
        raise error

    def _note_failure(self, error: BaseException) -> None:
        if self._state in (State.OPEN, State.ENDED):
            self._state = State.FAILED
            # An interruption is not the stream's own fault, and must not be raised twice.
            self._error = error if isinstance(error, DynadockError) else None
        self._connection.close()
        self._forget()

    def _placed(self, fault: Exception) -> Exception:
        """Return a decoder's error as one of this stream."""
        if isinstance(fault, TransportError) and not fault.endpoint:
            return type(fault)(f"{self._origin}: {self._origin.host}: {fault}", self._origin.host)
        return fault

    @contextlib.contextmanager
    def _within_limit(self) -> Iterator[None]:
        """Fail with the TooLarge of what gathers the stream."""
        try:
            yield
        except TooLarge as fault:
            if self._state is State.FAILED:
                raise
            self._fail(self._placed(fault))

    def _stream_error(self, message: str, value: Any) -> StreamError:
        head = Reply(self.status, self.headers, b"")
        return stream_error(self._origin.operation, head, self._origin.host, message, value)

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"<{kind} of {self._origin}, {self._state.value}>"


class Decoder(Protocol[Item]):
    """Turns bytes, cut anywhere, into items; an error is kept in ``fault`` until it is raised."""

    fault: Exception | None

    def feed(self, data: bytes) -> list[Item]:
        """Return the items that these bytes complete."""

    def finish(self) -> list[Item] | None:
        """Return the items that the end completes; raise if it comes too early."""


class DecodedFlow(Flow, Generic[Item]):
    """A flow of items; ``_ready`` are those that are decoded and not returned yet."""

    def __init__(self, connection: Connection, origin: Origin, decoder: Decoder[Item]) -> None:
        super().__init__(connection, origin)
        self._decoder = decoder
        self._ready: Iterator[Item] = iter(())

    def _forget(self) -> None:
        # Emptied, not replaced: a loop over this very iterator may be in progress.
        for _ in self._ready:
            pass

    def _is_over(self) -> bool:
        """Tell whether there is nothing more to decode; raise the decoder's error."""
        if self._decoder.fault is not None and self._state in (State.OPEN, State.ENDED):
            self._fail(self._placed(self._decoder.fault))
        return self._state is State.ENDED

    def _at_the_end(self) -> list[Item]:
        """Return the items that the end completes."""
        try:
            return self._decoder.finish() or []
        except TransportError as fault:
            self._fail(self._placed(fault))


# Windows has no fork. A child's streams belong to its parent, which will warn of them.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ACTING.clear)


@atexit.register
def _warn_of_what_is_open() -> None:
    for flow in [*_ACTING]:
        flow._drop()  # noqa: SLF001 - the end of the program is the end of its streams
