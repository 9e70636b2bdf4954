"""A proxy between any program and an engine, which tells what they ask and answer."""

from __future__ import annotations

import itertools
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from dynadock.compat.exchanges import Keeping
from dynadock.compat.notebook import Notebook
from dynadock.compat.passing import Passage
from dynadock.compat.pinning import Gate, Pin
from dynadock.compat.reader import Reader
from dynadock.compat.tapes import Queue, Tape
from dynadock.compat.watch_text import text_of
from dynadock.embedded.accepting import MOST_CONNECTIONS, Door
from dynadock.embedded.farewell import cut
from dynadock.embedded.pacing import wait_for_reader
from dynadock.errors import DynadockError, EndpointError
from dynadock.simulation.answers import refusal
from dynadock.simulation.sending import beginning
from dynadock.spec.library import available_versions
from dynadock.spec.versions import VersionRange, parse_range, parse_version
from dynadock.transport.connector import Connector
from dynadock.transport.faults import never_reached
from dynadock.transport.links.dial import connect
from dynadock.transport.links.sockets import SocketLink

if TYPE_CHECKING:
    import os
    import socket
    import ssl

    from dynadock.compat.notebook import WatchedExchange
    from dynadock.compat.passing import Between
    from dynadock.compat.recording import Recorder
    from dynadock.compat.usage import Usage
    from dynadock.contract.deviations import Deviations
    from dynadock.embedded.server import Server
    from dynadock.transport.endpoint import Endpoint
    from dynadock.transport.links.link import Link

_TO_CONNECT = 30.0
"""Seconds for the engine's connection, and for a client's handshake."""

_TO_ANSWER = 5.0
"""Seconds that a client has to ask, and to hang up, where there is no engine."""

_MOST_READ = 256
"""Pieces of a request that are read where there is no engine."""

_UNREACHED = 502


class Certificates(NamedTuple):
    """Files in PEM of who is connected to; with ``authorities`` clients need a certificate too."""

    certificate: str
    key: str
    authorities: str = ""


def watch(
    to: str | None = None,
    at: str | None = None,
    *,
    api: str | None = None,
    pin: str | None = None,
    record: str | os.PathLike[str] | None = None,
    certificates: Certificates | None = None,
    allow_remote: bool = False,
) -> Watch:
    """Let programs reach an engine by another address, and tell what passes.

    ``to`` is the engine's address as `load` takes it (``embedded://`` simulates one), by default
    the environment's. ``at`` is where to listen, ``unix:///path`` or ``tcp://127.0.0.1:port``, by
    default a unix socket in a new folder; with ``certificates`` there is TLS. Other machines are
    let in only with ``allow_remote``.

    ``api`` is the range of versions that the report is about (``1.30-1.45``), by default all. With
    a ``pin``, such as ``1.41``, the engine seems to speak no newer version. ``record`` is a file
    that keeps the exchanges.

    Raises EndpointError for addresses that make no sense or cannot be listened at, SpecError for
    versions, OSError for the file.
    """
    return Watch(
        to,
        at,
        api=api,
        pin=pin,
        record=record,
        certificates=certificates,
        allow_remote=allow_remote,
    )


