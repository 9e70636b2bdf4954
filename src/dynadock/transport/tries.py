"""Calls that failed without any effect, and are tried again."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from dynadock.errors import ConnectionLost, ConnectionRefused, SocketMissing, TransportError

if TYPE_CHECKING:
    from dynadock.deadline import Deadline
    from dynadock.wire.messages import Request

LOG = logging.getLogger("dynadock.transport")

HARMLESS = ("GET", "HEAD")
"""Methods of which nothing changes if the engine acts on them twice."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
"""Seconds before another try to connect; each pause is twice the one before it."""

_TELLS_NOTHING = 2
"""Tries that failed alike within a moment say no more than one of them."""


class Tries:
    """The tries of one call: counted, and another allowed where none before had an effect.

    ``most`` is how many may follow the first; none follows the ``deadline``.
    """

    def __init__(self, request: Request, most: int, deadline: Deadline) -> None:
        self._request = request
        self._most = most
        self.deadline = deadline
        self._failed = 0
        self._kinds: set[type[TransportError]] = set()

    def fail(self, fault: TransportError, *, is_stale: bool = False) -> None:
        """Return when the call may be tried again, after a pause; raise ``fault`` if it may not.

        ``is_stale`` says that a kept connection ended before any byte of the reply: the engine most
        likely closed it while it was idle, though this is no proof.
        """
        self._failed += 1
        self._kinds.add(type(fault))
        pause = self._pause(fault, is_stale=is_stale)
        if pause is None or self._failed > self._most or self.deadline.is_over(pause):
            try:
                raise self._told(fault) from fault.__cause__
            finally:
                # The exception refers to this frame. If the frame referred to the exception, that
                # reference cycle would keep sockets open until it is collected.
                del fault
        method, path = self._request.method, self._request.shown_target.partition("?")[0]
        LOG.warning("%s %s: try %d failed, there is another: %s", method, path, self._failed, fault)
        time.sleep(pause)

    def _pause(self, fault: TransportError, *, is_stale: bool) -> float | None:
        """Return the seconds before another try, None where the last one may have had an effect."""
        if isinstance(fault, (ConnectionRefused, SocketMissing)):
            return float(min(FIRST_PAUSE * 2 ** min(self._failed - 1, 10), LONGEST_PAUSE))
        return 0.0 if is_stale and self._request.method in HARMLESS else None

    def _told(self, fault: TransportError) -> TransportError:
        """Return a fault that also says what it means for the call."""
        fault = unsure(fault, self._request)
        if self._failed <= _TELLS_NOTHING and len(self._kinds) == 1:
            return fault
        return _with_word(fault, f"tried {self._failed} times")


def unsure(fault: TransportError, request: Request) -> TransportError:
    """Return a fault that came before any reply; it says so if the engine may have acted."""
    if not isinstance(fault, ConnectionLost) or request.method in HARMLESS:
        return fault
    return _with_word(fault, "whether the engine acted on the request is not known")


def _with_word(fault: TransportError, word: str) -> TransportError:
    return type(fault)(f"{fault}; {word}", fault.endpoint)
