"""The one thread that watches sockets while nobody reads them: peers that hang up, and input."""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_log = logging.getLogger("dynadock.embedded")

HUNG_UP = select.POLLHUP | select.POLLERR | select.POLLNVAL

_PAUSE = 0.05
"""Seconds after which what was put off is looked at again."""


class Polled(Protocol):
    """A socket, or what is made of one."""

    def fileno(self) -> int:
        """Return its descriptor."""


class Closed(Polled, Protocol):
    """A socket that can be closed."""

    def close(self) -> None:
        """Close it; may be called again."""


class _Watched(NamedTuple):
    """A socket, and what is called when something came or the peer is gone, or that failed."""

    sock: Polled
    on_ready: Callable[[bool], None]
    on_failure: Callable[[], None]


class _PutOff(NamedTuple):
    """A socket that is left alone until ``may_go_on`` says otherwise."""

    watched: _Watched
    may_go_on: Callable[[], bool]


class Watcher:
    """Calls back, from its own thread, when a socket has something to be read.

    The callback is told whether both directions are closed. It is called again and again for as
    long as that is so; it may call `forget`, `only_hang_up` and `put_off` for its own socket, and
    is never called once one of them has returned to another thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._poll = select.poll()
        self._watched: dict[int, _Watched] = {}
        self._put_off: dict[int, _PutOff] = {}
        self._is_closing = False
        self._wake_end, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._poll.register(self._wake_end, select.POLLIN)
        self._thread = threading.Thread(target=self._run, name="dynadock hang-ups", daemon=True)
        self._thread.start()

    def watch(
        self,
        sock: Polled,
        on_ready: Callable[[bool], None],
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Call ``on_ready`` whenever something has come, with whether the peer is wholly gone.

        If that raises an exception, the socket is forgotten and ``on_failure`` called. One that is
        closed already is not watched.
        """
        with self._lock:
            if sock.fileno() < 0:
                return
            self._watched[sock.fileno()] = _Watched(sock, on_ready, on_failure)
            self._poll.register(sock.fileno(), select.POLLIN)
        self.look_again()

    def only_hang_up(self, sock: Polled) -> None:
        """Call back no more but for a peer that is wholly gone: it has nothing more to say."""
        with self._lock:
            if sock.fileno() in self._watched:
                self._poll.modify(sock.fileno(), 0)
        self.look_again()

    def put_off(self, sock: Polled, may_go_on: Callable[[], bool]) -> None:
        """Leave a socket alone until ``may_go_on`` is true, so that its peer has to wait."""
        with self._lock:
            watched = self._watched.get(sock.fileno())
            if watched is not None:
                self._poll.unregister(sock.fileno())
                self._put_off[sock.fileno()] = _PutOff(watched, may_go_on)
        self.look_again()

    def forget(self, sock: Polled) -> None:
        """Call back no more; nothing happens to a socket that is not watched."""
        with self._lock:
            number = sock.fileno()
            if self._watched.pop(number, None) is not None:
                with suppress(KeyError):
                    self._poll.unregister(number)
                self._put_off.pop(number, None)

    def close_all(self, *socks: Closed) -> None:
        """Forget sockets and close them, in one step: their numbers may be others' at once."""
        with self._lock:
            for sock in socks:
                self.forget(sock)
                sock.close()

    def look_again(self) -> None:
        """Have the thread look at once at what has changed; takes no lock."""
        with suppress(BlockingIOError):
            os.write(self._waker, b"!")

    def close(self) -> None:
        """Stop; nothing may be watched any more."""
        self._is_closing = True
        self.look_again()
        self._thread.join()
        os.close(self._waker)
        os.close(self._wake_end)

    def _run(self) -> None:
        while not self._is_closing:
            timeout = _PAUSE * 1000 if self._put_off else None
            for number, events in self._poll.poll(timeout):
                if number == self._wake_end:
                    os.read(number, 4096)
                else:
                    self._call_back(number, events)
            if self._put_off:
                self._go_on_where_possible()

    def _call_back(self, number: int, events: int) -> None:
        with self._lock:
            # It may have been forgotten, and its number be another socket's, since it was polled.
            watched = self._watched.get(number)
            if watched is not None and number not in self._put_off:
                with self._given_up_on_error(watched):
                    watched.on_ready(bool(events & HUNG_UP))

    def _go_on_where_possible(self) -> None:
        with self._lock:
            for number, each in [*self._put_off.items()]:
                with self._given_up_on_error(each.watched):
                    if each.may_go_on():
                        del self._put_off[number]
                        self._poll.register(number, select.POLLIN)

    @contextmanager
    def _given_up_on_error(self, watched: _Watched) -> Iterator[None]:
        try:
            yield
        except Exception:  # noqa: BLE001 - all other sockets rely on this thread
            _log.exception("the embedded engine failed in taking input")
            self.forget(watched.sock)
            watched.on_failure()


def has_hung_up(sock: Polled) -> bool:
    """Tell whether a peer is wholly gone, as far as that shows: TCP looks as a half-close does."""
    number = sock.fileno()
    if number < 0:
        return False
    poll = select.poll()
    poll.register(number, 0)
    return any(events & HUNG_UP for _, events in poll.poll(0))


def after(seconds: float) -> Callable[[], bool]:
    """Return what is true once that time has passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end