class Watch:
    """A proxy that is under way until it is closed; see `watch`.

    ``url`` is where programs reach it. Everything else is about what has passed so far, in whole
    exchanges: `exchanges` are the newest, `deviations` where they depart from their documents,
    `usage` what the program uses and which versions have that; `report` is all of it as text,
    `as_dict` as plain values, `html` as a page.

    ``most_connections`` are served at a time; a ``recorder`` is given all exchanges in place of a
    file, with their secrets.

    Bytes pass as they are, unless there is a pin. What passes is read later by a thread of its own,
    within bounds; what was beyond them is counted.
    """

    def __init__(
        self,
        to: str | None = None,
        at: str | None = None,
        *,
        api: str | None = None,
        pin: str | None = None,
        record: str | os.PathLike[str] | None = None,
        certificates: Certificates | None = None,
        allow_remote: bool = False,
        most_connections: int = MOST_CONNECTIONS,
        recorder: Recorder | None = None,
    ) -> None:
        self.range = parse_range("all" if api is None else api)
        self._pin = None if pin is None else _pinned(pin)
        self._connector = Connector(to)
        self._context = None if certificates is None else _context(certificates)
        self._folder = TemporaryDirectory(prefix="dynadock-")
        self._served: Server | None = None
        self._recorder: Recorder | None = recorder
        self._numbers = itertools.count(1)
        self._queue = Queue()
        keeps_all = record is not None or recorder is not None
        self._keeping = Keeping(all_types=keeps_all)
        self._is_closed = False
        self.unreached = 0
        try:
            self._endpoint = self._find_engine()
            self.engine = str(self._connector.endpoint)
            if record is not None:
                self._recorder = _open_recorder(record, self.engine)
            self.notebook = Notebook(_usage(self.range), str(pin or ""), self._recorder)
            self._door = Door(
                at or f"unix://{self._folder.name}/watch.sock",
                allow_remote=allow_remote,
                most=most_connections,
            )
        except BaseException:
            self._end_what_is_begun()
            raise
        self.url = self._door.url
        self._reader = Reader(self._queue, self.notebook)
        self._door.open(self._connection)

    def _find_engine(self) -> Endpoint:
        """Return where bytes are passed on to; an engine of this process is served for that."""
        endpoint = self._connector.endpoint
        if endpoint.base_path:
            raise EndpointError(
                f"{endpoint}: requests to it begin with a path, and what is watched is passed on as"
                " it is; an address without a path is needed"
            )
        if endpoint.scheme != "embedded":
            return endpoint
        from dynadock.embedded.server import Server
        from dynadock.simulation.registry import engine_at
        from dynadock.transport.endpoint import parse_host

        try:
            engine = engine_at(endpoint.path)
        except ConnectionRefusedError as error:
            raise never_reached(error, endpoint) from None
        self._served = Server(engine, f"unix://{self._folder.name}/engine.sock")
        return parse_host(self._served.url, endpoint.origin)

    def _connection(self, sock: socket.socket) -> _Connection:
        def wait_for_client() -> None:
            wait_for_reader(sock.fileno(), at_least=0)

        number = next(self._numbers)
        return _Connection(self, sock, Tape(self._queue, number, self._keeping, wait_for_client))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections, and read the rest of what has passed; may be called again."""
        if not self._is_closed:
            self._is_closed = True
            self._door.close()
            self._reader.close()
            self._end_what_is_begun()

    def _end_what_is_begun(self) -> None:
        if self._served is not None:
            self._served.close()
        if self._recorder is not None:
            self._recorder.close()
        self._folder.cleanup()

    # What has passed

    @property
    def connections(self) -> int:
        """How many connections there are just now."""
        return len(self._door)

    @property
    def exchanges(self) -> list[WatchedExchange]:
        """The newest exchanges, in the order in which they ended."""
        self._reader.catch_up()
        return self.notebook.newest_exchanges()

    @property
    def deviations(self) -> Deviations:
        """Where exchanges depart from the document of the version that they name."""
        self._reader.catch_up()
        return self.notebook.judge.deviations

    @property
    def usage(self) -> Usage:
        """What the program uses, and which versions have all of it."""
        self._reader.catch_up()
        return self.notebook.usage

    def as_dict(self) -> dict[str, Any]:
        """Return everything that is known, as plain values; no secret is among them."""
        self._reader.catch_up()
        return {
            "format": "dynadock watch 1",
            "to": self.engine,
            "api": str(self.range),
            "pin": None if self._pin is None else str(self._pin.version),
            "unreached": self.unreached,
            "left_out": self._queue.left_out,
            **self.notebook.as_dict(),
            "deviations": self.notebook.judge.deviations.as_dict(),
            "usage": self.notebook.usage.as_dict(),
        }

    def report(self) -> str:
        """Return everything that is known as text; control characters are escaped."""
        known = self.as_dict()
        return text_of(known, self.notebook.usage.text, str(self.notebook.judge.deviations))

    def html(self) -> str:
        """Return everything that is known as a page of HTML."""
        from dynadock.compat.watch_page import watch_page

        return watch_page(self.as_dict())

    def __repr__(self) -> str:
        return f"<Watch {self.url} to {self.engine}: {self.notebook.total} exchanges>"

    # What connections need

    @property
    def watcher(self) -> Any:
        """The thread that notes hang-ups."""
        return self._door.watcher

    def link_to_client(self, sock: socket.socket) -> Link:
        """Return a client's connection; OSError if it does not shake hands."""
        if self._context is None:
            return SocketLink(sock)
        from dynadock.transport.links.tls import TlsLink

        sock.settimeout(_TO_CONNECT)
        link = TlsLink(sock, self._context, None)
        link.shake_hands()
        link.allow(None)
        return link

    def link_to_engine(self) -> Link:
        """Return a new connection to the engine; TransportError if there is none."""
        try:
            link = connect(self._endpoint, _TO_CONNECT)
        except OSError as error:
            self.unreached += 1
            raise never_reached(error, self._connector.endpoint) from error
        link.allow(None)
        return link

    def between(self, client: Link, engine: Link, tape: Tape) -> Between:
        """Return what stands between a client and the engine."""
        return tape if self._pin is None else Gate(self._pin, tape, client.send, engine.send)


