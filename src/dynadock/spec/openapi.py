"""A spec as a document of OpenAPI 3.1, with all corrections of the overlay in it.

The rules are those of https://spec.openapis.org/oas/v3.1.1. What OpenAPI cannot say, or what its
tools cannot take, is left out:

- header parameters named Content-Type, which it ignores: bodies and replies name their types;
- schemas of archives, output and other bytes;
- schemas of streams of JSON values, which no tool reads: the schema of a value by itself stands at
  ``x-itemSchema``, named after ``itemSchema`` of OpenAPI 3.2;
- contents where HTTP has none: of replies to HEAD, and of 1xx, 204 and 304.

Errors are JSON, whatever a document says that an operation produces: that holds for successes.
"""

from __future__ import annotations

import copy
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from dynadock.spec.fields import ROOT, Home
from dynadock.spec.kinds import KINDS
from dynadock.spec.openapi_schemas import (
    JSON,
    Schemas,
    component_names,
    escaped_headers,
    plain_schema,
)
from dynadock.spec.schema import flatten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dynadock.spec.model import Body, Operation, Parameter, Spec
    from dynadock.spec.schema import Schema
    from dynadock.spec.versions import Version

OPENAPI = "3.1.0"

TITLE = "Engine API"

ITEM_SCHEMA = "x-itemSchema"
"""Where the schema of a stream's values stands, in a media type."""

BODY_NAME = "x-body-name"
"""Where the name of a body stands, which is an argument's, and which bodies here do without."""

TAR = "application/x-tar"
BYTES = "application/octet-stream"
TEXT = "text/plain"

FILTERS: Schema = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": {"type": "boolean"}},
        ]
    },
}
"""The two forms of filters that engines read: lists of texts, and maps whose values say nothing."""

STYLES = {
    "multi": ("form", True),
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "pipes": ("pipeDelimited", False),
}
"""How the members of an array stand in a query: ``style`` and ``explode``."""

_CODE = re.compile(r"[1-5](\d\d|XX)")
_ANY = "default"
_FIRST_ERROR = "4"
_EMPTY = ("1", "204", "304")
"""How codes begin under which no content is sent (RFC 9110, section 6.4.1)."""

_TEXTS = ("timestamp", "count")
"""Encodings of numbers and texts: a parameter's schema has one type, or openapi-core fails."""


_MEANINGS = {
    _ANY: "Anything else",
    "101": "The connection is upgraded",
    "200": "Success",
    "201": "Created",
    "202": "Accepted",
    "204": "Success, without content",
    "2": "Success",
    "304": "There was nothing to do",
    "400": "The request is wrong",
    "401": "The credentials are refused",
    "403": "It is not allowed",
    "404": "What the request names is not there",
    "406": "It cannot be done in this state",
    "409": "It conflicts with the state of something",
    "4": "The request is refused",
    "500": "The engine failed",
    "501": "The engine cannot do this",
    "503": "The engine is not able to do this now",
    "5": "The engine failed",
}
"""What is said of a code, or of all that begin like it, where there are no better words."""


class Describe(Protocol):
    """The texts that a document may carry; each method gives an empty one where there is none.

    `dynadock.explore.texts.Texts` has them.
    """

    def of_operation(self, operation: Operation, key: str) -> str:
        """Return ``summary``, ``about``, ``body`` or ``reply`` of an operation."""

    def of_parameter(self, operation: Operation, name: str) -> str:
        """Return the text about a parameter."""

    def of_field(self, operation: Operation, part: str, home: Home) -> str:
        """Return the text about a field of an operation's own ``body`` or ``reply``."""

    def of_definition(self, version: Version, home: Home) -> str:
        """Return the text about a definition's field."""

    def of_tag(self, name: str) -> str:
        """Return the text about a tag."""


