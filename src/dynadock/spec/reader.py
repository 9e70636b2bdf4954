"""From the bytes of a document, YAML or JSON, to a plain tree; hostile bytes end in SpecError.

A plain tree is made of dict (with str keys), list, str, int, finite float, bool and None. No part
of it is shared with another part or holds itself.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from dynadock.errors import SpecError
from dynadock.spec.files import LARGEST_DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from yaml import SafeLoader as _FastestLoader
else:
    _FastestLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_DEPTH = 100
MAX_NODES = 250_000

# libyaml compares each %TAG with all before it, and a document has no use for any.
MAX_DIRECTIVES = 100
_DIRECTIVE = re.compile(r"(?:\A|[\r\n\x85\u2028\u2029])%")

_COMMENTS = re.compile(r"(?:#.*\n|\s)*+")
_HALF_OF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")

# Longer numbers are an attack: to read '1:1:1:…', base 60 in YAML 1.1, takes quadratic time.
_MAX_NUMBER = 64
_LARGEST_NUMBER = 10**_MAX_NUMBER

_TAG = "tag:yaml.org,2002:"
_BOOLEANS = yaml.SafeLoader.bool_values


def read_document(text: bytes, *, name: str) -> dict[str, Any]:
    """Return the mapping that ``text`` holds, as a plain tree; integer keys become text.

    Aliases and merge keys are expanded. SpecError, which starts with ``name``, for anything but
    one mapping in UTF-8: broken YAML or JSON, a key given twice, a key that is neither text nor an
    integer, a value that JSON does not know, and whatever exceeds `LARGEST_DOCUMENT`, `MAX_DEPTH`
    or `MAX_NODES`.
    """
    if len(text) > LARGEST_DOCUMENT:
        raise SpecError(f"{name}: larger than {LARGEST_DOCUMENT // 2**20} MiB")
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{name}: no UTF-8 text: {error.reason} at byte {error.start}") from None
    # What starts with a brace may also be YAML: then it is not JSON, and is read once more. JSON
    # below comments is YAML too, and is read as JSON because that is many times faster.
    below = _COMMENTS.sub("", decoded, count=1)
    tree = _read_json(below, name) if below.startswith("{") else None
    if tree is None:
        tree = _read_yaml(decoded, name)
    if not isinstance(tree, dict):
        raise SpecError(f"{name}: expected a mapping, got {_described(tree)}")
    return tree


def check_swagger(document: dict[str, Any], *, name: str) -> None:
    """Raise SpecError unless ``document`` is a Swagger 2.0 document with paths and a version."""
    if "swagger" not in document and "openapi" in document:
        raise SpecError(
            f"{name}: an OpenAPI {document['openapi']} document; expected one of Swagger 2.0"
        )
    if document.get("swagger") != "2.0":
        found = _described(document.get("swagger"))
        raise SpecError(f"{name}: no Swagger 2.0 document: swagger: expected '2.0', got {found}")
    paths = document.get("paths")
    if not isinstance(paths, dict):
        raise SpecError(f"{name}: paths: expected a mapping, got {_described(paths)}")
    info = document.get("info")
    version = info.get("version") if isinstance(info, dict) else None
    if not isinstance(version, str):
        raise SpecError(f"{name}: info.version: expected text, got {_described(version)}")


def plain_copy(tree: Any, *, name: str) -> Any:
    """Return a plain tree of the same content as ``tree``, which was read by other means.

    SpecError as for `read_document`: the same bounds hold.
    """
    return _Copier(name).copy(tree, 1)


def _described(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else repr(value)[:60]


class _Bounds:
    """Counts the values of one document and how deep they are nested."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._values = 0
        self._characters = 0

    def enter(self, depth: int, values: int = 1) -> None:
        self._values += values
        if self._values > MAX_NODES:
            self.fail(f"more than {MAX_NODES} values, aliases expanded")
        if depth > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels")

    def text(self, text: str) -> str:
        # Few aliases of one long text would else make a small document a huge one.
        self._characters += len(text)
        if self._characters > LARGEST_DOCUMENT:
            self.fail(f"more than {LARGEST_DOCUMENT // 2**20} MiB of text, aliases expanded")
        return text

    def fail(self, problem: str) -> NoReturn:
        raise SpecError(f"{self._name}: {problem}")


