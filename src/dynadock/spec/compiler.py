"""From a corrected document to its compiled form: plain JSON, one entry an operation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dynadock.errors import SpecError
from dynadock.spec.kinds import KINDS
from dynadock.spec.names import as_read, distinct_names, snake_case
from dynadock.spec.schema import BOUNDS, bounds_of_format, kind_of

if TYPE_CHECKING:
    from dynadock.spec.document import Document, DocumentedOperation

_KEPT = ("enum", "pattern", "default", *BOUNDS)
_CORRECTIONS = {
    "x-encoding": "encoding",
    "x-secret": "secret",
    "x-refuse": "refuse",
    "x-send-default": "send",
    "x-credentials": "credentials",
    "x-proxies": "proxies",
    "x-content": "content",
    "x-unreadable": "unreadable",
}

_OF_BODIES = {
    "x-send-default": "send",
    "x-context": "context",
    "x-proxies": "proxies",
    "x-bare": "bare",
    "x-empty": "empty",
}

_BY_MEDIA_TYPE = {each: name for name, kind in KINDS.items() for each in kind.media_types}
"""What a document's media types say of a reply that the overlay says nothing about."""

_SWITCHING_PROTOCOLS = "101"

_PARAMETER = re.compile(r"\{[^{}]+\}")


def compile_document(document: Document) -> dict[str, Any]:
    """Return the compiled form of a document that the overlay has corrected.

    ``{"version", "base_path", "names", "operations", "definitions", "routes", "responses"}``:
    ``operations`` by operationId, ``names`` from every other spelling (snake_case, newer names) to
    an operationId. A spelling that two operations have is none. ``routes`` has the operations of
    each method by what a path shows at first sight (see `_routes`), ``responses`` what each
    operation answers with each code (see `_responses`), which calls do without.
    """
    return {
        "version": str(document.version),
        "base_path": document.base_path,
        "names": _names(document),
        "operations": {
            operation_id: _operation(operation, document)
            for operation_id, operation in document.operations.items()
        },
        "definitions": document.definitions,
        "routes": _routes(document),
        "responses": {
            operation_id: _responses(operation)
            for operation_id, operation in document.operations.items()
        },
    }


def _responses(operation: DocumentedOperation) -> dict[str, dict[str, Any]]:
    """Return ``schema`` and ``headers`` (by name) of each code, each only where there is one."""
    return {
        code: {key: response[key] for key in ("schema", "headers") if response.get(key)}
        for code, response in operation.node["responses"].items()
    }


def _routes(document: Document) -> dict[str, dict[str, list[list[str]]]]:
    """Return lists of operationIds and path templates by method, then by what a path shows.

    That is a template without parameters as it is, else ``*`` and what its last segment must be,
    nothing if it is a parameter. In a list, what has more literal text comes first, as in engines.
    """
    routes: dict[str, dict[str, list[list[str]]]] = {}
    for operation_id, operation in document.operations.items():
        found = routes.setdefault(operation.method, {})
        found.setdefault(_shown_by(operation.path), []).append([operation_id, operation.path])
    for found in routes.values():
        for candidates in found.values():
            candidates.sort(key=lambda each: -len(_PARAMETER.sub("", each[1])))
    return routes


def _shown_by(template: str) -> str:
    if "{" not in template:
        return template
    last = template.rpartition("/")[2]
    return "*" if "{" in last else f"*{last}"


def _names(document: Document) -> dict[str, str]:
    spellings: dict[str, str] = {}
    ambiguous = set()
    for operation_id in document.operations:
        for spelling in {snake_case(operation_id), as_read(operation_id)} - {operation_id}:
            if spellings.setdefault(spelling, operation_id) != operation_id:
                ambiguous.add(spelling)
    for operation_id, operation in document.operations.items():
        alias = operation.node.get("x-alias")
        if alias is not None:
            spellings.setdefault(alias, operation_id)
            spellings.setdefault(snake_case(alias), operation_id)
    ambiguous.update(document.operations)
    return {name: target for name, target in spellings.items() if name not in ambiguous}


def _operation(operation: DocumentedOperation, document: Document) -> dict[str, Any]:
    tags = operation.node.get("tags") or [""]
    arguments = operation.parameters
    names = distinct_names([(each["name"], each["in"]) for each in arguments])
    compiled: dict[str, Any] = {
        "method": operation.method,
        "path": operation.path,
        "tag": tags[0],
        "parameters": [
            _parameter(parameter, name)
            for parameter, name in zip(arguments, names, strict=True)
            if parameter["in"] != "body"
        ],
        "reply": _reply(operation, document),
    }
    if operation.body is not None:
        name = names[arguments.index(operation.body)]
        compiled["body"] = _body(operation, name, document)
    if operation.node.get("deprecated"):
        compiled["deprecated"] = True
    return compiled


def _parameter(parameter: dict[str, Any], name: str) -> dict[str, Any]:
    compiled = {
        "name": parameter["name"],
        "python_name": name,
        "in": parameter["in"],
        "type": parameter.get("type", "string"),
        "required": bool(parameter.get("required")),
    }
    compiled |= _facts(parameter)
    if compiled["type"] == "array":
        compiled["items"] = _items(parameter.get("items", {}))
        compiled["collection"] = parameter.get("collectionFormat", "csv")
    return compiled


def _items(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": items.get("type", "string"), **_facts(items)}


def _facts(node: dict[str, Any]) -> dict[str, Any]:
    found = bounds_of_format(node) | {key: node[key] for key in _KEPT if key in node}
    found |= {short: node[key] for key, short in _CORRECTIONS.items() if key in node}
    return found


def _body(operation: DocumentedOperation, name: str, document: Document) -> dict[str, Any]:
    body = operation.body or {}
    compiled: dict[str, Any] = {
        "name": body["name"],
        "python_name": name,
        "required": bool(body.get("required")),
        "kind": kind_of(body["schema"], document.definitions),
        "schema": body["schema"],
    }
    if media_types := _listed(operation, "consumes"):
        compiled["media_types"] = media_types
    return compiled | {short: body[key] for key, short in _OF_BODIES.items() if key in body}


def _reply(operation: DocumentedOperation, document: Document) -> dict[str, Any]:
    success = operation.success
    compiled: dict[str, Any] = {"kind": _kind(operation), **operation.node.get("x-reply", {})}
    if success is not None and "schema" in success:
        compiled["schema"] = success["schema"]
    if compiled["kind"] not in [*KINDS]:
        known = ", ".join(KINDS)
        problem = f"{compiled['kind']!r} is not a kind of reply; there are {known}"
        raise SpecError(f"{document.name}: {operation.operation_id}: {problem}")
    compiled["codes"] = list(operation.node["responses"])
    if media_types := _listed(operation, "produces"):
        compiled["media_types"] = media_types
    return compiled


def _listed(operation: DocumentedOperation, keyword: str) -> list[str]:
    """Return the media types that an operation itself declares; the document's own say nothing."""
    media_types = operation.node.get(keyword)
    return media_types if isinstance(media_types, list) else []


def _kind(operation: DocumentedOperation) -> str:
    """Return the kind of reply that the document itself declares."""
    if operation.method == "HEAD":
        return "headers"
    declared = _listed(operation, "produces")
    kinds = {_BY_MEDIA_TYPE[each] for each in declared if each in _BY_MEDIA_TYPE}
    if "frames" in kinds and _SWITCHING_PROTOCOLS in operation.node["responses"]:
        return "duplex"
    # Where a document names several, the reply's own Content-Type has the last word.
    return min(kinds, default="value")
