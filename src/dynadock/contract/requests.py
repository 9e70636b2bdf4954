"""Requests, held against what the document takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from dynadock.call.path import segments_of
from dynadock.call.percent import unquote
from dynadock.contract.finding import REQUEST, shortened
from dynadock.contract.looking import Look
from dynadock.contract.replies import CONTENT_TYPE, LARGEST_CHECKED, is_json
from dynadock.contract.words import one_of
from dynadock.contracts import TRANSPORT, WRONG
from dynadock.record import read_json
from dynadock.show.counts import counted
from dynadock.wire.messages import Headers, media_type

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dynadock.contract.exchange import Exchange
    from dynadock.contract.finding import Finding
    from dynadock.spec.model import Operation
    from dynadock.spec.schema import Schema

_MOST_PARAMETERS = 1_000

_OF_ANY_VERSION = re.compile(r"/v[0-9.]+(?=/)")


def findings_in_request(exchange: Exchange, unchecked: Callable[[str], object]) -> list[Finding]:
    """Return what in a request the document does not take; ``unchecked`` hears of the rest."""
    operation = exchange.operation
    look = Look(operation, REQUEST)
    path, _, written = exchange.target.partition("?")
    segments = segments_in(operation, path)
    if segments is None:
        unchecked(f"{operation.operation_id}: its path is another one")
        return []
    query = _query(look, written)
    headers = Headers(exchange.request_headers)
    content = look.documented.node_of(operation).get("requestBody", {}).get("content", {})
    body = _body(look, exchange, headers, content, unchecked)
    way = (operation.method.lower(), operation.path)
    errors = look.documented.validators.errors_of_request(way, segments, query, headers, body)
    look.parts(errors.parts)
    for other in errors.others:
        unchecked(f"{operation.operation_id}: {type(other).__name__}")
    if body[1] is not None:
        look.value(body[1].value, _schema_of, errors.body)
    return look.findings


def segments_in(operation: Operation, path: str) -> dict[str, str] | None:
    """Return the path's parameters of a request, whatever stands before the operation's own path.

    That may be a version or none, and the path that an engine's address ends with.
    """
    template, base = operation.path, operation.spec.base_path.rstrip("/")
    for literal in (base, ""):
        place = path.find(f"{literal}/") if literal else 0
        if place >= 0:
            rest = unquote(path[place + len(literal) :])
            found = segments_of(template, rest)
            if found is not None:
                return found
    other = _OF_ANY_VERSION.search(path)
    return None if other is None else segments_of(template, unquote(path[other.end() :]))


def _query(look: Look, written: str) -> list[tuple[str, str]]:
    """Return the parameters of a query, and note those that the document does not have.

    Engines take an empty one for none.
    """
    try:
        pairs = parse_qsl(written, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        look.add(WRONG, "query", expected=f"up to {_MOST_PARAMETERS} parameters", got="more")
        return []
    known = look.operation.in_query
    for name in dict.fromkeys(name for name, _ in pairs):
        if name not in known:
            place = f"query {shortened(name)}"
            look.add_unknown(place, name, "query", _parameters, got="the parameter")
    return [(name, value) for name, value in pairs if value and name in known]


def _parameters(operation: Operation) -> Collection[str]:
    return operation.in_query


def _body(
    look: Look,
    exchange: Exchange,
    headers: Mapping[str, str],
    content: Mapping[str, Any],
    unchecked: Callable[[str], object],
) -> tuple[str | None, Any]:
    """Return the key of ``content`` that a body is, and the body as openapi-core is to take it."""
    from dynadock.contract.validators import Parsed

    body, operation = exchange.request_body, look.operation
    if body is None or operation.body is None or operation.body.kind == "binary":
        return None, None
    if not body:
        if operation.body.required:
            look.add(WRONG, "body", expected="one, as it is required", got="none")
        return None, None
    chosen = next(filter(is_json, content), None)
    given = media_type(headers)
    if chosen is None or len(body) > LARGEST_CHECKED:
        unchecked(f"bodies of more than {LARGEST_CHECKED} bytes")
        return None, None
    if not operation.body.is_bare and not is_json(given):
        got = shortened(headers.get("Content-Type") or "") or "nothing"
        look.add(TRANSPORT, CONTENT_TYPE, expected=one_of(content), got=got)
    try:
        return chosen, Parsed.of(read_json(body))
    except ValueError:
        got = f"{counted(len(body), 'byte')} that are none"
        look.add(WRONG, "body", expected="JSON", got=got)
        return None, None


def _schema_of(operation: Operation) -> Schema | None:
    return None if operation.body is None else operation.body.schema
