"""The shape of schemas and parameters: whether their keywords hold what Swagger 2.0 lets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object", "null", "file"})
PARAMETER_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "file"})
COLLECTIONS = ("csv", "ssv", "tsv", "pipes", "multi")
DEFINITIONS = "#/definitions/"

DEEPEST = 50
"""Definitions that one may be made of in a row (``$ref`` to ``$ref``, ``allOf`` in ``allOf``)."""

LARGEST = 5_000
"""Parts that a definition may be made of, each counted as often as it comes."""

DEEPEST_FIELD = 100
"""Steps to a field, definitions unfolded: through ``$ref``, ``allOf``, properties, items, maps."""

MOST_FIELDS = 1_000_000
"""Those of all bodies, replies and definitions together; published documents have some 10,000."""

LONGEST_NAME = 250
"""Characters of a name or a path; help makes a column as wide as the longest name in it."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_length(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


_KEYWORDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "properties": (_is_mapping, "a mapping"),
    "allOf": (_is_list, "a list"),
    "required": (_is_names, "a list of names"),
    "items": (_is_mapping, "a schema"),
    "format": (_is_text, "text"),
}
_BOUNDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "enum": (_is_list, "a list"),
    "pattern": (_is_text, "a regular expression"),
    "minimum": (_is_number, "a number"),
    "maximum": (_is_number, "a number"),
    "multipleOf": (_is_positive, "a number above 0"),
    "minLength": (_is_length, "a whole number"),
    "maxLength": (_is_length, "a whole number"),
    "minItems": (_is_length, "a whole number"),
    "maxItems": (_is_length, "a whole number"),
    "minProperties": (_is_length, "a whole number"),
    "maxProperties": (_is_length, "a whole number"),
    "uniqueItems": (_is_flag, "true or false"),
    "exclusiveMinimum": (_is_flag, "true or false"),
    "exclusiveMaximum": (_is_flag, "true or false"),
}


_SCHEMA = _KEYWORDS | _BOUNDS
_PARAMETER = _BOUNDS | {"format": _KEYWORDS["format"]}


def faults_of_parameter(parameter: Mapping[str, Any], place: str) -> Iterator[str]:
    """Yield what is wrong with a path, query or header parameter, or with the items of one."""
    if parameter.get("type", "string") not in [*PARAMETER_TYPES]:
        yield f"{place}.type: {parameter['type']!r} is not a type of a parameter"
    if parameter.get("collectionFormat", "csv") not in COLLECTIONS:
        yield f"{place}.collectionFormat: expected one of {', '.join(COLLECTIONS)}"
    yield from _faults_of_keywords(parameter, place, _PARAMETER)
    items = parameter.get("items", {})
    if isinstance(items, dict):
        if items:
            yield from faults_of_parameter(items, f"{place}.items")
    else:
        yield f"{place}.items: expected a mapping, got {type(items).__name__}"


