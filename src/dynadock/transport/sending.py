"""Sending a request: over which connection, and again where a try failed without any effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.deadline import Deadline
from dynadock.errors import ConnectionLost, TransportError
from dynadock.options import CONNECT_TIMEOUT
from dynadock.transport.driver import Driver
from dynadock.transport.faults import never_reached
from dynadock.transport.links.dial import connect
from dynadock.transport.tries import Tries
from dynadock.wire.exchange import Exchange

if TYPE_CHECKING:
    from dynadock.options import Options
    from dynadock.transport.endpoint import Endpoint
    from dynadock.transport.links.link import Link
    from dynadock.transport.pool import Place, Pool
    from dynadock.wire.messages import Request


def begin(
    request: Request, pool: Pool, idle: float | None, options: Options, *, keeps: bool
) -> Driver:
    """Send a request and read its reply's head; see `Connector.open`."""
    deadline = Deadline(options.deadline)
    place = pool.enter(_time_to_connect(idle, deadline)) if keeps else None
    try:
        tries = Tries(request, options.retries, deadline)
        return _begin(request, pool, place, idle, tries)
    except BaseException:
        if place is not None:
            place.leave()
        raise


def _begin(
    request: Request, pool: Pool, place: Place | None, idle: float | None, tries: Tries
) -> Driver:
    endpoint = pool.endpoint
    host, is_secure = endpoint.authority, endpoint.tls is not None
    while True:
        kept = None if place is None else pool.take()
        link = _connected(endpoint, idle, tries) if kept is None else kept
        exchange = Exchange(request, host, is_secure=is_secure)
        try:
            driver = Driver(
                exchange, link, endpoint, idle=idle, deadline=tries.deadline, place=place
            )
            driver.begin(request)
        except BaseException as error:
            link.close()
            if not isinstance(error, TransportError) or exchange.has_failing_body:
                raise
            is_stale = kept is not None and isinstance(error, ConnectionLost)
            tries.fail(error, is_stale=is_stale and not exchange.has_heard)
        else:
            return driver


def _connected(endpoint: Endpoint, idle: float | None, tries: Tries) -> Link:
    while True:
        try:
            return connect(endpoint, _time_to_connect(idle, tries.deadline))
        except OSError as error:
            tries.fail(never_reached(error, endpoint))


def _time_to_connect(idle: float | None, deadline: Deadline) -> float:
    """Return the seconds in which a call has to have a connection."""
    limit = CONNECT_TIMEOUT if idle is None else min(idle, CONNECT_TIMEOUT)
    return limit if deadline.end is None else min(limit, deadline.left() or limit)
