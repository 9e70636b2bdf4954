"""Examples of calls: arguments that pass the checks, ready to edit, printed as a call."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.call.arguments import encoding_of
from dynadock.call.encodings import ENCODINGS
from dynadock.explore.types import has_type
from dynadock.spec.data import bundled_data
from dynadock.spec.schema import encoding_in, flatten, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.spec.model import Body, Operation, Parameter
    from dynadock.spec.schema import Schema

FILE = "examples.yaml"
WIDTH = 88
_PATH = "$path"
_FILES = "$files"
_DURATION = 10_000_000_000
_SECRET = "s3cret"  # noqa: S105 - an example of one

_IMPORTS = (("Path", "from pathlib import Path"), ("pack", "from dynadock import pack"))

Values = dict[str, Any]


class Example(dict[str, Any]):
    """The arguments of a call by name: ``client.ContainerCreate(**example)`` makes it.

    It is a dict that you can change, and prints as the call, with the imports that it needs.
    """

    def __init__(self, operation: Operation, arguments: Mapping[str, Any]) -> None:
        super().__init__(arguments)
        self._operation = operation

    def __repr__(self) -> str:
        call = f"client.{self._operation.operation_id}"
        in_path = [each.python_name for each in self._operation.positional]
        given = [repr(self[name]) for name in in_path if name in self]
        given += [
            # A body may have fields that are no names in Python.
            _argument(name, value) if name.isidentifier() else f"**{{{name!r}: {value!r}}}"
            for name, value in self.items()
            if name not in in_path
        ]
        imports = "".join(
            f"{line}\n" for word, line in _IMPORTS if any(f"={word}(" in each for each in given)
        )
        line = f"{call}({', '.join(given)})"
        if len(line) <= WIDTH and "\n" not in line:
            return imports + line
        inside = "".join(f"    {each.replace(chr(10), chr(10) + '    ')},\n" for each in given)
        return f"{imports}{call}(\n{inside})"


def _argument(name: str, value: Any) -> str:
    """Write an argument; what takes more than a line stands below its beginning."""
    return f"{name}={_written(value)}".replace("\n", "\n" + " " * (len(name) + 1))


def _written(value: Any) -> str:
    # A path, without loading pathlib for examples that show none.
    if hasattr(value, "__fspath__"):
        return f"Path({str(value)!r})"
    if isinstance(value, (dict, list)) and len(repr(value)) > WIDTH // 2:
        from pprint import pformat

        return pformat(value, width=WIDTH - 16, sort_dicts=False)
    return repr(value)


class _Data(NamedTuple):
    """What ``specs/examples.yaml`` says: arguments by operation, values by name."""

    arguments: Mapping[str, Values]
    values: Values


@cache
def _data() -> _Data:
    tree = bundled_data(FILE)
    return _Data(tree.get("arguments", {}), tree.get("values", {}))


def example_of(operation: Operation, *, full: bool = False) -> Example:
    """Return arguments that pass the checks of a call.

    They make a typical first call. With ``full``, they are all parameters and body fields, with
    values that show their form; an engine would not accept all of them together.
    """
    chosen = {
        name: _value_of(value)
        for name, value in _data().arguments.get(operation.operation_id, {}).items()
    }
    arguments: Values = {}
    for parameter in operation.parameters:
        name = parameter.python_name
        needed = parameter.required and parameter.send is None
        if name in chosen and _takes(parameter, chosen[name]):
            arguments[name] = chosen[name]
        elif full or needed:
            arguments[name] = _of_parameter(parameter)
    if operation.body is not None:
        arguments |= _of_body(operation, operation.body, chosen, full=full)
    return Example(operation, _fresh(arguments))


def _fresh(value: Any) -> Any:
    """Copy dicts and lists, as the caller may change them and the data is shared."""
    if isinstance(value, dict):
        return {name: _fresh(each) for name, each in value.items()}
    return [_fresh(each) for each in value] if isinstance(value, list) else value


def _value_of(written: Any) -> Any:
    if isinstance(written, dict) and _PATH in written:
        from pathlib import Path

        return Path(written[_PATH])
    if isinstance(written, dict) and _FILES in written:
        from dynadock.archive.pack import pack

        return pack(written[_FILES])
    return written


def _takes(parameter: Parameter, value: Any) -> bool:
    """Tell whether a parameter's type, which may be another in other versions, takes a value."""
    if parameter.type == "string":
        return parameter.encoding != "string" or isinstance(value, str)
    return (parameter.items is not None) == isinstance(value, list)


