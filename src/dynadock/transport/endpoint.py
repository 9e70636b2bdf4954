"""Where an engine is: read from an argument or the environment, without asking anybody."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import urlsplit

from dynadock.errors import EndpointError, Unsupported

HOST_VARIABLE = "DOCKER_HOST"
TLS_VARIABLE = "DOCKER_TLS_VERIFY"
CERTIFICATES_VARIABLE = "DOCKER_CERT_PATH"
CONFIG_VARIABLE = "DOCKER_CONFIG"
DEFAULT_HOST = "unix:///var/run/docker.sock"
DEFAULT_PORT = 2375

_LATER = ("npipe", "https", "fd")


class Endpoint(NamedTuple):
    """The place of an engine.

    ``scheme`` is ``unix`` (then ``path`` is the socket's), ``tcp`` (then ``host`` and ``port``) or
    ``ssh`` (then ``host``, and ``user``, ``port`` and the socket's ``path`` if they were given);
    ``origin`` says why this place: ``host=``, ``DOCKER_HOST`` or the default socket.
    ``certificates`` is the folder that TLS takes them from, empty for a plain connection.
    """

    scheme: str
    origin: str
    path: str = ""
    host: str = ""
    port: int = 0
    certificates: str = ""
    user: str = ""

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{user}{host}{port}{self.path}"


def find_endpoint(host: str | None = None) -> Endpoint:
    """Return the endpoint that ``host`` names, else ``$DOCKER_HOST``, else the default socket.

    EndpointError for what is no address, Unsupported for kinds of address that this release does
    not speak.
    """
    if host is not None:
        return parse_host(host, "host=")
    from_environment = os.environ.get(HOST_VARIABLE)
    if from_environment:
        return parse_host(from_environment, HOST_VARIABLE)
    return parse_host(DEFAULT_HOST, "the default socket")


def parse_host(text: str, origin: str) -> Endpoint:
    """Read ``unix:///path/of.sock``, ``tcp://host:port`` or ``http://host:port``."""
    scheme, separator, rest = text.partition("://")
    if not separator or not rest:
        raise _no_address(text, origin, "it looks like unix:///path/of.sock or tcp://host:2375")
    if scheme == "unix":
        if not rest.startswith("/"):
            raise _no_address(text, origin, "a socket's path starts with '/': unix:///path/of.sock")
        return Endpoint("unix", origin, path=rest)
    if scheme in ("tcp", "http"):
        return _parse_tcp(text, origin)
    if scheme == "ssh":
        return _parse_ssh(text, origin)
    if scheme in _LATER:
        raise Unsupported(f"{origin}: {scheme}:// is not supported; use unix://, tcp:// or ssh://")
    raise _no_address(text, origin, f"{scheme}:// is unknown; there are unix://, tcp:// and ssh://")


def _parse_tcp(text: str, origin: str) -> Endpoint:
    try:
        parts = urlsplit(text)
        host = parts.hostname
        port = DEFAULT_PORT if parts.port is None else parts.port
    except ValueError as error:
        raise _no_address(text, origin, str(error)) from None
    if not host or any(not c.isprintable() or c.isspace() for c in text):
        raise _no_address(text, origin, "it looks like tcp://host:2375")
    if "@" in parts.netloc:
        raise EndpointError(f"{origin}: an engine's address holds no user or password")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _no_address(text, origin, "only host and port can be given: tcp://host:2375")
    return Endpoint("tcp", origin, host=host, port=port, certificates=_certificates())


def _parse_ssh(text: str, origin: str) -> Endpoint:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port or 0
    except ValueError as error:
        raise _no_address(text, origin, str(error)) from None
    if not host or any(not c.isprintable() or c.isspace() for c in text):
        raise _no_address(text, origin, "it looks like ssh://user@host:22/path/of.sock")
    if parts.password is not None:
        raise EndpointError(f"{origin}: an engine's address holds no password; ssh asks for it")
    user = parts.username or ""
    if host.startswith("-") or user.startswith("-"):
        raise _no_address(text, origin, "ssh would take a name with '-' in front for an option")
    if parts.query or parts.fragment:
        raise _no_address(text, origin, "it looks like ssh://user@host:22/path/of.sock")
    path = "" if parts.path == "/" else parts.path
    return Endpoint("ssh", origin, path=path, host=host, port=port, user=user)


def _certificates() -> str:
    """Return the folder that the environment names for TLS, as the docker command reads it.

    Any text in ``DOCKER_TLS_VERIFY`` asks for TLS; the files are those in ``DOCKER_CERT_PATH``,
    else those of the docker command's configuration.
    """
    if not os.environ.get(TLS_VARIABLE):
        return ""
    configured = os.environ.get(CONFIG_VARIABLE) or os.path.expanduser("~/.docker")  # noqa: PTH111
    return os.environ.get(CERTIFICATES_VARIABLE) or configured


def _no_address(text: str, origin: str, problem: str) -> EndpointError:
    return EndpointError(f"{origin}: {text!r} is no address of an engine; {problem}")
