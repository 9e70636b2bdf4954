"""Sockets that a server listens at: which addresses there are, and what is done for safety."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from dynadock.config.address import Address, place_of
from dynadock.errors import DynadockWarning, EndpointError
from dynadock.warn import warn_caller

if TYPE_CHECKING:
    from dynadock.config.address import Place

_ONLY_FOR_US = 0o600
_BACKLOG = 512
_ANY_PORT = ":0"
_LONGEST_PATH = 107
"""Bytes of a socket's path on Linux (unix(7)); other systems refuse some that are shorter."""


class RemoteAccessWarning(DynadockWarning):
    """A server listens where other machines can reach it; whoever does may do anything there."""


class Listener:
    """A socket that listens, and its address in ``url``."""

    def __init__(self, sock: socket.socket, url: str) -> None:
        self.sock = sock
        self.url = url
        self.is_tcp = sock.family != socket.AF_UNIX
        self._path: Path | None = None
        if not self.is_tcp:
            self._path = Path(sock.getsockname())
            self._identity = _identity(self._path)

    def close(self) -> None:
        """Listen no more, and remove the socket's file if it is still ours."""
        self.sock.close()
        if self._path is not None:
            with suppress(FileNotFoundError):
                if _identity(self._path) == self._identity:
                    self._path.unlink()


def listen(address: str, *, allow_remote: bool) -> Listener:
    """Listen at ``unix:///path``, or at ``tcp://127.0.0.1:port``, where 0 stands for any port.

    Only this user can connect to the former. EndpointError for other addresses, where somebody
    listens already, and for those of other machines' reach, unless ``allow_remote``: then there is
    a `RemoteAccessWarning`.
    """
    takes_any_port = address.endswith(_ANY_PORT)
    place = place_of(Address(address.removesuffix(_ANY_PORT)), "the address to listen at")
    if place.scheme == "unix":
        return _listen_at_path(place.path)
    if place.scheme != "tcp" or place.path:
        raise EndpointError(
            f"the address to listen at: {address!r}; there are unix:///path and"
            " tcp://127.0.0.1:2375"
        )
    if not place.port and not takes_any_port:
        raise EndpointError(f"the address to listen at: {address!r} has no port")
    return _listen_at_port(place, allow_remote=allow_remote)


def _listen_at_path(path: str) -> Listener:
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise EndpointError(
            f"the address to listen at: unix://{path} is too long, a socket's path has"
            f" {_LONGEST_PATH} bytes at most"
        )
    _make_room(path)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(path)
        # Nobody can connect before it listens, whatever mode it was made with.
        Path(path).chmod(_ONLY_FOR_US)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise EndpointError(f"cannot listen at unix://{path}: {error.strerror}") from error
    return Listener(sock, f"unix://{path}")


def _make_room(path: str) -> None:
    """Remove a socket that nobody listens at any more; EndpointError for anything else there."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise EndpointError(f"cannot listen at unix://{path}: there is a file that is no socket")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)
            return
        except OSError as error:
            raise EndpointError(f"cannot listen at unix://{path}: {error.strerror}") from error
    raise EndpointError(f"cannot listen at unix://{path}: another server does so")


def _listen_at_port(place: Place, *, allow_remote: bool) -> Listener:
    try:
        found = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise EndpointError(f"cannot listen at tcp://{place.host}: {error.strerror}") from error
    family, _, _, _, where = found[0]
    if not _is_loopback(str(where[0])):
        _refuse_or_warn(place, allow_remote=allow_remote)
    sock = socket.socket(family)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise EndpointError(
            f"cannot listen at tcp://{_shown(place.host)}:{place.port}: {error.strerror}"
        ) from error
    return Listener(sock, f"tcp://{_shown(place.host)}:{sock.getsockname()[1]}")


def _refuse_or_warn(place: Place, *, allow_remote: bool) -> None:
    what = (
        f"tcp://{_shown(place.host)} can be reached from other machines, and whoever reaches it may"
        " do anything with the engine"
    )
    if not allow_remote:
        raise EndpointError(f"the address to listen at: {what}; 127.0.0.1 is for this machine")
    warn_caller(what, RemoteAccessWarning)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_loopback(host: str) -> bool:
    return ip_address(host.partition("%")[0]).is_loopback


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino
