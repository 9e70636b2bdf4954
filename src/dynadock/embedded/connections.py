"""One connection to a served engine: its requests, what is answered to them, and its end."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from dynadock.embedded.farewell import cut, linger
from dynadock.embedded.incoming import Incoming, Rejected
from dynadock.embedded.pacing import wait_for_reader
from dynadock.simulation.answers import refusal
from dynadock.simulation.clock import SECOND
from dynadock.simulation.engine import Pending, Received
from dynadock.simulation.sending import beginning, ends_connection
from dynadock.wire.chunks import LAST_CHUNK, chunk
from dynadock.wire.reply_heads import CONTINUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock.embedded.hangups import Watcher
    from dynadock.embedded.incoming import Patience, Room
    from dynadock.simulation.answers import Answer
    from dynadock.simulation.engine import SimulatedEngine
    from dynadock.simulation.faults import Damage
    from dynadock.simulation.replies import Attachment, Source
    from dynadock.wire.requests import RequestHead

T = TypeVar("T")

_BLOCK = 64 * 1024
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_log = logging.getLogger("dynadock.embedded")


class Connection:
    """One accepted connection; `run` serves it to its end, and `abandon` ends it from outside."""

    def __init__(
        self,
        engine: SimulatedEngine,
        sock: socket.socket,
        watcher: Watcher,
        patience: Patience,
        room: Room,
    ) -> None:
        self._engine = engine
        self._state = engine.state
        self._sock = sock
        self._watcher = watcher
        self._incoming = Incoming(sock, patience, room)
        self._is_gone = False
        self._damage: Damage | None = None

    def run(self) -> None:
        """Answer all requests that come; never raises."""
        try:
            self._answer_all()
        except Rejected as rejected:
            self._reject(rejected)
        except OSError:
            pass  # The peer is gone.
        except Exception:  # noqa: BLE001 - of whatever streams are made
            # One answer's trouble is not the server's; who waits for it learns by its end.
            _log.exception("the embedded engine failed in the middle of an answer")
        finally:
            self._watcher.forget(self._sock)
            self._sock.close()

    def abandon(self) -> None:
        """Make an end of whatever goes on here, soon; whoever waits has to be woken."""
        self._is_gone = True
        cut(self._sock)

    # One request after another

    def _answer_all(self) -> None:
        while (head := self._incoming.begin()) is not None:
            longest = self._engine.longest_body(head.method, head.target)
            with self._incoming.body(head, longest, self._tell_to_go_on) as body:
                answer = self._ask(head, bytes(body))
            if answer is None or self._is_gone:
                return
            if not self._give(answer, head):
                linger(self._sock)
                return

    def _tell_to_go_on(self) -> None:
        self._sock.sendall(CONTINUE)

    def _ask(self, head: RequestHead, body: bytes) -> Answer | None:
        """Return the engine's answer, None if the peer hangs up before it is there."""
        came = self._engine.answer(
            Received(head.method, head.target, head.headers, body, bool(head.upgrade))
        )
        if not isinstance(came, Pending):
            return came
        with self._watching(self._take_stray):
            return self._wait_for(came.take)

    def _give(self, answer: Answer, head: RequestHead) -> bool:
        """Send an answer; tell whether another request may follow."""
        can_chunk = head.minor > 0
        # What came with a request to take the connection over is no further request.
        is_last = (
            not head.is_persistent
            or bool(head.upgrade)
            or ends_connection(answer, can_chunk=can_chunk)
        )
        more = self._of_the_connection(is_last=is_last and "Connection" not in answer.headers)
        self._damage = answer.damage
        with self._leaving(answer):
            self._send(beginning(answer, head.method, more, can_chunk=can_chunk))
            if answer.session is not None:
                self._attach(answer.session)
            elif answer.source is not None:
                self._stream(answer.source, can_chunk=can_chunk)
        return not (is_last or self._is_gone)

    @contextmanager
    def _leaving(self, answer: Answer) -> Iterator[None]:
        """Tell where an answer comes from if nobody wants the rest of it."""
        is_whole = False
        try:
            yield
            is_whole = not self._is_gone
        finally:
            comes_from = answer.session or answer.source
            if comes_from is not None and not is_whole:
                self._change(comes_from.leave)

    def _send(self, data: bytes) -> None:
        """Send bytes of an answer, as far as they get through; OSError if the connection ends."""
        if self._damage is None:
            self._sock.sendall(data)
            return
        damage = self._damage
        self._change(lambda: damage.put(data))
        while piece := self._wait_for(damage.take):
            self._sock.sendall(piece)
        if damage.is_cut:
            # Closing alone does nothing for as long as the watcher's poll holds the socket.
            self.abandon()
            raise ConnectionAbortedError("it is cut as planned")

    def _reject(self, rejected: Rejected) -> None:
        answer = refusal(rejected.status, rejected.message)
        headers = {**self._engine.headers, **answer.headers}
        more = self._of_the_connection(is_last=True)
        with suppress(OSError):
            whole = beginning(answer._replace(headers=headers), "", more, can_chunk=False)
            self._sock.sendall(whole)
            linger(self._sock)

    def _of_the_connection(self, *, is_last: bool) -> dict[str, str]:
        headers = {"Date": _http_date(self._state.clock.present())}
        return headers | {"Connection": "close"} if is_last else headers

    # Streams, and those who are attached

    def _stream(self, source: Source, *, can_chunk: bool) -> None:
        """Send what a source gives, as it comes."""
        with self._watching(self._take_stray):
            while data := self._wait_for(source.take):
                self._send(chunk(data) if can_chunk else data)
        if can_chunk and not self._is_gone:
            self._send(LAST_CHUNK)

    def _attach(self, session: Attachment) -> None:
        """Send a session's output and hand it what the peer sends, each at its own pace."""
        early = self._incoming.rest()
        if early:
            self._change(lambda: session.feed(early))
        with self._watching(lambda is_over: self._take_input(session, is_over=is_over)):
            wait_for_reader(self._sock.fileno())
            while data := self._wait_for(session.take):
                self._send(data)

    def _wait_for(self, take: Callable[[], T | None]) -> T | None:
        """Return what ``take`` gives once that is not None; None if the peer is gone before."""
        came: tuple[T | None] = self._state.wait_for(lambda: self._taken(take), None)
        return came[0]

    def _taken(self, take: Callable[[], T | None]) -> tuple[T | None] | None:
        if self._is_gone:
            return (None,)
        came = take()
        return None if came is None else (came,)

    def _change(self, act: Callable[[], None]) -> None:
        """Do something to the engine's state, and let everybody notice."""
        with self._state.changed:
            act()
            self._state.settle()
            self._state.notify()

    # What the peer does meanwhile; called by the watcher's thread

    @contextmanager
    def _watching(self, on_ready: Callable[[bool], None]) -> Iterator[None]:
        self._watcher.watch(self._sock, on_ready, self._give_up)
        try:
            yield
        finally:
            self._watcher.forget(self._sock)

    def _take_stray(self, is_over: bool) -> None:
        """Keep a request that comes before the answer has ended; note that the peer hung up."""
        if not is_over and self._incoming.is_full:
            self._watcher.only_hang_up(self._sock)
            return
        data = self._received()
        if data:
            self._incoming.keep(data)
        elif data is not None:
            self._note_gone()

    def _take_input(self, session: Attachment, *, is_over: bool) -> None:
        """Hand on input and its end; only a peer that takes nothing either has left."""
        if not self._takes_input(session):
            self._watcher.put_off(self._sock, lambda: self._takes_input(session))
            return
        data = self._received()
        if data:
            self._change(lambda: session.feed(data))
        elif data is not None and is_over:
            self._note_gone()
        elif data is not None:
            self._watcher.only_hang_up(self._sock)
            self._change(session.end)

    def _takes_input(self, session: Attachment) -> bool:
        with self._state.changed:
            self._state.settle()
            return session.takes_input

    def _received(self) -> bytes | None:
        """Return what has come, none at the end, None if nothing has."""
        try:
            return self._sock.recv(_BLOCK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _note_gone(self) -> None:
        self._watcher.forget(self._sock)
        self._is_gone = True
        self._change(lambda: None)

    def _give_up(self) -> None:
        self.abandon()
        with self._state.changed:
            self._state.notify()


def _http_date(moment: int) -> str:
    """Write a moment in nanoseconds as HTTP has it (RFC 9110, section 5.6.7), in any locale."""
    at = time.gmtime(moment // SECOND)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    clock = f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d}"
    return f"{day}, {at.tm_mday:02d} {month} {at.tm_year} {clock} GMT"