def _of_parameter(parameter: Parameter) -> Any:
    if parameter.items is not None:
        value = _data().values.get(parameter.name)
        return value if isinstance(value, list) else [_of_parameter(parameter.items)]
    if parameter.enum:
        return next(choice for choice in parameter.enum if choice != "")
    value = _data().values.get(parameter.name)
    if value is not None and has_type(value, parameter.encoding):
        return value
    row = encoding_of(parameter)
    return _text(parameter.name) if row.python is str else row.example


def _of_body(operation: Operation, body: Body, chosen: Values, *, full: bool) -> Values:
    """Return the arguments that make a body: its fields, or it as a whole where it has none.

    As a whole too where a field has the name of another argument.
    """
    if body.kind == "object":
        made = _of_fields(body, chosen, full=full)
        return {body.python_name: made} if any(map(operation.is_argument, made)) else made
    given = chosen.get(body.python_name, chosen.get("body"))
    if body.kind == "binary":
        if given is None and not (full or body.required):
            return {}
        return {body.python_name: _value_of({_PATH: "."}) if given is None else given}
    if given is None and not (full or body.required):
        return {}
    made = given if given is not None else _Maker(body.definitions).of(body.schema, body.name)
    return {body.python_name: made}


def _of_fields(body: Body, chosen: Values, *, full: bool) -> Values:
    make = _Maker(body.definitions)
    required = flatten(body.schema, body.definitions).get("required", ())
    made: Values = {}
    for name, schema in body.properties.items():
        if full or (name in required and name not in chosen):
            made[name] = make.of(schema, name)
        if name in chosen:
            made[name] = _over(made.get(name), chosen[name])
    return made


def _over(made: Any, chosen: Any) -> Any:
    """Return what was chosen, and beside it the fields that were made and not chosen."""
    if not (isinstance(made, dict) and isinstance(chosen, dict)):
        return chosen
    return made | {name: _over(made.get(name), each) for name, each in chosen.items()}


class _Maker:
    """Makes values for schemas, all of their fields; a definition inside itself is left empty."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._trail: list[frozenset[str]] = []

    def of(self, schema: Schema, name: str) -> Any:
        """Return a value of a schema for what is called ``name``."""
        names = names_in(schema, self._definitions)
        if any(not names.isdisjoint(around) for around in self._trail):
            return None
        self._trail.append(names)
        try:
            return self._of(flatten(schema, self._definitions), name)
        finally:
            self._trail.pop()

    def _of(self, flat: Schema, name: str) -> Any:
        kind = _kind(flat)
        value = _data().values.get(name)
        if value is not None and "enum" not in flat and self._fits(value, kind, flat):
            return value
        if kind == "object":
            return {key: made for key, made in self._members(flat) if made is not None}
        if kind == "array":
            member = self.of(flat.get("items", {}), name.removesuffix("s"))
            return [] if member is None else [member]
        return _plain(flat, kind, name)

    def _fits(self, value: Any, kind: str, flat: Schema) -> bool:
        if not has_type(value, kind):
            return False
        if kind == "object":
            # The data may have a whole map; an object's fields are looked up one by one.
            return not flat.get("properties") and bool(flat.get("additionalProperties"))
        if kind != "array":
            return True
        inner = flatten(flat.get("items", {}), self._definitions)
        return all(has_type(each, _kind(inner)) for each in value)

    def _members(self, flat: Schema) -> Iterator[tuple[str, Any]]:
        for key, inner in flat.get("properties", {}).items():
            yield key, self.of(inner, key)
        others = flat.get("additionalProperties")
        if isinstance(others, dict) and not flat.get("properties"):
            yield "key", self.of(others, "value")


def _kind(flat: Schema) -> str:
    kind = flat.get("type", "object" if "properties" in flat else "string")
    return str(kind[0] if isinstance(kind, list) else kind)


def _plain(flat: Schema, kind: str, name: str) -> Any:
    if flat.get("enum"):
        return next(choice for choice in flat["enum"] if choice != "")
    if kind == "string":
        return _string(flat, name)
    if kind == "boolean":
        return bool(flat.get("default", False))
    if kind in ("integer", "number"):
        return _DURATION if flat.get("x-unit") == "nanoseconds" else max(1, flat.get("minimum", 1))
    return None


def _string(flat: Schema, name: str) -> str:
    encoding = encoding_in(flat)
    if encoding in ENCODINGS:
        return str(ENCODINGS[encoding].example)
    if flat.get("x-secret"):
        return _SECRET
    return _BY_FORMAT.get(flat.get("format", ""), _text(name))


def _text(name: str) -> str:
    return name.lower() or str(ENCODINGS["string"].example)


_BY_FORMAT = {
    "dateTime": "2026-01-01T00:00:00Z",
    "date-time": "2026-01-01T00:00:00Z",
    "ip-address": "192.0.2.1",
    "cidr": "192.0.2.0/24",
    "CIDR": "192.0.2.0/24",
    "uri": "https://example.test",
}
