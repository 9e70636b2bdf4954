"""The engine that is measured against, and the containers that it lists."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from dynadock import Client, NotFound, TransportError, VersionError, load

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "1.42"
IMAGE = "busybox"
LABEL = "dynadock.bench"
TIMEOUT = 60.0
"""Seconds that every client waits; docker-py does so by itself."""


class UnixHTTPConnection(http.client.HTTPConnection):
    """HTTP over a unix socket, which http.client does not have itself."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = connect(self._path)
        self.sock.settimeout(TIMEOUT)


def connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(path)
    return connection


def give_up(reason: str) -> NoReturn:
    sys.exit(f"bench: {reason}")


def socket_path() -> str:
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        give_up("DOCKER_HOST has to be a unix socket here: unix:///path/of.sock")
    return host.removeprefix("unix://")


def connected() -> Client:
    """Return a client at the measured version; exits with the reason why there is none."""
    client = load(VERSION, host=f"unix://{socket_path()}")
    try:
        client.SystemPing()
        client.ImageInspect(IMAGE)
    except (TransportError, VersionError) as error:
        give_up(str(error))
    except NotFound:
        give_up(f"the engine needs the image {IMAGE}")
    return client


@contextlib.contextmanager
def started(client: Client, **body: Any) -> Iterator[str]:
    """Have one container of our own that runs, for as long as it takes."""
    name = f"dynadock-bench-{os.getpid()}"
    made = client.ContainerCreate(name=name, Labels={LABEL: str(os.getpid())}, **body).Id
    try:
        client.ContainerStart(made)
        yield made
    finally:
        client.ContainerDelete(made, force=True, v=True)


@contextlib.contextmanager
def containers(client: Client, count: int) -> Iterator[None]:
    """Have ``count`` containers of our own, created and never started, for as long as it takes."""
    label = f"{LABEL}={os.getpid()}"
    try:
        for number in range(count):
            client.ContainerCreate(
                name=f"dynadock-bench-{os.getpid()}-{number}",
                Image=IMAGE,
                Cmd=["true"],
                Labels={LABEL: str(os.getpid())},
            )
        yield
    finally:
        for each in client.ContainerList(all=True, filters={"label": label}):
            client.ContainerDelete(each.Id, force=True)
