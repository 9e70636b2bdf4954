"""A link to a simulated engine in this process: no socket, no thread, nothing to be closed.

The engine does its work in the thread that receives. What is sent is read as any server would read
it, so that a call is the same call on either side of a socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dynadock.errors import MalformedStream
from dynadock.simulation.answers import refusal
from dynadock.simulation.engine import Pending, Received
from dynadock.simulation.sending import beginning, ends_connection
from dynadock.wire.chunks import LAST_CHUNK, chunk
from dynadock.wire.requests import RequestReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.answers import Answer
    from dynadock.simulation.engine import SimulatedEngine
    from dynadock.simulation.faults import Damage
    from dynadock.simulation.replies import Attachment
    from dynadock.wire.messages import Data
    from dynadock.wire.requests import RequestHead

T = TypeVar("T")

BAD_REQUEST = 400


class InsideLink:
    """One connection to a simulated engine, with the methods of `dynadock.transport.links.link`.

    Requests are read one at a time: what comes behind one waits until that is answered, or goes to
    whom the connection belongs to then.
    """

    def __init__(self, engine: SimulatedEngine) -> None:
        if engine.is_gone:
            raise ConnectionRefusedError("the engine is gone")
        self._engine = engine
        self._generation = engine.generation
        self._damage: Damage | None = None
        self._seconds: float | None = None
        self._reader = RequestReader()
        self._body: list[bytes] = []
        self._behind = bytearray()
        self._fault: MalformedStream | None = None
        self._pending: Pending | None = None
        self._take: Callable[[], bytes | None] | None = None
        self._leave: Callable[[], None] = _nothing
        self._session: Attachment | None = None
        self._is_last = False
        self._is_closed = False
        self._is_ended = False

    def allow(self, seconds: float | None) -> None:
        """Set the longest wait of each later step, None for ever."""
        self._seconds = seconds

    def offer(self, data: Data) -> tuple[int, bytes]:
        """Take a part of a request."""
        self.send(data)
        return len(data), b""

    def send(self, data: Data) -> None:
        """Take a part of a request, or input of whom the connection belongs to."""
        self._check_there()
        if self._session is not None:
            self._type_in(self._session, bytes(data))
        elif self._reader.done:
            self._behind += data
        else:
            self._read(bytes(data))

    def _read(self, data: bytes) -> None:
        """Read a part of a request; what is none is refused when somebody receives."""
        if self._fault is not None:
            return
        self._damage = None
        try:
            body = self._reader.feed(data)
        except MalformedStream as fault:
            self._fault = fault
            return
        if body:
            self._body.append(body)
        self._behind += self._reader.rest
        if isinstance(self._reader.fault, MalformedStream):
            self._fault = self._reader.fault

    def _type_in(self, session: Attachment, data: bytes) -> None:
        if not self._wait(lambda: session.takes_input or None):
            raise BrokenPipeError("the engine is gone")
        self._change(lambda: session.feed(data))

    def _change(self, act: Callable[[], None]) -> None:
        """Do something to the engine's state, and let everybody notice."""
        state = self._engine.state
        state.step_aside()
        with state.lock:
            act()
            state.settle()
            state.notify()

    def receive(self) -> bytes:
        """Return a part of the reply as soon as there is one, none at the end."""
        self._check_open()
        data = self._undamaged() if self._damage is None else b""
        return data if self._damage is None else self._damaged(self._damage, data)

    def _damaged(self, damage: Damage, data: bytes) -> bytes:
        """Return what gets through of a reply's bytes, the first of which are given."""
        while True:
            if data:
                damage.put(data)
            came: bytes = self._wait(damage.take)
            if came or damage.is_cut:
                self._is_ended = not came
                return came
            data = self._undamaged()
            if not data:
                return b""

    def _undamaged(self) -> bytes:
        if self._is_left or self._is_ended:
            return b""
        if self._take is not None:
            return self._go_on(self._take)
        if self._fault is not None:
            self._is_ended = True
            return self._refused(self._fault)
        return self._begin() if self._reader.done else b""

    def _refused(self, fault: MalformedStream) -> bytes:
        more = {**self._engine.headers, "Connection": "close"}
        return beginning(refusal(BAD_REQUEST, str(fault)), "", more, can_chunk=True)

    def _begin(self) -> bytes:
        """Return a reply's head, with its body where that is there."""
        head = self._reader.head
        assert head is not None
        if self._pending is None:
            body = b"".join(self._body)
            self._body.clear()
            came = self._engine.answer(
                Received(head.method, head.target, head.headers, body, bool(head.upgrade))
            )
            if self._is_left:
                return b""
            if not isinstance(came, Pending):
                return self._begin_with(came, head)
            self._pending = came
        answer = self._wait(self._pending.take)
        if self._is_left:
            return b""
        self._pending = None
        return self._begin_with(answer, head)

    def _wait(self, ready: Callable[[], T | None]) -> T | Any:
        """Return what ``ready`` gives once that is not None; nothing if either side has gone."""
        return self._engine.state.wait_for(lambda: b"" if self._is_left else ready(), self._seconds)

    @property
    def _is_left(self) -> bool:
        """Whether this was closed, or the engine has gone since it was connected."""
        return self._is_closed or self._generation != self._engine.generation

    def _begin_with(self, answer: Answer, head: RequestHead) -> bytes:
        self._damage = answer.damage
        ends = ends_connection(answer, can_chunk=True) or not head.is_persistent
        # Where the connection is another protocol's, its headers say so.
        more = {"Connection": "close"} if ends and "Upgrade" not in answer.headers else {}
        self._is_last = ends
        if answer.session is not None:
            self._belong_to(answer.session)
        elif answer.source is not None:
            self._take, self._leave = answer.source.take, answer.source.leave
        else:
            self._finish_reply()
        return beginning(answer, head.method, more, can_chunk=True)

    def _belong_to(self, session: Attachment) -> None:
        self._session = session
        self._take, self._leave = session.take, session.leave
        early = bytes(self._behind)
        self._behind.clear()
        if early:
            self._change(lambda: session.feed(early))

    def _finish_reply(self) -> None:
        """Go on to the next request, what has come of it."""
        self._take, self._leave = None, _nothing
        self._is_ended = self._is_last
        self._reader = RequestReader()
        behind = bytes(self._behind)
        self._behind.clear()
        if behind and not self._is_ended:
            damage = self._damage
            self._read(behind)
            self._damage = damage

    def _go_on(self, take: Callable[[], bytes | None]) -> bytes:
        data: bytes = self._wait(take)
        if self._is_left:
            return b""
        if self._session is not None:
            self._is_ended = not data
            return data
        if data:
            return chunk(data)
        self._finish_reply()
        return LAST_CHUNK

    def close_sending(self) -> None:
        """Tell whom the connection belongs to that no more input comes."""
        self._check_open()
        if self._session is not None:
            self._change(self._session.end)

    def is_idle(self) -> bool:
        """Tell whether nothing is there to be received."""
        is_free = self._take is None and self._pending is None and not self._reader.done
        return is_free and not (self._is_ended or self._is_left or self._fault)

    def close(self) -> None:
        """Close for good: a stream is left, and whoever waits wakes; may be called again."""
        if not self._is_closed:
            self._is_closed = True
            self._change(self._leave)

    def fileno(self) -> int:
        """Return -1: there is nothing to poll."""
        return -1

    def _check_open(self) -> None:
        if self._is_closed:
            raise ConnectionAbortedError("the connection is closed")

    def _check_there(self) -> None:
        self._check_open()
        if self._is_left:
            raise BrokenPipeError("the engine is gone")


def _nothing() -> None:
    """Leave nothing, as there is no stream."""