def faults_of_schema(schema: Any, place: str, definitions: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with ``schema`` and what it holds, each with its place.

    A ``$ref`` must lead to one of ``definitions``: other files and addresses are never read.
    ``enum`` and ``default`` hold data, which is not looked into.
    """
    if not isinstance(schema, dict):
        yield f"{place}: expected a schema, got {type(schema).__name__}"
        return
    if "$ref" in schema:
        yield from _faults_of_reference(schema["$ref"], place, definitions)
    yield from _faults_of_keywords(schema, place, _SCHEMA)
    yield from _faults_of_type(schema, place)
    yield from _faults_of_names(schema, place)
    for where, inner in _inside(schema, place):
        yield from faults_of_schema(inner, where, definitions)


def _faults_of_reference(
    reference: Any, place: str, definitions: Mapping[str, Any]
) -> Iterator[str]:
    if not isinstance(reference, str) or not reference.startswith(DEFINITIONS):
        yield f"{place}: $ref {reference!r} is refused: only '{DEFINITIONS}…' is followed"
    elif reference.removeprefix(DEFINITIONS) not in definitions:
        yield f"{place}: $ref {reference!r} leads nowhere"


def _faults_of_keywords(
    node: Mapping[str, Any], place: str, keywords: Mapping[str, tuple[Callable[[Any], bool], str]]
) -> Iterator[str]:
    for keyword, value in node.items():
        if keyword in keywords:
            fits, wanted = keywords[keyword]
            if not fits(value):
                yield f"{place}.{keyword}: expected {wanted}, got {type(value).__name__}"


def _faults_of_type(schema: Mapping[str, Any], place: str) -> Iterator[str]:
    types = schema.get("type", ["object"])
    if types == []:
        yield f"{place}.type: expected a type or a list of some, got an empty list"
    for name in types if isinstance(types, list) else [types]:
        if not isinstance(name, str) or name not in TYPES:
            yield f"{place}.type: {name!r} is not a type"


def _faults_of_names(schema: Mapping[str, Any], place: str) -> Iterator[str]:
    names = schema.get("properties")
    for name in names if isinstance(names, dict) else ():
        if len(name) > LONGEST_NAME:
            yield f"{place}.{name}: the name has more than {LONGEST_NAME} characters"


def _inside(schema: Mapping[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    """Yield the schemas right below one, as far as their holders have the right shape."""
    if isinstance(schema.get("properties"), dict):
        yield from ((f"{place}.{name}", node) for name, node in schema["properties"].items())
    if isinstance(schema.get("allOf"), list):
        yield from ((f"{place}.allOf[{i}]", node) for i, node in enumerate(schema["allOf"]))
    if isinstance(schema.get("items"), dict):
        yield f"{place}[]", schema["items"]
    if isinstance(schema.get("additionalProperties"), dict):
        yield f"{place}{{}}", schema["additionalProperties"]


def plain_references(schema: Any) -> None:
    """Write every ``$ref`` below a schema with the definition's plain name, in place.

    In a document it is a JSON pointer in a URI fragment (RFC 6901): ``%20``, ``~1`` and ``~0``
    stand for a blank, a slash and a tilde.
    """
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith(DEFINITIONS):
        schema["$ref"] = DEFINITIONS + _plain_name(reference.removeprefix(DEFINITIONS))
    for _, inner in _inside(schema, ""):
        plain_references(inner)


def _plain_name(pointer: str) -> str:
    if "%" in pointer:
        from urllib.parse import unquote

        pointer = unquote(pointer)
    return pointer.replace("~1", "/").replace("~0", "~")


def faults_of_composition(
    schemas: Iterable[tuple[str, Any]], definitions: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the places in ``schemas`` that are made of themselves, or of absurdly many parts.

    What one is made of is merged into it (`dynadock.spec.schema.flatten`), which would take for
    ever or as good as. Takes schemas whose shape is right. Properties do not count: a definition
    may well have itself for a property.
    """
    sizes: dict[str, int] = {}
    for place, schema in schemas:
        yield from _faults_of_parts(schema, place, definitions, sizes)


def _faults_of_parts(
    schema: Mapping[str, Any], place: str, definitions: Mapping[str, Any], sizes: dict[str, int]
) -> Iterator[str]:
    if "$ref" in schema or "allOf" in schema:
        # As lists: the ways to the parts are not to be open while these are entered.
        parts = [_size(part, definitions, sizes, ()) for part in [*_parts(schema)]]
        if sum(parts) > LARGEST:
            yield f"{place}: it is made of itself or of more than {LARGEST} parts"
    for where, inner in _inside(schema, place):
        yield from _faults_of_parts(inner, where, definitions, sizes)


def faults_of_unfolding(
    schemas: Iterable[tuple[str, Any]], definitions: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the place in ``schemas`` where their fields are found to be absurdly many or deep.

    Help, examples and the search go through all of them, each as often as it comes: a short
    document can have 6**20. Takes schemas that `faults_of_composition` finds nothing wrong with.
    """
    unfolding = _Unfolding(definitions)
    for place, schema in schemas:
        for problem in unfolding.faults(schema):
            yield f"{place}: {problem}"
            return


class _Unfolding:
    """Counts fields as `dynadock.spec.fields` walks them: no definition is inside itself."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._count = 0

    def faults(
        self, schema: Mapping[str, Any], depth: int = 0, trail: frozenset[str] = frozenset()
    ) -> Iterator[str]:
        """Count what a schema is made of and what is below it; yield what is wrong."""
        self._count += 1
        if self._count > MOST_FIELDS:
            yield f"definitions unfolded, the document has more than {MOST_FIELDS} fields"
        elif depth > DEEPEST_FIELD:
            yield f"definitions unfolded, it is nested deeper than {DEEPEST_FIELD} levels"
        elif "$ref" in schema:
            name = schema["$ref"].removeprefix(DEFINITIONS)
            if name not in trail:
                yield from self.faults(self._definitions[name], depth + 1, trail | {name})
        else:
            for inner in _below(schema):
                yield from self.faults(inner, depth + 1, trail)


def _below(schema: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a schema is made of, and its fields, items and members of a map."""
    yield from schema.get("allOf", ())
    yield from schema.get("properties", {}).values()
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield schema[keyword]


def _size(
    name: str, definitions: Mapping[str, Any], sizes: dict[str, int], trail: tuple[str, ...]
) -> int:
    if name in trail or len(trail) > DEEPEST:
        return LARGEST + 1
    if name not in sizes:
        parts = [*_parts(definitions[name])]
        inner = [_size(part, definitions, sizes, (*trail, name)) for part in parts]
        sizes[name] = min(1 + sum(inner), LARGEST + 1)
    return sizes[name]


def _parts(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the definitions that one is made of, each as often as it comes."""
    if "$ref" in schema:
        yield schema["$ref"].removeprefix(DEFINITIONS)
    for branch in schema.get("allOf", ()):
        yield from _parts(branch)