def convert(spec: Spec, describe: Describe | None = None) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a spec as plain JSON values, always the same.

    Operations stand at ``["paths"][operation.path][operation.method.lower()]``, definitions under
    ``["components"]["schemas"]`` by the names of `component_names`. ``describe`` gives the texts;
    without it there are none but those that OpenAPI demands: of replies, by their codes.
    """
    return _Conversion(spec, describe).document()


class _Conversion:
    """The conversion of one spec."""

    def __init__(self, spec: Spec, describe: Describe | None) -> None:
        self._spec = spec
        self._describe = describe
        self._names = component_names(spec.definitions)
        of_definition = None if describe is None else partial(describe.of_definition, spec.version)
        self._schemas = Schemas(self._names, of_definition)

    def document(self) -> dict[str, Any]:
        paths: dict[str, Any] = {}
        for operation in self._spec.values():
            converted = self._operation(operation)
            paths.setdefault(operation.path, {})[operation.method.lower()] = converted
        return {
            "openapi": OPENAPI,
            "info": {"title": TITLE, "version": str(self._spec.version)},
            "servers": [{"url": self._spec.base_path or "/"}],
            "tags": self._tags(),
            "paths": paths,
            "components": {"schemas": self._components()},
        }

    def _tags(self) -> list[dict[str, str]]:
        tags = dict.fromkeys(each.tag for each in self._spec.values() if each.tag)
        return [
            _described(self._describe.of_tag(tag) if self._describe else "", {"name": tag})
            for tag in tags
        ]

    def _components(self) -> dict[str, Schema]:
        return {
            self._names[name]: self._schemas.convert(schema, Home(name, ""))
            for name, schema in self._spec.definitions.items()
        }

    def _operation(self, operation: Operation) -> dict[str, Any]:
        converted: dict[str, Any] = {"operationId": operation.operation_id}
        if operation.tag:
            converted["tags"] = [operation.tag]
        for keyword, key in (("summary", "summary"), ("description", "about")):
            if text := self._text(operation, key):
                converted[keyword] = text
        if operation.deprecated:
            converted["deprecated"] = True
        parameters = [
            self._parameter(operation, each)
            for each in operation.parameters
            if each.location != "header" or each.name.lower() != "content-type"
        ]
        if parameters:
            converted["parameters"] = parameters
        if operation.body is not None:
            converted["requestBody"] = self._body(operation, operation.body)
        if responses := self._responses(operation):
            converted["responses"] = responses
        return converted

    def _text(self, operation: Operation, key: str) -> str:
        return self._describe.of_operation(operation, key) if self._describe else ""

    def _parameter(self, operation: Operation, parameter: Parameter) -> dict[str, Any]:
        converted: dict[str, Any] = {"name": parameter.name, "in": parameter.location}
        if self._describe and (text := self._describe.of_parameter(operation, parameter.name)):
            converted["description"] = text
        if parameter.required or parameter.location == "path":
            converted["required"] = True
        if (content := self._content_of(parameter)) is not None:
            return converted | {"content": {JSON: {"schema": content}}}
        if parameter.location == "query" and parameter.collection in STYLES:
            converted["style"], converted["explode"] = STYLES[parameter.collection]
        return converted | {"schema": self._value(parameter)}

    def _content_of(self, parameter: Parameter) -> Schema | None:
        """Return the schema of the JSON that a parameter is, None if it is no JSON."""
        if parameter.encoding == "filters":
            return copy.deepcopy(FILTERS)
        if parameter.encoding in ("json-object", "json-array"):
            kind = parameter.encoding.removeprefix("json-")
            schema = self._schemas.convert(parameter.content or {"type": kind})
            return schema | {"x-secret": True} if parameter.secret else schema
        return None

    def _value(self, parameter: Parameter) -> Schema:
        """Return the schema of a parameter that is no JSON, or of the members of an array."""
        if parameter.encoding == "base64-json" or self._content_of(parameter) is not None:
            return self._text_with_json(parameter)
        is_joined = parameter.type == "array" and not self._has_style(parameter)
        kind = "string" if is_joined or parameter.encoding in _TEXTS else parameter.type
        found = plain_schema(
            {
                "type": kind,
                "x-secret": parameter.secret,
                **parameter.bounds,
                **{
                    key: getattr(parameter, key)
                    for key in ("pattern", "enum", "default")
                    if getattr(parameter, key) not in (None, ())
                },
            }
        )
        if kind == "string" and "default" in found:
            found["default"] = str(found["default"])
        if parameter.items is not None and not is_joined:
            found["items"] = self._value(parameter.items)
        return found

    def _has_style(self, parameter: Parameter) -> bool:
        if parameter.location == "query":
            return parameter.collection in STYLES
        # Paths and headers know commas alone, which is how they are joined without a style too.
        return parameter.collection == "csv"

    def _text_with_json(self, parameter: Parameter) -> Schema:
        found = plain_schema({"type": "string", "x-secret": parameter.secret})
        if parameter.encoding == "base64-json":
            found["contentEncoding"] = "base64url"
        content = self._content_of(parameter)
        if content is None:
            content = self._schemas.convert(parameter.content or {"type": "object"})
        return found | {"contentMediaType": JSON, "contentSchema": content}

    def _body(self, operation: Operation, body: Body) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        if text := self._text(operation, "body"):
            converted["description"] = text
        if body.kind == "binary":
            declared = [each for each in body.media_types if not is_json(each) and each != TEXT]
            converted["content"] = {each: {} for each in dict.fromkeys([TAR, *declared])}
        else:
            declared = [each for each in body.media_types if is_json(each)] or [JSON]
            schema = self._schema_of(operation, "body", body.schema)
            converted["content"] = {each: {"schema": copy.deepcopy(schema)} for each in declared}
        if body.required:
            converted["required"] = True
        return converted | {BODY_NAME: body.name}

    def _schema_of(self, operation: Operation, part: str, schema: Schema) -> Schema:
        """Return the schema of a body or a reply, with the texts about its own fields."""
        texts = self._describe
        describe = None if texts is None else partial(texts.of_field, operation, part)
        return self._schemas.convert(schema, ROOT, describe)

    def _responses(self, operation: Operation) -> dict[str, Any]:
        success = next((code for code in operation.reply.codes if code.startswith("2")), None)
        about = {success: self._text(operation, "reply")}
        responses = {}
        for given, response in operation.reply.responses.items():
            code = given if given == _ANY else given.upper()
            if code != _ANY and not _CODE.fullmatch(code):
                continue
            converted: dict[str, Any] = {"description": about.get(given) or _meaning(code)}
            headers = self._headers(operation, code, response.get("headers", {}))
            if headers:
                converted["headers"] = headers
            content = self._content(operation, code, response.get("schema"))
            if content:
                converted["content"] = content
            responses[code] = converted
        return responses

    def _headers(self, operation: Operation, code: str, nodes: Mapping[str, Any]) -> dict[str, Any]:
        headers = {}
        for name, node in escaped_headers(nodes).items():
            schema = _header(node)
            if operation.reply.decode.get(name) == "base64-json" and code.startswith("2"):
                schema |= {"contentEncoding": "base64", "contentMediaType": JSON}
            headers[name] = {"schema": schema}
        return headers

    def _content(self, operation: Operation, code: str, schema: Schema | None) -> dict[str, Any]:
        reply = operation.reply
        if operation.method == "HEAD" or code.startswith(_EMPTY):
            return {}
        if code == _ANY or code >= _FIRST_ERROR or reply.kind == "value":
            if not schema:
                return {}
            is_error = code == _ANY or code >= _FIRST_ERROR
            media_types = [JSON] if is_error else self._types_of_value(operation, schema)
            return {each: {"schema": self._reply(operation, schema)} for each in media_types}
        if reply.kind == "json-stream":
            media_type = {ITEM_SCHEMA: self._reply(operation, schema)} if schema else {}
            declared = [each for each in reply.media_types if is_json(each)]
            return {each: copy.deepcopy(media_type) for each in dict.fromkeys([JSON, *declared])}
        if reply.kind in ("none", "headers"):
            return {}
        return {each: {} for each in _types_of_bytes(operation)}

    def _reply(self, operation: Operation, schema: Schema) -> Schema:
        return self._schema_of(operation, "reply", schema)

    def _types_of_value(self, operation: Operation, schema: Schema) -> list[str]:
        declared = operation.reply.media_types
        kind = flatten(schema, self._spec.definitions).get("type")
        if kind in ("string", "file"):
            others = [each for each in declared if not is_json(each)]
            return others or [JSON if declared else TEXT]
        return [each for each in declared if is_json(each)] or [JSON]


def _types_of_bytes(operation: Operation) -> Iterable[str]:
    """Return the media types of a reply that is read as bytes, those of its kind first."""
    kind = operation.reply.kind
    own = KINDS["frames" if KINDS[kind].stream in ("Duplex", "RawDuplex") else kind].media_types
    declared = [each for each in operation.reply.media_types if not is_json(each)]
    return dict.fromkeys([*own, *declared])


def _header(node: Mapping[str, Any]) -> Schema:
    found = plain_schema(node)
    if isinstance(node.get("items"), dict) and node.get("type") == "array":
        found["items"] = _header(node["items"])
    return found


def is_json(media_type: str) -> bool:
    """Tell whether a media type is JSON's, or that of a stream of JSON values."""
    name = media_type.partition(";")[0].strip().lower()
    return name == JSON or name.endswith("+json") or name in KINDS["json-stream"].media_types


def _meaning(code: str) -> str:
    return _MEANINGS.get(code) or _MEANINGS.get(code[0]) or f"Status {code}"


def _described(text: str, node: dict[str, Any]) -> dict[str, Any]:
    return {**node, "description": text} if text else node
