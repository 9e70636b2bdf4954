"""One engine as its clients know it: where it is, the way to it, the versions it speaks."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.call.encode import request_of_no_version
from dynadock.errors import TransportError
from dynadock.options import CONNECT_TIMEOUT, CONNECTIONS
from dynadock.transport.agreement import Agreement
from dynadock.transport.endpoint import Endpoint, find_endpoint
from dynadock.wire.messages import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.contract.deviations import Deviations
    from dynadock.options import Options
    from dynadock.simulation.engine import SimulatedEngine
    from dynadock.transport.additions import Additions
    from dynadock.transport.agreement import Spoken
    from dynadock.transport.driver import Driver
    from dynadock.transport.pool import Pool
    from dynadock.transport.websocket import WebSocketSource
    from dynadock.wire.exchange import Result, Steps
    from dynadock.wire.messages import Request


class Connector:
    """Finds the endpoint and opens connections when they are first needed.

    ``host`` or ``context`` is the caller's choice, None for the environment's; ``connections`` how
    many calls may be under way at a time, others wait. Every client of one engine, at whatever
    version, shares one connector. ``agreement`` is on the versions that the engine speaks.
    """

    def __init__(
        self,
        host: str | None = None,
        context: str | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        if not isinstance(host, (str, type(None))):
            expected = "an address as text, such as unix:///path/of.sock"
            raise TypeError(f"host: expected {expected}, got {type(host).__name__}")
        if not isinstance(context, (str, type(None))):
            raise TypeError(f"context: expected a name as text, got {type(context).__name__}")
        if not isinstance(connections, int) or isinstance(connections, bool) or connections < 1:
            raise ValueError(f"connections: expected an integer above 0, got {connections!r}")
        self.host = host
        self.context = context
        self.connections = connections
        self.agreement = Agreement()
        self._endpoint: Endpoint | None = None
        self._address = ""
        self._additions: Additions | None = None
        self._begin: Callable[..., Driver] | None = None
        self._pool: Pool | None = None
        self._deviations: Deviations | None = None
        # An engine of this client's own is there for as long as somebody holds it.
        self._engine: SimulatedEngine | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave sockets behind: a copy looks for the engine afresh."""
        return (Connector, self.place)

    @property
    def place(self) -> tuple[str | None, str | None, int]:
        """What makes a connector to the same engine: an embedded one is found by its name."""
        host = self.host if self._engine is None else str(self._endpoint)
        return (host, self.context if self._engine is None else None, self.connections)

    @property
    def endpoint(self) -> Endpoint:
        """The place of the engine, looked for once; EndpointError or Unsupported."""
        if self._endpoint is None:
            found = find_endpoint(self.host, self.context)
            self._endpoint = found if found.scheme != "embedded" else self._enter(found)
        return self._endpoint

    def _enter(self, found: Endpoint) -> Endpoint:
        """Return the endpoint of an engine in this process; a nameless one is this client's own."""
        from dynadock.simulation.registry import engine_at, new_engine

        if found.path:
            # Calls say that it is not there, as they say of any engine.
            with suppress(ConnectionRefusedError):
                self._engine = engine_at(found.path)
            return found
        name, self._engine = new_engine()
        return found._replace(path=name)

    @property
    def address(self) -> str:
        """The endpoint as text, by which errors name the engine."""
        if not self._address:
            self._address = str(self.endpoint)
        return self._address

    @property
    def pool(self) -> Pool:
        """The kept connections, made on first use."""
        if self._pool is None:
            from dynadock.transport.pool import Pool

            made = Pool(self.endpoint, self.connections)
            # In one step, as threads may come here at once.
            self._pool = self.__dict__.setdefault("_first_pool", made)
        return self._pool

    @property
    def deviations(self) -> Deviations:
        """What the engine answered that the document says otherwise, as far as calls look at it."""
        if self._deviations is None:
            from dynadock.contract.deviations import Deviations

            # In one step, as above.
            self._deviations = self.__dict__.setdefault("_first_deviations", Deviations())
        return self._deviations

    def addressed(self, request: Request) -> Request:
        """Return a call's request with what all requests to this engine get; see `Additions`.

        Raises ConfigError for headers in the docker command's configuration that cannot be sent.
        """
        if self._additions is None:
            from dynadock.transport.additions import Additions

            self._additions = Additions(self.endpoint)
        return self._additions.to(request)

    def close(self) -> None:
        """Close idle connections."""
        if self._pool is not None:
            self._pool.close()

    def open(
        self, request: Request, timeout: float | None, options: Options, *, keeps: bool
    ) -> Driver:
        """Send a request and return its reply, whose head is read and whose body is not.

        ``timeout`` is in seconds for each wait, None for ever; the options' deadline for all that
        follows. With ``keeps`` the connection may be a kept-alive one of the pool, to be given back
        with `Driver.release`; without it the connection is a new one, for this reply alone. A
        failure that cannot have had an effect is retried. Raises a TransportError; an exception of
        the request's own body is raised unchanged.
        """
        if self._begin is None:
            # Once: the statement alone takes 2 microseconds, of each call's hundred.
            from dynadock.transport.sending import begin

            self._begin = begin
        try:
            return self._begin(request, self.pool, timeout, options, keeps=keeps)
        except TransportError:
            self.agreement.forget()
            raise

    def send(self, request: Request, timeout: float | None, options: Options) -> Reply:
        """Send a request and read its whole reply, over a kept connection where there is one."""
        driver = self.open(request, timeout, options, keeps=True)
        try:
            body = driver.read_all(options.limit)
        except BaseException as error:
            driver.close()
            if isinstance(error, TransportError):
                self.agreement.forget()
            raise
        driver.release()
        return Reply(driver.status, driver.headers, body)

    def websocket(
        self, request: Request, timeout: float | None, options: Options
    ) -> WebSocketSource | Driver:
        """Ask for a websocket; where the engine refuses, return its reply."""
        from dynadock.transport.websocket import agreed
        from dynadock.wire.websocket import with_handshake

        asking = with_handshake(request)
        driver = self.open(asking, timeout, options, keeps=False)
        try:
            return agreed(asking, driver, options.limit)
        except BaseException:
            driver.close()
            raise

    def agree(self, asking: Steps[Result], timeout: float | None, options: Options) -> Result:
        """Carry out steps of the `Agreement` with the engine, and return their result."""
        from dynadock.transport.driver import carry_out

        return carry_out(asking, _Asker(self, timeout, options))

    def ask_versions(self, options: Options) -> Spoken:
        """Ask the engine which API versions it speaks.

        Raises TransportError if it is not reached, DynadockError if what answers is no engine.
        """
        limit = CONNECT_TIMEOUT if options.timeout == "auto" else options.timeout
        try:
            return self.agree(self.agreement.ask(self.address), limit, options)
        except TransportError as error:
            # The message says it all; without this, it would follow a page of our own lines.
            raise error.with_traceback(None) from error.__cause__


class _Asker(NamedTuple):
    """Requests what belongs to no API version (``/_ping``, ``/version``), as any call does."""

    connector: Connector
    timeout: float | None
    options: Options

    def get(self, target: str) -> Reply:
        request = self.connector.addressed(request_of_no_version(target, self.options))
        return self.connector.send(request, self.timeout, self.options)
