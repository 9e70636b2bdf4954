"""From bound arguments to the request that is sent."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from dynadock import __version__
from dynadock.call.arguments import written
from dynadock.call.bind import ABSENT
from dynadock.call.kinds import TWO_WAY, expected_kind
from dynadock.call.path import fill
from dynadock.call.percent import quote
from dynadock.call.values import compact_json
from dynadock.errors import Fault, ValidationError
from dynadock.secret import is_secret_name, reveal
from dynadock.wire.fields import OF_THE_CONNECTION, WITHOUT_CONTROLS, has_controls, is_token
from dynadock.wire.messages import Request
from dynadock.wire.uploads import blocks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.call.bind import Bound
    from dynadock.options import Options

JSON = "application/json"
TAR = "application/x-tar"

MADE_BY_THE_CONNECTION = "the connection makes this header itself"

USER_AGENT = f"dynadock/{__version__}"


def encode(bound: Bound, options: Options) -> Request:
    """Make the request of a call.

    JSON bodies and tar files get the Content-Type that engines want, which is not always the one
    that documents declare. Headers and query of the options come last and win.
    """
    # What may raise comes first, while no secret is in plain: a traceback may show what is here.
    given = _checked(bound, options) if options.headers else {}
    operation = bound.operation
    headers = {"User-Agent": USER_AGENT}
    body = None
    if bound.body is not ABSENT:
        binary = operation.body is not None and operation.body.kind == "binary"
        headers["Content-Type"] = TAR if binary else JSON
        body = blocks_of(bound.body) if binary else compact_json(bound.body).encode()
    target = operation.target
    if bound.segments:
        target = operation.spec.base_path + fill(operation, bound.segments)
    if bound.query:
        target = _with_query(target, bound)
    if expected_kind(bound) in TWO_WAY:
        headers |= {"Connection": "Upgrade", "Upgrade": operation.reply.upgrade}
    if bound.headers or given:
        headers = _merged(headers, _written_headers(bound), given)
    return Request(operation.method, target, headers, body, _secrets(bound))


def request_of_no_version(target: str, options: Options) -> Request:
    """Make the request for something that belongs to no API version, such as ``/_ping``.

    It is sent as any call is, with the headers of the options. Raises ParameterError.
    """
    headers = {"User-Agent": USER_AGENT}
    if options.headers:
        faults = _faults_of(options.headers)
        if faults:
            raise ValidationError.of(f"GET {target}", "of any version", faults)
        headers = _merged(headers, dict(options.headers))
    return Request("GET", target, headers)


def _with_query(target: str, bound: Bound) -> str:
    parameters = bound.operation.in_query
    pairs = [
        f"{_quoted_name(name)}={_quoted(text)}"
        for name, value in bound.query.items()
        for text in written(parameters.get(name), value)
    ]
    return f"{target}?{'&'.join(pairs)}" if pairs else target


def _quoted(text: str) -> str:
    # Most are words and numbers; to see that is much faster than to quote them.
    return text if text.isascii() and text.isalnum() else quote(text)


_quoted_name = lru_cache(maxsize=1024)(_quoted)


def _written_headers(bound: Bound) -> dict[str, str]:
    parameters = bound.operation.in_headers
    # A document may be anybody's: a length of its own would make another request of the body.
    faults = [
        Fault(parameters[name].python_name, MADE_BY_THE_CONNECTION, "header")
        for name in bound.headers
        if name.lower() in OF_THE_CONNECTION
    ]
    if faults:
        raise _error(bound, faults)
    return {
        name: ",".join(written(parameters[name], value)) for name, value in bound.headers.items()
    }


def _secrets(bound: Bound) -> frozenset[str]:
    """Return the names of what is not to be shown; what no document knows is judged by its name."""
    known = bound.operation.in_query
    unknown = [name for name in bound.query if name not in known and is_secret_name(name)]
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
    faults = _faults_of(options.headers)
    if faults:
        raise _error(bound, faults)
    return dict(options.headers)


def _faults_of(headers: Mapping[str, str]) -> list[Fault]:
    faults = []
    for name, value in reveal(headers).items():
        if not isinstance(value, str) or not f"{name}{value}".isascii():
            faults.append(Fault(f"headers.{name}", "expected ASCII text", "header"))
        elif not is_token(name):
            faults.append(Fault(f"headers.{name}", "this is not the name of a header", "header"))
        elif name.lower() in OF_THE_CONNECTION:
            faults.append(Fault(f"headers.{name}", MADE_BY_THE_CONNECTION, "header"))
        elif has_controls(value):
            faults.append(Fault(f"headers.{name}", WITHOUT_CONTROLS, "header"))
    return faults
