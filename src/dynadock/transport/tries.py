"""Calls that failed without any effect, and are tried again."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from dynadock.errors import ConnectionLost, ConnectionRefused, SocketMissing, TransportError
from dynadock.transport.faults import is_caused_by

if TYPE_CHECKING:
    from dynadock.call.request import Request

LOG = logging.getLogger("dynadock.transport")

HARMLESS = ("GET", "HEAD")
"""Methods of which nothing changes if the engine acts on them twice."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
"""Seconds before another try to connect; each pause is twice the one before it."""


class Tries:
    """The tries of one call: counted, and another allowed where none before had an effect.

    ``most`` is how many may follow the first, ``end`` the time (monotonic) after which there are
    none, None for no such time.
    """

    def __init__(self, request: Request, most: int, end: float | None = None) -> None:
        self._request = request
        self._most = most
        self._end = end
        self._failed = 0

    def fail(
        self,
        fault: TransportError,
        cause: Exception,
        stale: type[Exception] | None = None,
    ) -> None:
        """Return when the call may be tried again, after a pause; raise ``fault`` if it may not.

        ``cause`` is what it was made of, ``stale`` what a kept connection raises that ended before
        any byte of the reply.
        """
        self._failed += 1
        pause = self._pause(fault, is_stale=stale is not None and is_caused_by(cause, stale))
        if pause is None or self._failed > self._most or self._is_over(pause):
            try:
                raise self._told(fault) from cause
            finally:
                # A frame that knows what it raises is a circle, and sockets would live on in it.
                del fault, cause
        method, path = self._request.method, self._request.target.partition("?")[0]
        LOG.warning("%s %s: try %d failed, there is another: %s", method, path, self._failed, fault)
        time.sleep(pause)

    def _pause(self, fault: TransportError, *, is_stale: bool) -> float | None:
        """Return the seconds before another try, None where the last one may have had an effect."""
        if isinstance(fault, (ConnectionRefused, SocketMissing)):
            return float(min(FIRST_PAUSE * 2 ** min(self._failed - 1, 10), LONGEST_PAUSE))
        return 0.0 if is_stale and self._request.method in HARMLESS else None

    def _is_over(self, pause: float) -> bool:
        return self._end is not None and time.monotonic() + pause >= self._end

    def _told(self, fault: TransportError) -> TransportError:
        """Return a fault that also says what it means for the call."""
        fault = unsure(fault, self._request)
        return fault if self._failed == 1 else _with_word(fault, f"tried {self._failed} times")


def unsure(fault: TransportError, request: Request) -> TransportError:
    """Return what broke a connection before any reply, and say where that leaves the caller."""
    if not isinstance(fault, ConnectionLost) or request.method in HARMLESS:
        return fault
    return _with_word(fault, "whether the engine acted on the request is not known")


def _with_word(fault: TransportError, word: str) -> TransportError:
    return type(fault)(f"{fault}; {word}", fault.endpoint)
