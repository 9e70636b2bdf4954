"""An engine's address as text: what it may look like, and what it says.

The rules are the docker command's (tried on release 28.2): blanks around an address do not count,
``host:port`` and ``:port`` mean tcp, user and path of an ssh address are percent-decoded. What
differs: a name with neither port nor ``tcp://`` is no address, as it is more often a slip than a
host; the path behind ``unix://`` is decoded as well, unless there is a socket by the name as it is
written; and the zone of an IPv6 address may be written ``%25eth0`` (RFC 6874) or ``%eth0``.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dynadock.errors import EndpointError, Unsupported
from dynadock.secret import MASK

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

DEFAULT_HOST = "localhost"
DEFAULT_PIPE = "//./pipe/docker_engine"

_SCHEMES = "unix://, tcp://, ssh://, npipe:// and embedded://"
_HIGHEST_PORT = 65535

# Compiled when they are first asked for: a start need not wait.
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*://"
_AT = r"[@\uff20\ufe6b]|%40"
_ODD_PORT = r"(?s)(?<=:)[^]:?#]*[^]:?#0-9][^]:?#]*(?=[?#]|\Z)|[?#].*"
_QUERY = r"(?s)[?#].*"
_BARE = r"(\[[^]]*\]|[^]/@[]*):[0-9]+(/.*)?"
_AUTHORITY = r"(\[[^]]*\]|[^]:[]*)(?::([0-9]*))?"
_NAME = r"(?=.{1,254}\Z)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?"
_ZONE = r"[A-Za-z0-9_.~:+-]+"
_PIPE = r"//[^/]+/pipe/[^/]+"
_EMBEDDED = r"[A-Za-z0-9._-]{0,128}"
_NOT_IN_A_URL = r"[^A-Za-z0-9._~!$&'()*+,;=:/%-]|%(?![0-9A-Fa-f]{2})"

_NOT_FOR_SSH = r"\s|^[^:]*%"
_NOT_PRINTABLE = "it has a character that cannot be printed"
_PORT = f"a port is a number from 1 to {_HIGHEST_PORT}"
_BRACKETS = "an IPv6 address stands in brackets: tcp://[fd00::1]:2375"


class Address:
    """An address as somebody gave it, who may have put a password into it.

    Its repr and text mask what may be secret, so that it may stand in messages and among a
    traceback's local variables; ``plain`` is the text itself.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, value: str | Address) -> Address:
        """Return a text, or an address, as an address."""
        return value if isinstance(value, Address) else cls(value)

    @property
    def plain(self) -> str:
        """The text as it was given."""
        return self._text

    def __str__(self) -> str:
        return masked(self._text)

    def __repr__(self) -> str:
        return repr(str(self))


class Place(NamedTuple):
    """What an address says; what it leaves out is empty, a port 0."""

    scheme: str
    path: str = ""
    host: str = ""
    port: int = 0
    user: str = ""


