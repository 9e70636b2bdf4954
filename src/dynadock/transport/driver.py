"""Carrying out an exchange over a link by waiting for each of its steps: the blocking driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dynadock.errors import TransportError
from dynadock.transport.faults import out_of_time, placed, translate
from dynadock.transport.log import answered, asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.deadline import Deadline
    from dynadock.transport.endpoint import Endpoint
    from dynadock.transport.links.link import Link
    from dynadock.transport.pool import Place
    from dynadock.wire.exchange import Exchange, Steps
    from dynadock.wire.messages import Data, Headers, Request

Result = TypeVar("Result")


def carry_out(
    steps: Steps[Result],
    link: Any,
    fault_of: Callable[[OSError], Exception] = lambda error: error,
) -> Result:
    """Do what ``steps`` ask for with a link, and return what they return.

    An OSError of the link is thrown into them as the exception that ``fault_of`` makes of it.
    """
    try:
        step = next(steps)
        while True:
            try:
                came = step(link)
            except OSError as error:
                step = steps.throw(fault_of(error))
            else:
                step = steps.send(came)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


class TimedLink:
    """A link whose steps all end with a deadline; none takes more than ``idle`` seconds."""

    def __init__(self, link: Any, idle: float | None, deadline: Deadline) -> None:
        self._link = link
        self._idle = idle
        self._deadline = deadline

    def _allow_what_is_left(self) -> None:
        if self._deadline.is_over():
            raise TimeoutError("the deadline is over")
        self._link.allow(self._deadline.left(self._idle))

    def receive(self) -> bytes:
        """Receive as the link does."""
        self._allow_what_is_left()
        return self._link.receive()  # type: ignore[no-any-return]

    def offer(self, data: Data) -> tuple[int, bytes]:
        """Offer as the link does."""
        self._allow_what_is_left()
        return self._link.offer(data)  # type: ignore[no-any-return]

    def send(self, data: Data) -> None:
        """Send as the link does."""
        self._allow_what_is_left()
        self._link.send(data)

    def close_sending(self) -> None:
        """Close the sending side as the link does."""
        self._allow_what_is_left()
        self._link.close_sending()


class Driver:
    """One exchange under way over one link: what a stream reads from.

    ``idle`` are the seconds for each wait, None for ever; ``deadline`` is for all of them.
    ``place`` is the call's place in the pool, if it has one. Whoever holds a driver has to call
    `release` or `close` in the end.
    """

    __slots__ = ("_deadline", "_exchange", "_idle", "_link", "_place", "_steps", "endpoint")

    def __init__(
        self,
        exchange: Exchange,
        link: Link,
        endpoint: Endpoint,
        *,
        idle: float | None,
        deadline: Deadline,
        place: Place | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._exchange = exchange
        self._link: Link | None = link
        self._place = place
        self._idle = idle
        self._deadline = deadline
        link.allow(idle)
        self._steps: Any = link if deadline.end is None else TimedLink(link, idle, deadline)

    @property
    def status(self) -> int:
        """The reply's status code."""
        return self._exchange.head.status

    @property
    def headers(self) -> Headers:
        """The reply's headers."""
        return self._exchange.head.headers

    @property
    def reason(self) -> str:
        """The reason phrase behind the reply's status code."""
        return self._exchange.head.reason

    @property
    def is_upgraded(self) -> bool:
        """Whether the engine has switched protocols, and no longer speaks HTTP."""
        return self._exchange.is_upgraded

    def begin(self, request: Request) -> None:
        """Send the request and read the reply's head; raises a TransportError."""
        begun = asked(self.endpoint, request)
        self._run(self._exchange.begin())
        answered(begun, request, self.status, self.headers)

    def receive(self) -> bytes:
        """Return some bytes of the body as soon as there are any, none at its end.

        Raises a TransportError: TimedOut, ConnectionLost, TruncatedStream where the body ends too
        early, MalformedStream where it is not HTTP.
        """
        return self._run(self._exchange.receive())

    def read_all(self, limit: int | None) -> bytes:
        """Return the rest of the body, unpacked; TooLarge if that is more than ``limit`` bytes."""
        return self._run(self._exchange.read_all(limit))

    def send(self, data: Data) -> None:
        """Send bytes as they are to the peer, after an upgrade."""
        self._run(self._exchange.send(data))

    def close_sending(self) -> None:
        """Half-close: tell the engine that nothing more will be sent, and go on receiving."""
        self._run(self._exchange.close_sending())

    def release(self) -> None:
        """Give the connection back to the pool if it can be used again; close it otherwise."""
        # Forgotten first: once the pool has it, another thread may take the connection.
        link, self._link = self._link, None
        place, self._place = self._place, None
        if link is not None:
            if place is not None and self._exchange.is_reusable:
                place.keep(link)
            else:
                link.close()
        if place is not None:
            place.leave()

    def close(self) -> None:
        """Close the connection, which unblocks other threads; may be called again."""
        # Without it, so that a later `release` gives no closed link back to the pool.
        link, self._link = self._link, None
        if link is not None:
            link.close()
        if self._place is not None:
            self._place.leave()

    def fileno(self) -> int:
        """Return the connection's descriptor, -1 once closed."""
        return -1 if self._link is None else self._link.fileno()

    def _run(self, steps: Steps[Result]) -> Result:
        try:
            return carry_out(steps, self._steps, self._fault_of)
        except TransportError as error:
            if error.endpoint:
                raise
            raise placed(error, self.endpoint) from error.__cause__

    def _fault_of(self, error: OSError) -> TransportError:
        """Return our exception for what broke the link."""
        seconds = self._deadline.seconds
        if seconds is not None and isinstance(error, TimeoutError) and self._deadline.is_over():
            return out_of_time(self.endpoint, seconds)
        return translate(error, self.endpoint, self._idle)
