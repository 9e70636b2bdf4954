"""The facts of a Swagger 2.0 document: its structure without anybody's sentences and examples.

The keywords that are kept stand in tables, one for each kind of node of the Swagger 2.0
specification; whatever is in no table is left out. Names (of paths, properties, definitions,
headers) are no keywords: a property may well be called ``description``. Of the extensions only
``x-nullable`` is a fact.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from dynadock.spec.document import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Take = Callable[[Any], Any]
    """What is kept of one value; a value of the wrong shape is kept, for `Document` to refuse."""

_WIDTH = 80
"""Characters that a value may take to stand in one line, with what it is indented by."""


def facts(document: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a document: a Swagger document again, in the same order.

    Takes a plain tree as `dynadock.spec.reader` gives it, and shares nothing with it. ``tags`` and
    ``info`` keep ``name`` and ``version`` only.
    """
    kept: dict[str, Any] = _keep(document, _DOCUMENT)
    return kept


def differences(
    left: Any, right: Any, *, left_name: str = "the left", right_name: str = "the right"
) -> Iterator[str]:
    """Yield a line for each place where two plain trees differ; the order of keys is no difference.

    ``paths./info.get.parameters[2].type: 'string' != 'integer'``, or ``…: only in`` one of them.
    """
    yield from _differences(left, right, "", (left_name, right_name))


def dump(tree: dict[str, Any], *, comment: str) -> bytes:
    """Return a plain tree as text, always the same bytes, below ``comment``.

    It is JSON, which is YAML too and is read many times faster. What is short is in one line.
    """
    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    return f"{lines}{_laid_out(tree, '')}\n".encode()


def _laid_out(value: Any, indent: str) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(indent) + len(line) <= _WIDTH:
        return line
    inner = f"{indent} "
    if isinstance(value, dict):
        members = [
            f"{json.dumps(key, ensure_ascii=False)}: {_laid_out(member, inner)}"
            for key, member in value.items()
        ]
    else:
        members = [_laid_out(member, inner) for member in value]
    rows = ",\n".join(inner + member for member in members)
    return f"{line[0]}\n{rows}\n{indent}{line[-1]}"


def _keep(node: Any, keywords: Mapping[str, Take]) -> Any:
    if not isinstance(node, dict):
        return _copy(node)
    return {key: keywords[key](value) for key, value in node.items() if key in keywords}


def _copy(value: Any) -> Any:
    return copy.deepcopy(value) if isinstance(value, (dict, list)) else value


def _of(keywords: Mapping[str, Take]) -> Take:
    return lambda node: _keep(node, keywords)


def _named(take: Take) -> Take:
    """Make what takes a mapping from names to nodes."""

    def take_all(nodes: Any) -> Any:
        if not isinstance(nodes, dict):
            return _copy(nodes)
        return {name: take(node) for name, node in nodes.items()}

    return take_all


def _listed(take: Take) -> Take:
    """Make what takes a list of nodes."""

    def take_all(nodes: Any) -> Any:
        if not isinstance(nodes, list):
            return _copy(nodes)
        return [take(node) for node in nodes]

    return take_all


def _schema(node: Any) -> Any:
    return _keep(node, _REFERENCE if isinstance(node, dict) and "$ref" in node else _SCHEMA)


def _item(node: Any) -> Any:
    return _keep(node, _ITEM)


def _data(*keywords: str) -> dict[str, Take]:
    """Make the table of keywords whose values are kept as they are."""
    return dict.fromkeys(keywords, _copy)


_REFERENCE = _data("$ref", "x-nullable")

_VALUE = _data(
    *("type", "format", "enum", "pattern", "default", "x-nullable", "deprecated"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems"),
)

# What parameters that are no body, their items and headers have in common.
_ITEM: dict[str, Take] = {**_VALUE, **_data("collectionFormat"), "items": _item}

_SCHEMA: dict[str, Take] = {
    **_VALUE,
    **_data("required", "minProperties", "maxProperties", "discriminator", "readOnly"),
    "items": _schema,
    "allOf": _listed(_schema),
    "properties": _named(_schema),
    "additionalProperties": _schema,
}

_PARAMETER: dict[str, Take] = {
    **_ITEM,
    **_data("$ref", "name", "in", "required", "allowEmptyValue"),
    "schema": _schema,
}

_RESPONSE: dict[str, Take] = {
    **_data("$ref"),
    "schema": _schema,
    "headers": _named(_item),
}

_OPERATION: dict[str, Take] = {
    **_data("operationId", "tags", "schemes", "consumes", "produces", "deprecated"),
    "parameters": _listed(_of(_PARAMETER)),
    "responses": _named(_of(_RESPONSE)),
}

_PATH: dict[str, Take] = {
    **_data("$ref"),
    **dict.fromkeys(METHODS, _of(_OPERATION)),
    "parameters": _listed(_of(_PARAMETER)),
}

_DOCUMENT: dict[str, Take] = {
    **_data("swagger", "basePath", "schemes", "consumes", "produces"),
    "info": _of(_data("version")),
    "tags": _listed(_of(_data("name"))),
    "paths": _named(_of(_PATH)),
    "definitions": _named(_schema),
    "parameters": _named(_of(_PARAMETER)),
    "responses": _named(_of(_RESPONSE)),
}


def _differences(left: Any, right: Any, place: str, names: tuple[str, str]) -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        before = f"{place}." if place else ""
        for key in left | right:
            yield from _compare_member(left, right, key, f"{before}{key}", names)
    elif isinstance(left, list) and isinstance(right, list):
        one, other = dict(enumerate(left)), dict(enumerate(right))
        for key in one | other:
            yield from _compare_member(one, other, key, f"{place}[{key}]", names)
    # True and 1 are equal in Python, and different in a document.
    elif type(left) is not type(right) or left != right:
        yield f"{place or 'the document'}: {_short(left)} != {_short(right)}"


def _compare_member(
    left: dict[Any, Any], right: dict[Any, Any], key: Any, place: str, names: tuple[str, str]
) -> Iterator[str]:
    if key in left and key in right:
        yield from _differences(left[key], right[key], place, names)
    else:
        yield f"{place}: only in {names[0] if key in left else names[1]}"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else repr(value)