class Odd(Exception):
    """Why a text is no address, without anything of the text.

    It is caught where nothing is in plain: the lines of its traceback show the text.
    """

    def __init__(
        self, problem: str, kind: type[EndpointError | Unsupported] = EndpointError
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.kind = kind


def masked(text: str) -> str:
    """Return an address without what may be secret in it.

    It is all before the last ``@``, a query, and a port that is not a number, which may be the
    password where the host was forgotten.
    """
    scheme = re.match(_SCHEME, text)
    end = max((found.end() for found in re.finditer(_AT, text)), default=0)
    # An "@" in front of "://" makes a user of what looks like a scheme.
    start = scheme.end() if scheme and not 0 < end < scheme.end() else 0
    user = f"{MASK}@" if end else ""
    authority, slash, path = text[max(start, end) :].partition("/")
    return (
        text[:start]
        + user
        + re.sub(_ODD_PORT, MASK, authority)
        + re.sub(_QUERY, MASK, slash + path)
    )


def place_of(address: Address, origin: str) -> Place:
    """Read an address that somebody gave in ``origin``.

    EndpointError, or Unsupported, says what one looks like, and shows no secret. The paths of unix
    sockets are looked at, to tell what a ``%`` in them means.
    """
    place = tried(_read, address)
    if not isinstance(place, Odd):
        return place
    if place.kind is Unsupported:
        raise Unsupported(f"{origin}: {place.problem}")
    raise EndpointError(f"{origin}: {address!r} is not the address of an engine; {place.problem}")


def tried(read: Callable[[str], T], address: Address) -> T | Odd:
    """Return what ``read`` makes of an address, or why it makes nothing."""
    try:
        return read(address.plain)
    except Odd as odd:
        return odd.with_traceback(None)


def _read(text: str) -> Place:
    text = text.strip()
    scheme, separator, rest = text.partition("://")
    if not separator:
        if re.fullmatch(_BARE, text, re.DOTALL):
            return _tcp(text)
        raise Odd("it looks like unix:///path/of.sock or tcp://host:2375")
    if scheme in _READERS:
        return _READERS[scheme](rest)
    if scheme in _KNOWN_OTHERWISE:
        raise Odd(_KNOWN_OTHERWISE[scheme], Unsupported)
    raise Odd(f"there are {_SCHEMES}")


def _unix(path: str) -> Place:
    if not path.startswith("/"):
        raise Odd("a socket's path starts with '/': unix:///path/of.sock")
    if "%" in path and not os.path.exists(path):  # noqa: PTH110 - the rest is text
        path = _decoded(path)
    if "\0" in path or not _is_file_name(path):
        raise Odd("no file has such a name")
    return Place("unix", path=path)


def _tcp(rest: str) -> Place:
    authority, _, path = rest.partition("/")
    if "@" in rest:
        raise Odd("it has no place for a user or a password")
    if "?" in rest or "#" in rest:
        raise Odd("only host, port and a path can be given: tcp://host:2375/path")
    if path and not authority:
        raise Odd("it has a path and no host; a socket's address is unix:///path/of.sock")
    if not path.isprintable():
        raise Odd(_NOT_PRINTABLE)
    host, port = host_and_port(authority)
    return Place("tcp", path=_base_path(path), host=host or DEFAULT_HOST, port=port)


def host_and_port(authority: str) -> tuple[str, int]:
    """Return a host, without brackets, and a port, of which any may be missing: "" and 0.

    Odd for what is neither a name, in ASCII, nor an IP address, and for other ports than 1 to
    65535.
    """
    host, port = _split(authority)
    if host and ":" not in host and not re.fullmatch(_NAME, host):
        raise Odd(_problem_of_name(host))
    return host, port


def _problem_of_name(host: str) -> str:
    if host.isascii():
        return "no host has such a name; it looks like tcp://host:2375"
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError:
        return "no host has such a name"
    # What programs make of a name outside of ASCII differs; nobody has to guess at one in it.
    return f"the host's name is not in ASCII; in ASCII it may be {name}"


def _split(authority: str) -> tuple[str, int]:
    found = re.fullmatch(_AUTHORITY, authority, re.DOTALL)
    if found is None:
        raise Odd(_BRACKETS if authority.count(":") > 1 else _PORT)
    host, digits = found[1], found[2] or ""
    port = int(digits) if 0 < len(digits) <= len(str(_HIGHEST_PORT)) else 0
    if digits and not 1 <= port <= _HIGHEST_PORT:
        raise Odd(_PORT)
    return (_ipv6(host[1:-1]) if host.startswith("[") else host), port


def _ipv6(text: str) -> str:
    """Return an IPv6 address with its zone."""
    from ipaddress import IPv6Address

    address, mark, zone = text.partition("%")
    # By RFC 6874 the percent sign is written %25; alone that is the zone number 25.
    zone = zone.removeprefix("25") or zone
    try:
        IPv6Address(address)
    except ValueError:
        address = ""
    if not address or (mark and not re.fullmatch(_ZONE, zone)):
        raise Odd("what stands in brackets is not an IPv6 address")
    return address + mark + zone


def _base_path(path: str) -> str:
    """Return the path that all requests begin with, as it is sent."""
    path = path.rstrip("/")
    return f"/{re.sub(_NOT_IN_A_URL, _encoded, path)}" if path else ""


def _encoded(odd: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in odd[0].encode())


def _ssh(rest: str) -> Place:
    authority, slash, path = rest.partition("/")
    user, _, place = authority.rpartition("@")
    if ":" in user:
        raise Odd("an engine's address holds no password; ssh asks for it")
    host, port = _split(place)
    path = _decoded(slash + path) if path else ""
    user = _decoded(user)
    if "?" in rest or "#" in rest or not host or re.search(_NOT_FOR_SSH, host):
        raise Odd("it looks like ssh://user@host:22/path/of.sock")
    if not f"{user}{host}{path}".isprintable():
        raise Odd(_NOT_PRINTABLE)
    if host.startswith("-") or user.startswith("-"):
        raise Odd("ssh would take a name with '-' in front for an option")
    return Place("ssh", path=path, host=host, port=port, user=user)


def _npipe(path: str) -> Place:
    path = path.replace("\\", "/")
    if not re.fullmatch(_PIPE, path) or not path.isprintable() or re.search(r"\s", path):
        raise Odd(f"a pipe's looks like npipe://{DEFAULT_PIPE}")
    return Place("npipe", path=path)


def _embedded(name: str) -> Place:
    if not re.fullmatch(_EMBEDDED, name):
        raise Odd("an embedded engine's name has letters, digits, '.', '_' and '-', or is empty")
    return Place("embedded", path=name)


_READERS = {
    "unix": _unix,
    "tcp": _tcp,
    "http": _tcp,
    "ssh": _ssh,
    "npipe": _npipe,
    "embedded": _embedded,
}

_KNOWN_OTHERWISE = {
    "https": (
        "https:// is not supported; write tcp:// and set DOCKER_TLS_VERIFY=1 for TLS, or use a"
        " context that has TLS"
    ),
    "fd": f"fd:// is not supported; use {_SCHEMES}",
}
"""What some addresses mean elsewhere, and what to write here."""


def _decoded(text: str) -> str:
    """Undo percent-encoding; bytes that are no UTF-8 become what they are in files' names."""
    if "%" not in text or not _is_file_name(text):
        return text
    from urllib.parse import unquote_to_bytes

    return os.fsdecode(unquote_to_bytes(os.fsencode(text)))


def _is_file_name(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeError:
        return False
    return True
