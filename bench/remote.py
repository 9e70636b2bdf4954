"""What TLS costs: the same engine over its unix socket and over tcp."""

from __future__ import annotations

import contextlib
import http.client
import os
import ssl
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import docker
from bare import ask
from daemon import TIMEOUT, VERSION, UnixHTTPConnection, give_up, socket_path
from docker.tls import TLSConfig
from race import race
from report import Table, milliseconds, times

from dynadock import DynadockError, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dynadock import Client

Call = Callable[[], Any]

OURS = "dynadock"
PEER = "docker-py"
BARE = "http.client"
KEPT = "a call over a kept connection"
FRESH = "a connection and its first call"


def measure(client: Client, address: str, certificates: Path, rounds: int) -> Table:
    """Call over unix and over TLS in turns; a handshake needs fewer rounds, for it takes longer."""
    with (
        _over_tls(address, certificates) as remote,
        _peers(address, certificates) as peers,
        contextlib.closing(UnixHTTPConnection(socket_path())) as local_bare,
        contextlib.closing(_bare_tls(address, certificates)) as remote_bare,
    ):
        if remote.SystemInfo().ID != client.SystemInfo().ID:
            give_up(f"{address} and DOCKER_HOST are not the same engine")
        bare = {"unix": local_bare, "TLS": remote_bare}
        kept = {
            (OURS, "unix"): client.SystemPing,
            (OURS, "TLS"): remote.SystemPing,
            **{(PEER, how): peer.ping for how, peer in peers.items()},
            **{(BARE, how): _call(connection) for how, connection in bare.items()},
        }
        fresh = {
            (OURS, "unix"): _anew(client),
            (OURS, "TLS"): _anew(remote),
            **{(PEER, how): _anew_peer(peer) for how, peer in peers.items()},
            **{(BARE, how): _anew_bare(connection) for how, connection in bare.items()},
        }
        rows = [*_rows(KEPT, kept, rounds), *_rows(FRESH, fresh, max(1, rounds // 10))]
    return Table(
        "SystemPing over TLS",
        "The same engine, over its unix socket and over loopback with certificates on both sides.",
        ("", "client", "over", "median", "least", "to unix", "to http.client"),
        rows,
    )


@contextlib.contextmanager
def _over_tls(address: str, certificates: Path) -> Iterator[Client]:
    os.environ.update(DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(certificates))
    try:
        with load(VERSION, host=address) as client:
            client.SystemPing()
            yield client
    except DynadockError as error:
        give_up(str(error))
    finally:
        del os.environ["DOCKER_TLS_VERIFY"], os.environ["DOCKER_CERT_PATH"]


@contextlib.contextmanager
def _peers(address: str, certificates: Path) -> Iterator[dict[str, docker.APIClient]]:
    own = (str(certificates / "cert.pem"), str(certificates / "key.pem"))
    tls = TLSConfig(client_cert=own, ca_cert=str(certificates / "ca.pem"), verify=True)
    with (
        docker.APIClient(f"unix://{socket_path()}", version=VERSION) as local,
        docker.APIClient(address, version=VERSION, tls=tls) as remote,
    ):
        # For requests a CA bundle in the environment would have precedence over the engine's CA.
        remote.trust_env = False
        yield {"unix": local, "TLS": remote}


def _bare_tls(address: str, certificates: Path) -> http.client.HTTPConnection:
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    place = urlsplit(address)
    return http.client.HTTPSConnection(
        place.hostname or "", place.port, timeout=TIMEOUT, context=context
    )


def _call(connection: http.client.HTTPConnection) -> Call:
    return partial(ask, connection, "/_ping")


def _anew(client: Client) -> Call:
    def call() -> Any:
        client.close()
        return client.SystemPing()

    return call


def _anew_peer(peer: docker.APIClient) -> Call:
    def call() -> Any:
        peer.close()
        return peer.ping()

    return call


def _anew_bare(connection: http.client.HTTPConnection) -> Call:
    call = _call(connection)

    def anew() -> bytes:
        connection.close()
        return call()

    return anew


def _rows(what: str, calls: dict[tuple[str, str], Call], rounds: int) -> list[list[str]]:
    samples = race({" ".join(key): call for key, call in calls.items()}, rounds)
    rows = []
    for name, how in calls:
        sample = samples[f"{name} {how}"]
        rows.append(
            [
                what,
                name,
                how,
                milliseconds(sample.median),
                milliseconds(sample.least),
                times(sample / samples[f"{name} unix"]),
                times(sample / samples[f"{BARE} {how}"]),
            ]
        )
    return rows
