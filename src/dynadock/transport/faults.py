"""What can go wrong with a connection: from Python's exceptions to ours.

Ours say all that Python's say, so that a traceback needs no others. They have a cause only where
that tells more: with TLS OpenSSL's own words, and how a connection broke that was there before.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from dynadock.errors import (
    ConnectionLost,
    ConnectionRefused,
    PermissionDenied,
    SocketMissing,
    TimedOut,
    TlsError,
    TransportError,
)
from dynadock.transport.endpoint import ORIGIN_OF_HOST

if TYPE_CHECKING:
    from dynadock.transport.endpoint import Endpoint


class NeverReached(OSError):
    """The way to the engine failed (a host name, a proxy, ssh): no byte of a request arrived."""


_BY_CAUSE: tuple[tuple[type[OSError], type[TransportError], str], ...] = (
    (FileNotFoundError, SocketMissing, "there is no such socket; is the engine running?"),
    (PermissionError, PermissionDenied, "this user may not open it; is it in the right group?"),
    (ConnectionRefusedError, ConnectionRefused, "nothing listens there; is the engine up?"),
)


def translate(error: OSError, endpoint: Endpoint, timeout: float | None) -> TransportError:
    """Return our exception for what broke a connection; it says where, what, and what to do.

    ``timeout`` are the seconds that were allowed, None for no limit.
    """
    if known := _known(error, endpoint):
        return known
    if isinstance(error, NeverReached):
        return _fault(TransportError, endpoint, f"it cannot be reached ({error})")
    if isinstance(error, TimeoutError):
        limit = "the time allowed" if timeout is None else f"{timeout:g} s"
        problem = f"no answer within {limit}; with_options(timeout=…) sets it"
        return _fault(TimedOut, endpoint, problem)
    if error.errno == errno.EBADF:
        problem = "the connection is closed here; a forked child has to open its own"
        return _fault(ConnectionLost, endpoint, problem)
    problem = f"the connection broke before the reply's end ({error})"
    fault = _fault(ConnectionLost, endpoint, problem)
    # Its kind counts: a reset may only mean that the peer was not interested in our last words.
    fault.__cause__ = error
    return fault


def never_reached(error: OSError, endpoint: Endpoint) -> TransportError:
    """Return our exception for a connection that was not made."""
    if known := _known(error, endpoint):
        return known
    if isinstance(error, TimeoutError):
        problem = "no connection in time; is the address right?"
        return _fault(TimedOut, endpoint, problem)
    return _fault(TransportError, endpoint, f"it cannot be reached ({error})")


def _known(error: OSError, endpoint: Endpoint) -> TransportError | None:
    """Return the exception for an error whose type, or TLS, tells the cause; else None."""
    for foreign, ours, problem in _BY_CAUSE:
        if isinstance(error, foreign):
            return _fault(ours, endpoint, problem + _way_out(ours, endpoint))
    if endpoint.tls is None:
        return None
    from dynadock.transport.distrust import problem_with_tls

    reason = problem_with_tls(error, endpoint.tls)
    if reason is None:
        return None
    fault = _fault(TlsError, endpoint, reason)
    fault.__cause__ = error
    return fault


def _way_out(kind: type[TransportError], endpoint: Endpoint) -> str:
    """Return what else can be done where nothing is at a place that the caller has not named."""
    if kind is PermissionDenied or endpoint.origin == ORIGIN_OF_HOST:
        return ""
    return " Where there is none, host='embedded://' simulates one."


def out_of_time(endpoint: Endpoint, seconds: float) -> TransportError:
    """Return the exception for a call that was not done before its deadline."""
    problem = f"not done within {seconds:g} s; with_options(deadline=…) sets it"
    return _fault(TimedOut, endpoint, problem)


def exhausted(endpoint: Endpoint, count: int, seconds: float) -> TransportError:
    """Return the exception for a call that waited in vain for a connection of the pool."""
    problem = (
        f"all {count} connections are in use, and none came free within {seconds:g} s;"
        " load(connections=…) allows more, and a raw() reply has one until it is read or closed"
    )
    return _fault(TimedOut, endpoint, problem)


def placed(fault: TransportError, endpoint: Endpoint) -> TransportError:
    """Return a decoder's error with the endpoint that the bytes came from."""
    return fault if fault.endpoint else _fault(type(fault), endpoint, str(fault))


def _fault(kind: type[TransportError], endpoint: Endpoint, problem: str) -> TransportError:
    way = f" through {endpoint.proxy}" if endpoint.proxy else ""
    return kind(f"{endpoint} ({endpoint.origin}){way}: {problem}", str(endpoint))
