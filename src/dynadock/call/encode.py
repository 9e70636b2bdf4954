"""From bound arguments to the request that is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dynadock import __version__
from dynadock.call.bind import ABSENT
from dynadock.call.request import Request
from dynadock.call.values import (
    Mismatch,
    compact_json,
    loose_texts,
    shown,
    unexpected,
    utf8_text,
)
from dynadock.errors import Fault, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dynadock.call.bind import Bound
    from dynadock.options import Options

JSON = "application/json"
TAR = "application/x-tar"
CHUNK = 64 * 1024

USER_AGENT = f"dynadock/{__version__}"

_NOT_IN_HEADERS = ("\r", "\n", "\0")


def encode(bound: Bound, options: Options) -> Request:
    """Make the request of a call.

    JSON bodies and tar files get the Content-Type that engines want, which is not always the one
    that documents declare. Headers and query of the options come last and win.
    """
    operation = bound.operation
    target = operation.spec.base_path + bound.path
    query = bound.query
    if options.query:
        query = [*query, *_extra_query(bound, options)]
    if query:
        target += "?" + "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in query)
    headers = {"User-Agent": USER_AGENT}
    body = None
    if bound.body is not ABSENT:
        binary = operation.body is not None and operation.body.kind == "binary"
        headers["Content-Type"] = TAR if binary else JSON
        body = _chunks(bound.body) if binary else compact_json(bound.body).encode()
    if bound.headers or options.headers:
        headers = _merged(headers, bound.headers, _checked(bound, options))
    return Request(operation.method, target, headers, body)


def _extra_query(bound: Bound, options: Options) -> Iterator[tuple[str, str]]:
    for name, value in options.query.items():
        try:
            if not isinstance(name, str):
                raise unexpected("text for a name", name)
            texts = [] if value is None else loose_texts(value)
            pairs = [(utf8_text(name), utf8_text(text)) for text in texts]
        except Mismatch as mismatch:
            place = f"query.{name}" if isinstance(name, str) else "query"
            raise _error(bound, [Fault(place, mismatch.problem, "query")]) from None
        yield from pairs


def _error(bound: Bound, faults: list[Fault]) -> ValidationError:
    operation = bound.operation
    return ValidationError.of(operation.operation_id, str(operation.version), faults)


def _merged(*groups: dict[str, str]) -> dict[str, str]:
    """Merge headers, later ones over earlier ones whatever the case of their names."""
    merged: dict[str, tuple[str, str]] = {}
    for group in groups:
        merged |= {name.lower(): (name, value) for name, value in group.items()}
    return dict(merged.values())


def _checked(bound: Bound, options: Options) -> dict[str, str]:
    """Return the options' headers; what would end the header and start another is a fault."""
    faults = []
    for name, value in options.headers.items():
        if not isinstance(value, str) or not f"{name}{value}".isascii():
            faults.append(Fault(f"headers.{name}", "expected ASCII text", "header"))
        elif not _is_token(name) or any(each in value for each in _NOT_IN_HEADERS):
            faults.append(Fault(f"headers.{name}", "no line breaks, NUL or odd names", "header"))
    if faults:
        raise _error(bound, faults)
    return dict(options.headers)


def _is_token(name: str) -> bool:
    """Tell whether a header's name is a token as RFC 9110 has it."""
    return bool(name) and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name)


def _chunks(body: Any) -> bytes | Iterator[bytes]:
    if isinstance(body, bytes):
        return body
    if hasattr(body, "read"):
        return iter(lambda: body.read(CHUNK), b"")
    return _checked_chunks(body)


def _checked_chunks(chunks: Iterable[Any]) -> Iterator[bytes]:
    for chunk in chunks:
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError(f"expected an iterator of bytes, it gave {shown(chunk)}")
        if chunk:
            yield bytes(chunk)
