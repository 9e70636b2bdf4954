"""Replies, held against what the document says of their status."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from dynadock.contract.finding import REPLY, shortened
from dynadock.contract.looking import Look
from dynadock.contract.words import one_of
from dynadock.contracts import TRANSPORT
from dynadock.errors import TransportError
from dynadock.record import read_json
from dynadock.show.counts import counted
from dynadock.spec.openapi import ITEM_SCHEMA
from dynadock.wire.json_values import JsonDecoder
from dynadock.wire.messages import Headers, media_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.contract.exchange import Exchange
    from dynadock.contract.finding import Finding
    from dynadock.contract.looking import SchemaOf
    from dynadock.spec.model import Operation
    from dynadock.spec.schema import Schema

LARGEST_CHECKED = 8 * 2**20
"""Bytes of a body that is looked at; a list of some thousand containers has as many."""

CONTENT_TYPE = "header Content-Type"

_ANY = "default"


def findings_in_reply(exchange: Exchange, unchecked: Callable[[str], object]) -> list[Finding]:
    """Return what in a reply is not as the document says; ``unchecked`` hears of the rest."""
    operation, status = exchange.operation, exchange.status
    look = Look(operation, REPLY)
    responses = look.documented.node_of(operation).get("responses", {})
    code = _code_for(responses, status)
    if code is None:
        look.add(TRANSPORT, "status", expected=one_of(responses), got=str(status))
        return look.findings
    content = responses[code].get("content", {})
    chosen = _content_type(look, exchange, content)
    data = _data(look, exchange, content, chosen, unchecked)
    headers = Headers(exchange.reply_headers)
    way = (operation.method.lower(), operation.path)
    errors = look.documented.validators.errors_of_reply(way, status, headers, (chosen, data))
    look.parts(errors.parts)
    for other in errors.others:
        unchecked(f"{operation.operation_id}: {type(other).__name__}")
    if data is not None:
        look.value(data.value, _schema_of(code), errors.body)
    if exchange.reply_body and chosen and ITEM_SCHEMA in content[chosen]:
        _items(look, code, exchange.reply_body, unchecked)
    return look.findings


def _code_for(responses: Mapping[str, Any], status: int) -> str | None:
    """Return the key of what is said of a status: its own, its class's (``4XX``), or any's."""
    text = str(status)
    return next((key for key in (text, f"{text[0]}XX", _ANY) if key in responses), None)


def _schema_of(code: str) -> SchemaOf:
    def schema_of(operation: Operation) -> Schema | None:
        responses = operation.reply.responses
        # Other versions may have another success, and newer ones other errors.
        found = responses.get(code) or responses.get(code.lower())
        if found is None and code.startswith("2"):
            return operation.reply.schema
        return (found or {}).get("schema")

    return schema_of


def _content_type(look: Look, exchange: Exchange, content: Mapping[str, Any]) -> str | None:
    """Return the key of ``content`` that a reply's type fits, None if there is none.

    A reply that names no type is taken for the first.
    """
    if not content or exchange.reply_body == b"":
        return None
    given = exchange.content_type
    found = media_type({"Content-Type": given or ""})
    if not found:
        look.add(TRANSPORT, CONTENT_TYPE, expected=one_of(content), got="nothing")
        return next(iter(content))
    for key in content:
        if fnmatchcase(found, key.partition(";")[0].strip().lower()):
            return key
    look.add(TRANSPORT, CONTENT_TYPE, expected=one_of(content), got=shortened(given or ""))
    return None


def _data(
    look: Look,
    exchange: Exchange,
    content: Mapping[str, Any],
    chosen: str | None,
    unchecked: Callable[[str], object],
) -> Any:
    """Return a body as openapi-core is to take it, None where it is to look at none."""
    from dynadock.contract.validators import Parsed

    body = exchange.reply_body
    if body is None:
        return None
    if not content and body:
        size = counted(len(body), "byte")
        look.add(TRANSPORT, "body", expected="no body", got=f"one of {size}")
    # A stream may have nothing in it, and has no schema of the whole.
    if not body and any("schema" in media for media in content.values()):
        look.add(TRANSPORT, "body", expected=one_of(content), got="no body")
    if not body or chosen is None or "schema" not in content[chosen]:
        return None
    if len(body) > LARGEST_CHECKED:
        unchecked(f"bodies of more than {LARGEST_CHECKED} bytes")
        return None
    if not is_json(chosen):
        return Parsed.of(body.decode("utf-8", "replace"))
    try:
        return Parsed.of(read_json(body))
    except ValueError:
        got = f"{counted(len(body), 'byte')} that are none"
        look.add(TRANSPORT, "body", expected="JSON", got=got)
        return None


def _items(look: Look, code: str, body: bytes, unchecked: Callable[[str], object]) -> None:
    """Look at the values of a stream that has been read whole."""
    if len(body) > LARGEST_CHECKED:
        unchecked(f"bodies of more than {LARGEST_CHECKED} bytes")
        return
    decoder = JsonDecoder(LARGEST_CHECKED)
    items = decoder.feed(body)
    try:
        items += decoder.finish()
    except TransportError as error:
        decoder.fault = error
    if decoder.fault is not None:
        look.add(TRANSPORT, "body", expected="values of JSON", got="something that is none")
    for item in items:
        look_at_item(look, item, code)


def look_at_item(look: Look, item: Any, code: str = "") -> None:
    """Look at one value of a stream; without a ``code`` the success is meant."""
    _look_at(look, item, code, (ITEM_SCHEMA,))


def look_at_value(look: Look, value: Any) -> None:
    """Look at the value of a success."""
    _look_at(look, value, "", ("schema", ITEM_SCHEMA))


def _look_at(look: Look, value: Any, code: str, keywords: tuple[str, ...]) -> None:
    operation = look.operation
    responses = look.documented.node_of(operation).get("responses", {})
    codes = [code] if code else [each for each in responses if each.startswith("2")]
    for each in codes:
        for key, media in responses[each].get("content", {}).items():
            for keyword in keywords:
                if keyword in media:
                    place = ("paths", operation.path, operation.method.lower(), "responses", each)
                    way = (*place, "content", key, keyword)
                    errors = look.documented.validators.errors_of_value(way, value)
                    look.value(value, _schema_of(each), errors)
                    return


def is_json(media: str) -> bool:
    """Tell whether a media type is JSON's."""
    return media_type({"Content-Type": media}).endswith("json")
