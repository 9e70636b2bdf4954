"""HTTP proxies on the way to an engine, out of the environment as Go's programs read it.

The rules are those of golang.org/x/net/http/httpproxy, which the docker command goes by. Unlike it,
every connection goes through the proxy by CONNECT (RFC 9110, section 9.3.6): a proxy that forwards
plain requests passes on neither upgrades nor streams in both directions.
"""

from __future__ import annotations

import base64
import os
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from dynadock.errors import EndpointError, Unsupported
from dynadock.secret import Secret

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    _Address = IPv4Address | IPv6Address

DEFAULT_PORT = 80

_UNSUPPORTED = ("https", "socks5", "socks5h")


class Proxy(NamedTuple):
    """A proxy: ``origin`` is the variable that names it, ``authorization`` is not shown."""

    origin: str
    host: str
    port: int
    authorization: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def __repr__(self) -> str:
        return f"<proxy {self} from {self.origin}>"


def find_proxy(host: str, port: int, *, tls: bool) -> Proxy | None:
    """Return the proxy on the way to a host, None if there is to be none.

    It is ``HTTPS_PROXY`` for an engine with TLS, else ``HTTP_PROXY``, or the same in small letters;
    none for this machine itself and for what ``NO_PROXY`` lists. ``HTTP_PROXY`` does not count in a
    CGI program, where any client can set it by its ``Proxy`` header. EndpointError for a proxy's
    address that makes no sense, Unsupported for kinds of proxy that this release does not speak.
    """
    name = "HTTPS_PROXY" if tls else "HTTP_PROXY"
    origin, text = _variable(name)
    if not text or _is_excepted(host, port):
        return None
    if origin == "HTTP_PROXY" and os.environ.get("REQUEST_METHOD"):
        return None
    return _parse(text, origin)


def _variable(name: str) -> tuple[str, str]:
    for each in (name, name.lower()):
        if text := os.environ.get(each, ""):
            return each, text
    return name, ""


def _parse(text: str, origin: str) -> Proxy:
    problem = f"{origin} names no proxy that makes sense; one looks like http://proxy:3128"
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        # Nothing is raised in here: the ValueError, which holds the password, would be its context.
        host, port = None, None
    if not host:
        raise EndpointError(problem)
    if parts.scheme in _UNSUPPORTED:
        raise Unsupported(
            f"{origin}: {parts.scheme}:// proxies are not supported; use one of http://, or name"
            " the engine in NO_PROXY"
        )
    if parts.scheme != "http":
        raise EndpointError(problem)
    return Proxy(origin, host, port or DEFAULT_PORT, _authorization(parts.username, parts.password))


def _authorization(user: str | None, password: str | None) -> str:
    if user is None:
        return ""
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return Secret("Basic " + base64.b64encode(pair.encode()).decode("ascii"))


def _is_excepted(host: str, port: int) -> bool:
    """Tell whether no proxy leads to a host: it is here, or NO_PROXY lists it."""
    host = host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    _, listed = _variable("NO_PROXY")
    entries = (entry.strip().lower() for entry in listed.split(","))
    return any(_matches(entry, host, port, address) for entry in entries if entry)


def _matches(entry: str, host: str, port: int, address: _Address | None) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return address is not None and _is_in(address, entry)
    name, wanted = _split_port(entry)
    if wanted not in ("", str(port)):
        return False
    if address is not None:
        return _address(name) == address
    # "example.com" is the name and all below it, ".example.com" and "*.example.com" those below.
    name = name.removeprefix("*")
    return host.endswith(name if name.startswith(".") else f".{name}") or host == name


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    name, colon, port = entry.rpartition(":")
    # More than one colon is an IPv6 address without brackets, and so without a port.
    return (name, port) if colon and ":" not in name else (entry, "")


def _is_in(address: _Address, entry: str) -> bool:
    try:
        return address in ip_network(entry, strict=False)
    except ValueError:
        return False


def _address(text: str) -> _Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