class _Copier(_Bounds):
    """Makes a plain tree from Python objects, which may be shared or hold themselves."""

    def copy(self, value: Any, depth: int) -> Any:
        self.enter(depth)
        if isinstance(value, dict):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple):
            return [self.copy(item, depth + 1) for item in value]
        return self._scalar(value)

    def _mapping(self, mapping: dict[Any, Any], depth: int) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        for key, value in mapping.items():
            if isinstance(key, bool) or not isinstance(key, str | int):
                self.fail(f"the key {_described(key)} is not text")
            name = str(self._scalar(key))
            if name in copied:
                self.fail(f"the key {name!r} is given twice")
            copied[name] = self.copy(value, depth + 1)
        return copied

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            self.fail(f"{value} is not a finite number")
        if isinstance(value, str):
            if not value.isascii() and _has_surrogate(value):
                self.fail(f"{value[:60]!a} is not text: it holds half of a surrogate pair")
            return self.text(value)
        if isinstance(value, int) and abs(value) >= _LARGEST_NUMBER:
            self.fail(f"a number has more than {_MAX_NUMBER} digits")
        if value is not None and not isinstance(value, int | float):
            self.fail(f"a value is of the type {type(value).__name__}, which JSON does not know")
        return value


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


class _JsonValues(_Bounds):
    """Makes of JSON's values what a plain tree may hold."""

    def finite(self, number: str) -> float:
        if not math.isfinite(float(number)):
            self.fail(f"{number[:_MAX_NUMBER]} is not a finite number")
        return float(number)

    def short(self, number: str) -> int:
        if len(number) > _MAX_NUMBER:
            self.fail(f"the number {number[:_MAX_NUMBER]}… is too long")
        return int(number)

    def unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
            self.fail(f"the key {key!r} is given twice")
        return mapping


def _read_json(text: str, name: str) -> Any:
    """Return the plain tree, or None where ``text`` is not JSON."""
    values = _JsonValues(name)
    try:
        tree = json.loads(
            text,
            object_pairs_hook=values.unique,
            parse_float=values.finite,
            parse_int=values.short,
            parse_constant=values.finite,
        )
    except RecursionError:
        raise SpecError(f"{name}: nested deeper than {MAX_DEPTH} levels") from None
    except SpecError:
        raise
    except ValueError:
        return None
    if _HALF_OF_A_PAIR.search(text):
        return plain_copy(tree, name=name)
    _check_size(tree, values)
    return tree


def _check_size(tree: Any, bounds: _Bounds) -> None:
    """Count what JSON has brought, level by level: nothing of it is shared or holds itself."""
    depth, level = 1, [tree]
    while level:
        bounds.enter(depth, len(level))
        holders = (value for value in level if isinstance(value, (dict, list)))
        level = [
            value
            for holder in holders
            for value in (holder.values() if isinstance(holder, dict) else holder)
        ]
        depth += 1


def _read_yaml(text: str, name: str) -> Any:
    if next(islice(_DIRECTIVE.finditer(text), MAX_DIRECTIVES, None), None) is not None:
        raise SpecError(f"{name}: more than {MAX_DIRECTIVES} directives (lines that begin with %)")
    try:
        loader = _Loader(text, _Bounds(name))
        try:
            node = loader.get_single_node()
            return None if node is None else _Builder(name, loader).build(node, 1)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise SpecError(f"{name}: {_reason(error)}") from None


