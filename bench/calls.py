"""Single calls over a connection that is open already."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import docker
import requests
from daemon import VERSION, UnixHTTPConnection, socket_path
from race import race
from report import Sample, Table, milliseconds, times
from requests.adapters import HTTPAdapter

from dynadock.transport.dialled import DialledPool
from dynadock.transport.endpoint import parse_host

if TYPE_CHECKING:
    from dynadock import Client

Call = Callable[[], Any]

OURS = "dynadock"
PEER = "docker-py"
BARE = "http.client + json"
ADAPTER = "requests' adapter alone"
POOL = "urllib3's pool alone"

PING = "SystemPing"
LIST = "ContainerList(all=True)"
PATHS = {PING: "/_ping", "SystemVersion": "/version", LIST: "/containers/json?all=true"}
EXPECTED = {PING: "<= 0.6 x docker-py", LIST: "<= 1.0 x docker-py"}


class _UnixAdapter(HTTPAdapter):
    """requests' adapter with a unix socket below."""

    def __init__(self, pool: DialledPool) -> None:
        super().__init__()
        self._pool = pool

    def get_connection_with_tls_context(self, *_where: object, **_tls: object) -> DialledPool:
        return self._pool


def measure(client: Client, rounds: int) -> Table:
    rows = []
    with docker.APIClient(f"unix://{socket_path()}", version=VERSION) as peer:
        for operation, contestants in _contestants(client, peer).items():
            rows += _rows(operation, race(contestants, rounds))
    return Table(
        "One call",
        "A connection is open already; each round calls every contestant once.",
        ("", "client", "median", "least", "to docker-py", "to http.client", "expected"),
        rows,
    )


def _contestants(client: Client, peer: docker.APIClient) -> dict[str, dict[str, Call]]:
    bare = {name: _bare(path) for name, path in PATHS.items()}
    return {
        PING: {
            OURS: client.SystemPing,
            PEER: peer.ping,
            BARE: bare[PING],
            ADAPTER: _adapter_alone(),
            POOL: _pool_alone(),
        },
        "SystemVersion": {
            OURS: client.SystemVersion,
            PEER: peer.version,
            BARE: bare["SystemVersion"],
        },
        LIST: {
            OURS: lambda: client.ContainerList(all=True),
            PEER: lambda: peer.containers(all=True),
            BARE: bare[LIST],
        },
    }


def _bare(path: str) -> Call:
    connection = UnixHTTPConnection(socket_path())

    def call() -> Any:
        connection.request("GET", f"/v{VERSION}{path}")
        reply = connection.getresponse()
        content = reply.read()
        is_json = reply.headers["Content-Type"] == "application/json"
        return json.loads(content) if is_json else content

    return call


def _adapter_alone() -> Call:
    adapter = _UnixAdapter(DialledPool(parse_host(f"unix://{socket_path()}", "bench")))
    url = f"http://localhost/v{VERSION}/_ping"

    def call() -> Any:
        request = requests.Request("GET", url).prepare()
        return adapter.send(request, timeout=60).content

    return call


def _pool_alone() -> Call:
    pool = DialledPool(parse_host(f"unix://{socket_path()}", "bench"))
    return lambda: pool.urlopen("GET", f"/v{VERSION}/_ping", retries=False).data


def _rows(operation: str, samples: Mapping[str, Sample]) -> list[list[str]]:
    return [
        [
            operation,
            name,
            milliseconds(sample.median),
            milliseconds(sample.least),
            times(sample / samples[PEER]),
            times(sample / samples[BARE]),
            EXPECTED.get(operation, "") if name == OURS else "",
        ]
        for name, sample in samples.items()
    ]
