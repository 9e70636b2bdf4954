"""What can go wrong with a connection: from urllib3's and Python's exceptions to ours."""

from __future__ import annotations

import errno
import ssl
from http.client import BadStatusLine, HTTPException, LineTooLong
from typing import TYPE_CHECKING

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
)
from urllib3.exceptions import TimeoutError as PoolTimeout

from dynadock.errors import (
    ConnectionLost,
    ConnectionRefused,
    MalformedStream,
    PermissionDenied,
    SocketMissing,
    TimedOut,
    TlsError,
    TransportError,
)
from dynadock.transport.distrust import SpeaksTls, problem_with_tls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.transport.endpoint import Endpoint


class NeverReached(OSError):
    """What was to lead to the engine does not; nothing of a request has arrived there."""


_NEVER_REACHED = (NewConnectionError, LocationParseError, NeverReached)

FOREIGN = (HTTPError, OSError)
"""What a pool raises."""


_NO_CONNECTION = "no connection in time; is the address right?"

_BY_CAUSE: tuple[tuple[type[Exception], type[TransportError], str], ...] = (
    (FileNotFoundError, SocketMissing, "there is no such socket; is the engine running?"),
    (PermissionError, PermissionDenied, "this user may not open it; is it in the right group?"),
    (ConnectionRefusedError, ConnectionRefused, "nothing listens there; is the engine up?"),
)


def translate(error: Exception, endpoint: Endpoint, timeout: float | None) -> TransportError:
    """Return our exception for a foreign one; the message says where, what, and what to do."""
    if isinstance(error, TransportError):
        return error
    causes = list(_causes(error))
    if known := _known(causes, endpoint):
        return known
    if _is_among(_NEVER_REACHED, causes):
        return _fault(TransportError, endpoint, f"it cannot be reached ({causes[-1]})")
    if _is_among((ConnectTimeoutError,), causes):
        return _fault(TimedOut, endpoint, _NO_CONNECTION)
    if _is_among((PoolTimeout, TimeoutError), causes):
        limit = "the time allowed" if timeout is None else f"{timeout:g} s"
        problem = f"no answer within {limit}; with_options(timeout=…) sets it"
        return _fault(TimedOut, endpoint, problem)
    return _broken(causes, endpoint)


def _broken(causes: list[BaseException], endpoint: Endpoint) -> TransportError:
    if any(_is_no_http(cause) for cause in causes):
        return _fault(MalformedStream, endpoint, f"what came is no HTTP reply ({causes[-1]})")
    if any(isinstance(cause, OSError) and cause.errno == errno.EBADF for cause in causes):
        problem = "the connection is closed here; a forked child has to open its own"
        return _fault(ConnectionLost, endpoint, problem)
    problem = f"the connection broke before the reply's end ({causes[-1]})"
    return _fault(ConnectionLost, endpoint, problem)


def _is_no_http(cause: BaseException) -> bool:
    """Tell whether http.client could not make sense of what came; an end is no nonsense."""
    is_nonsense = isinstance(cause, BadStatusLine) or type(cause) in (HTTPException, LineTooLong)
    return is_nonsense and not isinstance(cause, ConnectionError)


def never_reached(error: OSError, endpoint: Endpoint) -> TransportError:
    """Return our exception for a connection that was not made."""
    if known := _known([error], endpoint):
        return known
    if isinstance(error, TimeoutError):
        return _fault(TimedOut, endpoint, _NO_CONNECTION)
    return _fault(TransportError, endpoint, f"it cannot be reached ({error})")


def _known(causes: list[BaseException], endpoint: Endpoint) -> TransportError | None:
    """Return the exception for a cause that says all, None where there is none."""
    for foreign, ours, problem in _BY_CAUSE:
        if any(isinstance(cause, foreign) for cause in causes):
            return _fault(ours, endpoint, problem)
    disagreement = _disagreement(causes, endpoint)
    return _fault(TlsError, endpoint, disagreement) if disagreement else None


def _disagreement(causes: list[BaseException], endpoint: Endpoint) -> str | None:
    """Return why the two sides do not agree on TLS, None if they do or there is none."""
    for cause in causes:
        if isinstance(cause, SpeaksTls):
            return str(cause)
        if isinstance(cause, ssl.SSLError) and endpoint.tls is not None:
            return problem_with_tls(cause, endpoint.tls)
    return None


def out_of_time(endpoint: Endpoint, seconds: float) -> TransportError:
    """Return the exception for a call that was not done before its deadline."""
    problem = f"not done within {seconds:g} s; with_options(deadline=…) sets it"
    return _fault(TimedOut, endpoint, problem)


def exhausted(endpoint: Endpoint, count: int, seconds: float) -> TransportError:
    """Return the exception for a call that got none of the connections that there may be."""
    problem = (
        f"all {count} connections are in use, and none came free within {seconds:g} s;"
        " load(connections=…) allows more, and a raw() reply has one until it is read or closed"
    )
    return _fault(TimedOut, endpoint, problem)


def is_caused_by(error: BaseException | None, kind: type[Exception]) -> bool:
    """Tell whether an exception was made of one of that kind."""
    return error is not None and any(isinstance(cause, kind) for cause in _causes(error))


def placed(fault: TransportError, endpoint: Endpoint) -> TransportError:
    """Return what a decoder complains of with the place that it came from."""
    return fault if fault.endpoint else _fault(type(fault), endpoint, str(fault))


def _is_among(kinds: tuple[type[Exception], ...], causes: list[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in causes)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was made of: urllib3 keeps causes among the arguments too."""
    yield error
    inner = [each for each in error.args if isinstance(each, BaseException)]
    if error.__cause__ is not None:
        inner.append(error.__cause__)
    for each in inner:
        yield from _causes(each)


def _fault(kind: type[TransportError], endpoint: Endpoint, problem: str) -> TransportError:
    way = f" through {endpoint.proxy}" if endpoint.proxy else ""
    return kind(f"{endpoint} ({endpoint.origin}){way}: {problem}", str(endpoint))