_LIBRARYS_DEPTH = "exceeded maximum nesting depth"
"""libyaml's own words (from 0.2.6 on), which it may say of brackets before a value is made."""


def _reason(error: yaml.YAMLError) -> str:
    """Return PyYAML's account of the error in one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        problem = error.problem or error.context
        if problem == _LIBRARYS_DEPTH:
            problem = f"nested deeper than {MAX_DEPTH} levels"
        return f"{_place(error.problem_mark)}: {problem}"
    return str(error).partition("\n")[0]


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


class _Loader(_FastestLoader):
    """A composer that is stopped at the bounds, before the document uses up memory or stack.

    ``descend_resolver`` and ``ascend_resolver`` are what PyYAML's composers, the one in C and the
    one in Python, call around each value. What they are for, path resolvers, is not used here.
    """

    # A date is text: YAML 1.1 would make an object of it that JSON does not know.
    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, form) for tag, form in forms if tag != _TAG + "timestamp"]
        for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str, bounds: _Bounds) -> None:
        super().__init__(text)
        self._bounds = bounds
        self._depth = 0

    def descend_resolver(self, _parent: Any, _index: Any) -> None:
        self._depth += 1
        self._bounds.enter(self._depth)

    def ascend_resolver(self) -> None:
        self._depth -= 1


class _Builder(_Bounds):
    """Makes a plain tree from composed nodes; an alias is a node that comes once more."""

    def __init__(self, name: str, loader: _Loader) -> None:
        super().__init__(name)
        self._numbers = {
            "int": loader.construct_yaml_int,
            "float": loader.construct_yaml_float,
        }

    def build(self, node: yaml.Node, depth: int) -> Any:
        self.enter(depth)
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.build(item, depth + 1) for item in node.value]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                self._merge(value_node, depth, merged)
                continue
            key = self._key(key_node)
            if key in mapping:
                self._fail_at(key_node, f"the key {key!r} is given twice")
            mapping[key] = self.build(value_node, depth + 1)
        for key, value in merged.items():
            mapping.setdefault(key, value)
        return mapping

    def _merge(self, node: yaml.Node, depth: int, merged: dict[str, Any]) -> None:
        """Add what ``<<:`` brings in; of two mappings with the same key, the first counts."""
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(source, yaml.MappingNode):
                self._fail_at(source, "'<<' merges mappings only")
            for key, value in self.build(source, depth + 1).items():
                merged.setdefault(key, value)

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._fail_at(node, "a key is text, not a mapping or a list")
        key = self._scalar(node)
        if isinstance(key, bool) or not isinstance(key, str | int):
            self._fail_at(node, f"the key {node.value[:60]!r} is not text unless it is quoted")
        return str(key)

    def _scalar(self, node: yaml.Node) -> Any:
        kind = node.tag.removeprefix(_TAG) if isinstance(node, yaml.ScalarNode) else ""
        # A lone '=' has a tag of its own in YAML 1.1.
        if kind in ("str", "value"):
            return self.text(node.value)
        if kind == "null":
            return None
        if kind == "bool" and node.value.lower() in _BOOLEANS:
            return _BOOLEANS[node.value.lower()]
        if kind not in self._numbers:
            self._fail_at(node, f"{node.tag!r} is not a tag of this value")
        return self._number(node, self._numbers[kind])

    def _number(self, node: yaml.Node, read: Callable[[Any], float]) -> float:
        if len(node.value) > _MAX_NUMBER:
            self._fail_at(node, f"the number {node.value[:_MAX_NUMBER]}… is too long")
        try:
            number = read(node)
        except (ValueError, IndexError):
            self._fail_at(node, f"{node.value!r} is not a number")
        if not math.isfinite(number):
            self._fail_at(node, f"{node.value!r} is not a finite number")
        return number

    def _fail_at(self, node: yaml.Node, problem: str) -> NoReturn:
        self.fail(f"{_place(node.start_mark)}: {problem}")