class _Connection:
    """A client's connection: the engine's is made for it, and both are closed at the end."""

    def __init__(self, watch: Watch, sock: socket.socket, tape: Tape) -> None:
        self._watch = watch
        self._sock = sock
        self._tape = tape
        self._passage: Passage | None = None
        self._is_abandoned = False

    def run(self) -> None:
        """Pass everything on until both sides have ended; never raises."""
        try:
            client = self._watch.link_to_client(self._sock)
        except OSError:
            self._sock.close()
            return
        try:
            engine = self._watch.link_to_engine()
        except DynadockError as error:
            self._tell(client, str(error))
            return
        between = self._watch.between(client, engine, self._tape)
        self._passage = Passage(client, engine, between, self._watch.watcher)
        if self._is_abandoned:
            self._passage.abandon()
        self._passage.run()

    def abandon(self) -> None:
        """Have `run` end soon."""
        self._is_abandoned = True
        if self._passage is not None:
            self._passage.abandon()
        else:
            cut(self._sock)

    def _tell(self, client: Link, words: str) -> None:
        """Answer the first request that the engine is not there, and hang up."""
        try:
            client.allow(_TO_ANSWER)
            if client.receive():
                answer = refusal(_UNREACHED, f"nothing is watched: {words}")
                client.send(beginning(answer, "", {"Connection": "close"}, can_chunk=False))
                client.close_sending()
                # It goes first, so that it gets to read this.
                for _ in range(_MOST_READ):
                    if not client.receive():
                        break
        except OSError:
            pass  # The client has not waited.
        finally:
            client.close()


def _pinned(text: str) -> Pin:
    from dynadock.spec.library import find_document

    version = parse_version(text)
    # SpecError where there is no document, and so no knowing what it has.
    find_document(version)
    return Pin(version, max(available_versions()))


def _context(files: Certificates) -> ssl.SSLContext:
    from dynadock.transport.links.tls import server_context

    return server_context(*files)


def _open_recorder(path: str | os.PathLike[str], engine: str) -> Recorder:
    from dynadock.compat.recording import Recorder

    return Recorder(path, engine)


def _usage(versions: VersionRange) -> Usage:
    from dynadock.compat.usage import Usage

    return Usage([each for each in available_versions() if each in versions])
