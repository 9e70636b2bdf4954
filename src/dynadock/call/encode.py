"""From bound arguments to the request that is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock import __version__
from dynadock.call.bind import ABSENT, NOT_IN_HEADERS
from dynadock.call.kinds import TWO_WAY, expected_kind
from dynadock.call.percent import quote
from dynadock.call.request import Request
from dynadock.call.uploads import blocks_of
from dynadock.call.values import compact_json
from dynadock.errors import Fault, ValidationError
from dynadock.options import is_secret_name

if TYPE_CHECKING:
    from dynadock.call.bind import Bound
    from dynadock.options import Options

JSON = "application/json"
TAR = "application/x-tar"
FRAMING = (
    "connection",
    "content-length",
    "sec-websocket-key",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
)
"""Headers that must fit the bytes around them: another value would be another request."""

USER_AGENT = f"dynadock/{__version__}"


def encode(bound: Bound, options: Options) -> Request:
    """Make the request of a call.

    JSON bodies and tar files get the Content-Type that engines want, which is not always the one
    that documents declare. Headers and query of the options come last and win.
    """
    operation = bound.operation
    target = operation.spec.base_path + bound.path
    query = bound.query
    if query:
        target += "?" + "&".join(f"{quote(n)}={quote(v)}" for n, v in query)
    headers = {"User-Agent": USER_AGENT}
    body = None
    if bound.body is not ABSENT:
        binary = operation.body is not None and operation.body.kind == "binary"
        headers["Content-Type"] = TAR if binary else JSON
        body = blocks_of(bound.body) if binary else compact_json(bound.body).encode()
    if expected_kind(bound) in TWO_WAY:
        headers |= {"Connection": "Upgrade", "Upgrade": operation.reply.upgrade}
    if bound.headers or options.headers:
        headers = _merged(headers, bound.headers, _checked(bound, options))
    return Request(operation.method, target, headers, body, _secrets(bound))


def _secrets(bound: Bound) -> frozenset[str]:
    """Return the names of what is not to be shown; what no document knows is judged by its name."""
    known = bound.operation.by_name
    unknown = [name for name, _ in bound.query if name not in known and is_secret_name(name)]
    return bound.operation.secrets.union(unknown) if unknown else bound.operation.secrets


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
        elif not _is_token(name):
            faults.append(Fault(f"headers.{name}", "this is no header's name", "header"))
        elif name.lower() in FRAMING:
            problem = "the connection makes this header itself"
            faults.append(Fault(f"headers.{name}", problem, "header"))
        elif NOT_IN_HEADERS.search(value):
            problem = "expected text without line breaks and other controls, got some that has them"
            faults.append(Fault(f"headers.{name}", problem, "header"))
    if faults:
        raise _error(bound, faults)
    return dict(options.headers)


def _is_token(name: str) -> bool:
    """Tell whether a header's name is a token as RFC 9110 has it."""
    return bool(name) and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name)
