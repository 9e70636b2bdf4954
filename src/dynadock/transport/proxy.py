"""HTTP proxies on the way to an engine, out of the environment as Go's programs read it.

The rules are those of golang.org/x/net/http/httpproxy, which the docker command goes by. Unlike it,
every connection goes through the proxy by CONNECT (RFC 9110, section 9.3.6): a proxy that forwards
plain requests passes on neither upgrades nor streams in both directions.
"""

from __future__ import annotations

import base64
import os
import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from dynadock.config.address import Address, Odd, host_and_port, tried
from dynadock.errors import EndpointError, Unsupported
from dynadock.secret import Secret

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    _Address = IPv4Address | IPv6Address

DEFAULT_PORT = 80

_UNSUPPORTED = ("https", "socks5", "socks5h")


class Proxy(NamedTuple):
    """A proxy, and the variable that names it: ``origin``.

    The user and the password that the variable may hold are not in it, so that it can be shown,
    pickled and kept; see `authorization`.
    """

    origin: str
    host: str
    port: int

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
    origin, address = _variable("HTTPS_PROXY" if tls else "HTTP_PROXY")
    if not address.plain or _is_excepted(host, port):
        return None
    if origin == "HTTP_PROXY" and os.environ.get("REQUEST_METHOD"):
        return None
    place = tried(_place_of, address)
    if not isinstance(place, Odd):
        return Proxy(origin, *place)
    if place.kind is Unsupported:
        raise Unsupported(f"{origin}: {place.problem}")
    problem = "is not the address of a proxy; one looks like http://proxy:3128"
    raise EndpointError(f"{origin} {problem}")


def authorization(proxy: Proxy) -> str:
    """Return what the proxy is told of who asks, "" for nothing.

    It is read from the variable that names the proxy, as it is nowhere kept; "" where that names
    another one by now.
    """
    address = Address(os.environ.get(proxy.origin, ""))
    if tried(_place_of, address) != (proxy.host, proxy.port):
        return ""
    user, at, _ = _authority(address.plain).rpartition("@")
    return _basic(user) if at else ""


def _variable(name: str) -> tuple[str, Address]:
    for each in (name, name.lower()):
        if text := os.environ.get(each, ""):
            return each, Address(text)
    return name, Address("")


def _place_of(text: str) -> tuple[str, int]:
    """Return the host and the port of a proxy, as it is named in a variable."""
    scheme, separator, _ = text.partition("://")
    scheme = scheme.lower() if separator else "http"
    host, port = host_and_port(_authority(text).rpartition("@")[2])
    if scheme in _UNSUPPORTED:
        words = "proxies are not supported; use one of http://, or name the engine in NO_PROXY"
        raise Odd(f"{scheme}:// {words}", Unsupported)
    if scheme != "http" or not host:
        raise Odd(f"{scheme}:// is no proxy's")
    return host, port or DEFAULT_PORT


def _authority(text: str) -> str:
    _, separator, rest = text.partition("://")
    return re.split("[/?#]", rest if separator else text, maxsplit=1)[0]


def _basic(user: str) -> str:
    """Return the credentials of a user and a password with a colon, as they are in an address."""
    name, _, password = os.fsencode(user).partition(b":")
    pair = b"%b:%b" % (unquote_to_bytes(name), unquote_to_bytes(password))
    return Secret("Basic " + base64.b64encode(pair).decode("ascii"))


def _is_excepted(host: str, port: int) -> bool:
    """Tell whether no proxy leads to a host: it is here, or NO_PROXY lists it."""
    host = host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    _, listed = _variable("NO_PROXY")
    entries = (entry.strip().lower() for entry in listed.plain.split(","))
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
