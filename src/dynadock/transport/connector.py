"""One engine as a client knows it: where it is, the connections to it, the versions it speaks."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from dynadock.errors import DynadockError, TransportError
from dynadock.options import CONNECT_TIMEOUT
from dynadock.spec.versions import Version, looks_like_version, parse_version
from dynadock.transport.endpoint import Endpoint, find_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.call.interpret import Reply
    from dynadock.call.request import Request
    from dynadock.transport.exchange import Exchange
    from dynadock.transport.pool import Pool
    from dynadock.transport.websocket import WebSocketSource


class Connector:
    """Finds the endpoint and opens connections when they are first needed.

    ``host`` or ``context`` is the caller's choice, None for the environment's. Every client of one
    engine, at whatever version, shares one connector.
    """

    def __init__(self, host: str | None = None, context: str | None = None) -> None:
        self.host = host
        self.context = context
        self.verified: set[Version] = set()
        """Versions that a reply has shown the engine to speak."""
        self.engine = ""
        """What the engine has called itself in a reply (``Docker/26.1.5 (linux)``), if it has."""
        self._endpoint: Endpoint | None = None
        self._pool: Pool | None = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave sockets behind: a copy looks for the engine afresh."""
        return (Connector, (self.host, self.context))

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
                    self._pool = Pool(self.endpoint)
        return self._pool

    def close(self) -> None:
        """Close idle connections."""
        if self._pool is not None:
            self._pool.close()

    def exchange(self, request: Request, timeout: float | None, deadline: float | None) -> Exchange:
        """Send a request over a connection of its own and return the reply, its body unread.

        ``timeout`` is in seconds for each wait, ``deadline`` for all that follows; None for ever.
        Raises a TransportError.
        """
        # Imported here for start-up time: plain calls use the pool.
        from dynadock.transport.exchange import open_exchange  # noqa: PLC0415

        return open_exchange(self.endpoint, request, timeout, deadline)

    def websocket(
        self, request: Request, timeout: float | None, deadline: float | None
    ) -> WebSocketSource | Exchange:
        """Ask for a websocket, as `exchange` sends; where the engine refuses, return its reply."""
        # Imported here for start-up time: hardly a call needs websockets.
        from dynadock.transport.websocket import agreed, with_handshake  # noqa: PLC0415

        asking = with_handshake(request)
        exchange = self.exchange(asking, timeout, deadline)
        try:
            return agreed(asking, exchange)
        except BaseException:
            exchange.close()
            raise

    def get(self, target: str, timeout: float | None) -> Reply:
        """Ask for something that belongs to no API version (``/_ping``, ``/version``)."""
        # Imported here for start-up time: a call brings its own request.
        from dynadock.call.request import Request  # noqa: PLC0415

        return self.pool.send(Request("GET", target, {}), timeout)

    def spoken_versions(
        self, timeout: float | None = CONNECT_TIMEOUT
    ) -> tuple[Version | None, Version]:
        """Ask the engine for the oldest and the newest API version that it speaks.

        The newest is what ``/_ping`` announces in Api-Version, the oldest what ``/version`` calls
        MinAPIVersion (None where it does not say). TransportError if the engine is not reached,
        DynadockError if what answers is no engine.
        """
        ping = self.get("/_ping", timeout)
        newest = announced_version(ping.headers)
        self.engine = ping.headers.get("Server") or self.engine
        if newest is None:
            raise DynadockError(
                f"{self.endpoint} answers {ping.status} to /_ping without an Api-Version;"
                " is it a Docker Engine?"
            )
        return self._oldest(timeout), newest

    def _oldest(self, timeout: float | None) -> Version | None:
        try:
            tree = json.loads(self.get("/version", timeout).body)
        except (TransportError, ValueError):
            return None
        text = tree.get("MinAPIVersion") if isinstance(tree, dict) else None
        return parse_version(text) if isinstance(text, str) and looks_like_version(text) else None


def announced_version(headers: Mapping[str, str]) -> Version | None:
    """Return the version that a reply's Api-Version header announces: the engine's newest."""
    text = headers.get("Api-Version")
    return parse_version(text) if text and looks_like_version(text) else None
