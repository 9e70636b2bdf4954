"""Connections that go both ways: attach, exec, session."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from io import TextIOBase
from typing import IO, TYPE_CHECKING, Any

from dynadock.errors import ConnectionLost, StreamClosed, TimedOut, TransportError, Unsupported
from dynadock.streams.download import ByteStream
from dynadock.streams.flow import State
from dynadock.streams.frames import FrameStream
from dynadock.streams.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock.streams.flow import Origin, Source
    from dynadock.streams.frames import Output
    from dynadock.wire.messages import Data

    Input = Data | Iterable[bytes] | IO[bytes]

_BYTES = (bytes, bytearray, memoryview)
_BLOCK = 64 * 1024

_PATIENCE = 1.0
"""Seconds for the input to notice that nobody reads it any more. Waiting for data (say, from a
keyboard) cannot be interrupted; its thread ends with the next block, or with the program."""


class Sending(Stream):
    """A stream's sending side; one thread may write while another reads."""

    _input_ended = False

    def write(self, data: Data) -> None:
        """Send bytes to the standard input of the command.

        Raises StreamClosed after the stream's end and after `close_stdin`, TransportError if the
        connection breaks.
        """
        if self._input_ended:
            raise StreamClosed(f"{self._origin}: the input was ended")
        self._send(lambda: self._source.send(data))

    def close_stdin(self) -> None:
        """Tell the other side that the input has ended; its output still comes.

        Raises Unsupported if the connection has no way to say so (websockets), otherwise what
        `write` raises. A second call does nothing.
        """
        if not self._input_ended:
            self._send(self._source.close_sending)
            self._input_ended = True

    def _send(self, action: Callable[[], None]) -> None:
        if self._state is not State.OPEN:
            raise StreamClosed(f"{self._origin}: the stream is {self._state.value}")
        try:
            action()
        except TimedOut as error:
            # It is unknown how much of it was sent, so nothing can follow.
            self._raise_if_closed(error)
            self._fail(error)
        except TransportError as error:
            self._raise_if_closed(error)
            raise


class RawDuplex(ByteStream, Sending):
    """Bytes in, bytes out: what `raw` returns for operations that upgrade, and Session always."""


class Duplex(FrameStream, Sending):
    """Output of a container, as in `FrameStream`, and its input."""

    def __init__(
        self,
        source: Source,
        origin: Origin,
        *,
        is_terminal: bool,
        resize: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(source, origin, is_terminal=is_terminal)
        self._resize = resize
        self._writer: _Writer | None = None

    def _receive(self) -> bytes:
        try:
            return super()._receive()
        except ConnectionLost as error:
            was_reset = isinstance(error.__cause__, ConnectionResetError)
            if not was_reset or self._writer is None or self._writer.is_done:
                raise
            # A peer that closes before it has read all input resets the connection (Podman 4.3).
            self._state = State.ENDED
            self._error = None
            return b""

    def resize(self, height: int, width: int) -> None:
        """Set the terminal's size in rows and columns.

        Raises what the resizing operation raises: APIError if there is no terminal, or before the
        container runs; Unsupported if there is no such operation.
        """
        if self._resize is None:
            raise Unsupported(f"{self._origin}: there is no operation to set its terminal's size")
        self._resize(h=height, w=width)

    def communicate(self, data: Input | None = b"") -> Output:
        """Send all of ``data``, then the end of input, and return the output when it has ended.

        ``data`` is bytes, an iterable of bytes, or an open binary file; see `sending`.
        """
        with self.sending(data):
            return self.collect()

    @contextlib.contextmanager
    def sending(self, data: Input | None) -> Iterator[None]:
        """Send all of ``data``, then the end of input, while the ``with`` block reads.

        Writing and reading happen at the same time, so that neither has to wait for the other. It
        is not an error if the other side does not read everything: a command may end without having
        read its input. An exception that ``data`` itself raises is raised by the block. None sends
        nothing and leaves the input open. The stream is closed when the block ends.
        """
        if data is None:
            with self:
                yield
            return
        try:
            check_input(data)
        except TypeError:
            self.close()
            raise
        writer = self._writer = _Writer(self, _blocks(data))
        writer.start()
        try:
            with self:
                yield
        except StreamClosed:
            writer.join(_PATIENCE)
            if writer.broken is None:
                raise
        finally:
            writer.join(_PATIENCE)
        if writer.broken is not None:
            raise writer.broken from None


class _Writer(threading.Thread):
    """Sends input while another thread reads the output; ends with the stream."""

    def __init__(self, duplex: Duplex, blocks: Iterable[Data]) -> None:
        super().__init__(name="dynadock input", daemon=True)
        self._duplex = duplex
        self._blocks = blocks
        self.is_done = False
        self.broken: BaseException | None = None
        """What the caller's own data raised."""

    def run(self) -> None:
        try:
            for block in self._blocks:
                if not self._write(block):
                    return
            with contextlib.suppress(StreamClosed, ConnectionLost):
                self._duplex.close_stdin()
            self.is_done = True
        except BaseException as error:  # noqa: BLE001 - a thread's errors are its starter's to raise
            self.broken = error
            self._duplex.close()

    def _write(self, block: Data) -> bool:
        """Write a block; False if the other side has ended without reading all of its input."""
        try:
            self._duplex.write(block)
        except (StreamClosed, ConnectionLost):
            return False
        return True


def check_input(data: Any) -> bool:
    """Tell whether there is input to send; TypeError for a value that cannot be sent."""
    if data is None or isinstance(data, _BYTES):
        return data is not None
    fits = hasattr(data, "read") or isinstance(data, Iterable)
    if isinstance(data, (list, tuple)):
        fits = all(isinstance(each, _BYTES) for each in data)
    if not fits or isinstance(data, (str, Mapping, TextIOBase)):
        expected = "bytes, an open binary file or an iterable of bytes"
        raise TypeError(f"stdin: expected {expected}, got a {type(data).__name__}")
    return True


def _blocks(data: Input) -> Iterable[Data]:
    if isinstance(data, _BYTES):
        return (data,)
    if hasattr(data, "read"):
        return iter(lambda: data.read(_BLOCK), b"")
    return data
