"""One engine as a client knows it: where it is, the connections to it, the versions it speaks."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.errors import DynadockError, TransportError
from dynadock.options import CONNECT_TIMEOUT, CONNECTIONS
from dynadock.spec.versions import Version, looks_like_version, parse_version
from dynadock.transport import forks
from dynadock.transport.endpoint import Endpoint, find_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3.response import BaseHTTPResponse

    from dynadock.call.interpret import Reply
    from dynadock.call.request import Request
    from dynadock.options import Options
    from dynadock.transport.exchange import Exchange
    from dynadock.transport.pool import Pool
    from dynadock.transport.websocket import WebSocketSource


class Spoken(NamedTuple):
    """The API versions that an engine speaks; ``oldest`` is None where it does not say."""

    oldest: Version | None
    newest: Version

    def includes(self, version: Version) -> bool:
        """Tell whether a version is one of them."""
        return (self.oldest or version) <= version <= self.newest


class Connector:
    """Finds the endpoint and opens connections when they are first needed.

    ``host`` or ``context`` is the caller's choice, None for the environment's; ``connections`` how
    many calls may be under way at a time, others wait. Every client of one engine, at whatever
    version, shares one connector.
    """

    def __init__(
        self,
        host: str | None = None,
        context: str | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        if not isinstance(connections, int) or isinstance(connections, bool) or connections < 1:
            raise ValueError(f"connections: expected an integer above 0, got {connections!r}")
        self.host = host
        self.context = context
        self.connections = connections
        self.verified: dict[Version, Version | None] = {}
        """Versions that a reply has shown the engine to speak, and what it announced then."""
        self.refused: dict[Version, Spoken] = {}
        """Versions that it does not speak, and those that it did when that was found out."""
        self.engine = ""
        """What the engine has called itself in a reply (``Docker/26.1.5 (linux)``), if it has."""
        self._endpoint: Endpoint | None = None
        self._pool: Pool | None = None
        self._lock = threading.Lock()
        forks.note(self)

    def let_go(self) -> None:
        """Have a lock of this process's own: a thread of the parent's may have held it."""
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave sockets behind: a copy looks for the engine afresh."""
        return (Connector, (self.host, self.context, self.connections))

    @property
    def endpoint(self) -> Endpoint:
        """The place of the engine, looked for once; EndpointError or Unsupported."""
        if self._endpoint is None:
            self._endpoint = find_endpoint(self.host, self.context)
        return self._endpoint

    @property
    def pool(self) -> Pool:
        """The connections, made on first use."""
        if self._pool is None:
            # Imported here for start-up time: looking around needs no connections.
            from dynadock.transport.pool import Pool  # noqa: PLC0415

            with self._lock:
                if self._pool is None:
                    self._pool = Pool(self.endpoint, self.connections)
        return self._pool

    def close(self) -> None:
        """Close idle connections."""
        if self._pool is not None:
            self._pool.close()

    def send(self, request: Request, timeout: float | None, options: Options) -> Reply:
        """Send a request over the pool and read its whole reply; raises a TransportError."""
        try:
            return self.pool.send(request, timeout, options)
        except TransportError:
            self.forget()
            raise

    def open(self, request: Request, timeout: float | None, options: Options) -> BaseHTTPResponse:
        """Send a request over the pool; the reply is unread and the caller's to close."""
        try:
            return self.pool.open(request, timeout, options.retries)
        except TransportError:
            self.forget()
            raise

    def exchange(self, request: Request, timeout: float | None, options: Options) -> Exchange:
        """Send a request over a connection of its own and return the reply, its body unread.

        ``timeout`` is in seconds for each wait, the options' deadline for all that follows. Raises
        a TransportError.
        """
        # Imported here for start-up time: plain calls use the pool.
        from dynadock.transport.exchange import open_exchange  # noqa: PLC0415

        try:
            return open_exchange(self.endpoint, request, timeout, options)
        except TransportError:
            self.forget()
            raise

    def forget(self) -> None:
        """Take no version for spoken any more: who answers next may be another engine."""
        self.verified.clear()

    def websocket(
        self, request: Request, timeout: float | None, options: Options
    ) -> WebSocketSource | Exchange:
        """Ask for a websocket, as `exchange` sends; where the engine refuses, return its reply."""
        # Imported here for start-up time: hardly a call needs websockets.
        from dynadock.transport.websocket import agreed, with_handshake  # noqa: PLC0415

        asking = with_handshake(request)
        exchange = self.exchange(asking, timeout, options)
        try:
            return agreed(asking, exchange)
        except BaseException:
            exchange.close()
            raise

    def get(self, target: str, timeout: float | None, options: Options) -> Reply:
        """Ask for something that belongs to no API version (``/_ping``, ``/version``)."""
        # Imported here for start-up time: a call brings its own request.
        from dynadock.call.request import Request  # noqa: PLC0415

        return self.send(Request("GET", target, {}), timeout, options)

    def spoken_versions(self, timeout: float | None, options: Options) -> Spoken:
        """Ask the engine for the oldest and the newest API version that it speaks.

        The newest is what ``/_ping`` announces in Api-Version, the oldest what ``/version`` calls
        MinAPIVersion (None where it does not say). TransportError if the engine is not reached,
        DynadockError if what answers is no engine.
        """
        ping = self.get("/_ping", timeout, options)
        newest = announced_version(ping.headers)
        self.engine = ping.headers.get("Server") or self.engine
        if newest is None:
            raise DynadockError(
                f"{self.endpoint} answers {ping.status} to /_ping without an Api-Version;"
                " is it a Docker Engine?"
            )
        return Spoken(self._oldest(timeout, options), newest)

    def _oldest(self, timeout: float | None, options: Options) -> Version | None:
        try:
            tree = json.loads(self.get("/version", timeout, options).body)
        except (TransportError, ValueError):
            return None
        text = tree.get("MinAPIVersion") if isinstance(tree, dict) else None
        return parse_version(text) if isinstance(text, str) and looks_like_version(text) else None

    def refusal(self, version: Version, options: Options) -> Spoken | None:
        """Return what the engine speaks instead of ``version``, if that is known and still holds.

        It holds as long as the engine announces the same version, which is asked. TransportError if
        the engine is not reached.
        """
        spoken = self.refused.get(version)
        if spoken is None:
            return None
        ping = self.get("/_ping", CONNECT_TIMEOUT, options)
        if announced_version(ping.headers) == spoken.newest:
            return spoken
        self.refused.pop(version, None)
        return None


def announced_version(headers: Mapping[str, str]) -> Version | None:
    """Return the version that a reply's Api-Version header announces: the engine's newest."""
    text = headers.get("Api-Version")
    return parse_version(text) if text and looks_like_version(text) else None
