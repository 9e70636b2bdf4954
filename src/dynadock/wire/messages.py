"""HTTP messages: a request complete and unsent, a reply whole, and the headers of either."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Self

from dynadock.record import Record
from dynadock.secret import MASK, Secret, conceal, is_secret_name, plain_string, reveal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_USER_OF_ADDRESS = re.compile("(%3A%2F%2F)(?:(?!%2F|%22)[^&])*(%40)")
"""What stands between ``://`` and ``@``, as it is written in a query."""

Data = bytes | bytearray | memoryview
"""The types that hold bytes."""

SWITCHING_PROTOCOLS = 101
FIRST_SUCCESS = 200
NO_CONTENT = 204
RESET_CONTENT = 205
FIRST_REDIRECT = 300
NOT_MODIFIED = 304
BAD_REQUEST = 400
FIRST_ERROR = 400
"""Statuses, and where their groups begin (RFC 9110, section 15)."""


class Request:
    """One HTTP request, complete and unsent; frozen, and discreet about what it carries.

    ``target`` is path and query as they are sent. ``body`` is bytes, an iterator of bytes (sent in
    chunks, or with its length if it is `dynadock.wire.uploads.Measured`), or None. ``secrets``
    names query parameters and headers whose values are secret, beside those that are so by their
    names (`dynadock.secret.is_secret_name`).

    Secrets in `target` and `headers` read as a mask, in whatever they get to; `dynadock.reveal`
    gives each of the two as it is sent. A body is not shown, but given as it is sent. A request is
    not pickled.
    """

    __slots__ = ("_headers", "_target", "body", "method", "secrets")
    method: str
    body: bytes | Iterator[bytes] | None
    secrets: frozenset[str]
    _target: str
    _headers: Mapping[str, str]

    def __init__(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Iterator[bytes] | None = None,
        secrets: frozenset[str] = frozenset(),
    ) -> None:
        _keep_method(self, method)
        _keep_target(self, target)
        _keep_headers(self, headers)
        _keep_body(self, body)
        _keep_secrets(self, secrets)

    def __setattr__(self, name: str, _value: Any) -> None:
        raise AttributeError(f"{name}: requests are frozen; prepare another one")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    @property
    def target(self) -> str:
        """Path and query; `dynadock.reveal` gives them as they are sent."""
        shown = self.shown_target
        return self._target if shown == self._target else Secret(self._target, shown)

    @property
    def headers(self) -> dict[str, str]:
        """The headers; `dynadock.reveal` gives them as they are sent."""
        return {
            name: conceal(value) if self._is_secret(name) else value
            for name, value in self._headers.items()
        }

    @property
    def asks_for_upgrade(self) -> bool:
        """Whether the peer may switch protocols in answer to it."""
        return any(name.lower() == "upgrade" for name in self._headers)

    @property
    def shown_target(self) -> str:
        """The target with its secrets masked."""
        path, mark, query = self._target.partition("?")
        return path + mark + "&".join(map(self._shown_pair, query.split("&"))) if mark else path

    def _shown_pair(self, pair: str) -> str:
        from urllib.parse import unquote

        name, mark, value = pair.partition("=")
        plain = unquote(name)
        if value and (plain in self.secrets or is_secret_name(plain)):
            return name + mark + MASK
        # Build arguments may be addresses of proxies, and these may hold a password.
        return _USER_OF_ADDRESS.sub(rf"\1{MASK}\2", pair)

    @property
    def shown_headers(self) -> dict[str, str]:
        """The headers with their secrets masked."""
        return {name: str(value) for name, value in self.headers.items()}

    def _is_secret(self, header: str) -> bool:
        lowered = header.lower()
        return is_secret_name(header) or any(lowered == name.lower() for name in self.secrets)

    def sent(self) -> tuple[str, Mapping[str, str]]:
        """Return target and headers as they are sent, for who writes them."""
        headers, target = self._headers, self._target
        for value in headers.values():
            if type(value) is not str:
                headers = reveal(headers)
                break
        return target if type(target) is str else plain_string(target), headers

    def with_headers(self, added: Mapping[str, str]) -> Request:
        """Return the same request with more headers."""
        headers = {**self._headers, **added}
        return Request(self.method, self._target, headers, self.body, self.secrets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Request) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: Any) -> Self:
        return self

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("requests are not pickled; prepare them again where they are needed")

    def __repr__(self) -> str:
        # A body may be a secret (SecretCreate, SystemAuth), so only its size is shown.
        body = f"{len(self.body)} bytes" if isinstance(self.body, bytes) else self.body
        head = f"{self.method} {self.shown_target}"
        return f"Request({head}, headers={self.shown_headers}, body={body})"


# By the slots themselves, which take half the time of object.__setattr__ and a name.
_keep_method, _keep_target, _keep_headers, _keep_body, _keep_secrets = (
    vars(Request)[name].__set__ for name in ("method", "_target", "_headers", "body", "secrets")
)


class Reply(NamedTuple):
    """A whole reply: its head and all bytes of its body, which its repr does not show."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.body)} bytes)"

    def __rich_repr__(self) -> Iterator[Any]:
        """Yield what rich shows, which looks into tuples by itself."""
        yield self.status
        yield "size", len(self.body)


def media_type(headers: Mapping[str, str]) -> str:
    """Return a reply's media type in lower case and without parameters, empty if it names none."""
    return (headers.get("Content-Type") or "").partition(";")[0].strip().lower()


class Headers(Record):
    """A reply's headers: names in any case; as attributes with ``_``: ``headers.Api_Version``."""

    __slots__ = ()

    def __init__(self, headers: Any = ()) -> None:
        if isinstance(headers, Headers):
            super().__init__(headers)
            return
        pairs = headers.items() if hasattr(headers, "items") else headers
        super().__init__({header_case(name): value for name, value in pairs})

    @classmethod
    def of_cased(cls, headers: dict[str, str]) -> Headers:
        """Take headers whose names are in their usual case already."""
        made = cls.__new__(cls)
        dict.update(made, headers)
        return made

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(header_case(name))

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(header_case(name), value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(header_case(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(header_case(name))

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header's value, ``default`` without one."""
        # Not by super(), which would take half the time: each reply is asked for six headers.
        return dict.get(self, header_case(name), default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return a header's value, after setting it to ``default`` if there was none."""
        return super().setdefault(header_case(name), default)

    def pop(self, name: str, *default: Any) -> Any:
        """Remove a header and return its value; ``default``, else KeyError, if there was none."""
        return super().pop(header_case(name), *default)

    def update(self, *others: Any, **named: Any) -> None:
        """Set headers as dict.update does."""
        for name, value in dict(*others, **named).items():
            self[name] = value

    def __dir__(self) -> list[str]:
        return [*dict.__dir__(self), *(name.replace("-", "_") for name in self)]

    def __reduce__(self) -> tuple[Any, ...]:
        return (Headers, (dict(self),))


class _Cases(dict[str, str]):
    """Headers' names in their usual case: looking one up is faster than writing it."""

    def __missing__(self, name: str) -> str:
        cased = name.replace("_", "-").title()
        if len(name) <= _LONGEST_KEPT_NAME:
            if len(self) >= _MOST_KEPT_NAMES:
                self.clear()
            self[name] = cased
        return cased


_MOST_KEPT_NAMES = 1024
_LONGEST_KEPT_NAME = 64

header_case = _Cases().__getitem__
"""Write a header's name the usual way: ``api_version`` is ``Api-Version``."""
