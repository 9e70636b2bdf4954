"""The overlay: corrections to documents, kept as data in ``specs/overlay.yaml``.

Sections ``operations``, ``parameters``, ``bodies``, ``replies`` and ``schemas`` are lists of
entries. Each says what it is about (``operation``: operationIds; or a schema's root), for which
``versions`` (default all), what it changes, and ``why``. CONTRIBUTING.md explains the keys.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.errors import SpecError
from dynadock.spec.versions import VersionRange, parse_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dynadock.spec.document import Document

SECTIONS = ("operations", "parameters", "bodies", "replies", "schemas")
ROOTS = ("definition", "body", "reply")


class Target(NamedTuple):
    """One place that one entry is about; two entries about one place are two targets."""

    section: str
    position: int
    name: str


class Entry(NamedTuple):
    """One entry of the overlay: its place in the file, the versions it is for, and its keys."""

    section: str
    position: int
    versions: VersionRange
    keys: Mapping[str, Any]

    @property
    def targets(self) -> list[Target]:
        """What the entry is about, one by one."""
        if self.section != "schemas":
            return [self._target(name) for name in _listed(self.keys["operation"])]
        return [
            self._target(f"{root}:{name}")
            for root in ROOTS
            for name in _listed(self.keys.get(root, []))
        ]

    def _target(self, name: str) -> Target:
        return Target(self.section, self.position, name)


class Overlay:
    """All entries, in the order of the file, sections in the order of `SECTIONS`.

    ``tree`` is the parsed file; SpecError for an unknown section or an entry without
    ``why``.
    """

    def __init__(self, tree: Mapping[str, Any]) -> None:
        unknown = sorted(set(tree) - set(SECTIONS))
        if unknown:
            raise SpecError(f"overlay: there is no section {', '.join(unknown)}")
        self.entries = [
            _entry(section, position, keys)
            for section in SECTIONS
            for position, keys in enumerate(tree.get(section) or [])
        ]

    def apply(self, document: Document) -> set[Target]:
        """Correct ``document`` in place; return the targets that were there to be corrected.

        A target that the document does not have is passed over: a user's own document is never
        refused for what the overlay says about the published ones.
        """
        matched = set()
        for entry in self.entries:
            if document.version in entry.versions:
                for target in entry.targets:
                    if _APPLY[entry.section](document, target.name, entry.keys):
                        matched.add(target)
        return matched


def _entry(section: str, position: int, keys: Mapping[str, Any]) -> Entry:
    if not keys.get("why"):
        raise SpecError(f"overlay: {section}[{position}] gives no reason (why)")
    versions = str(keys.get("versions", "all"))
    return Entry(section, position, parse_range(versions), keys)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _correct(node: dict[str, Any], keys: Mapping[str, Any]) -> None:
    """Carry out ``unset``, ``set`` and ``replace`` on one node."""
    for keyword in keys.get("unset", ()):
        node.pop(keyword, None)
    node.update(copy.deepcopy(dict(keys.get("set", {}))))
    if "replace" in keys:
        node.clear()
        node.update(copy.deepcopy(keys["replace"]))


def _apply_operation(document: Document, name: str, keys: Mapping[str, Any]) -> bool:
    operation = document.operations.get(name)
    if operation is None:
        return False
    operation.node["x-alias"] = keys["alias"]
    return True


def _apply_parameter(document: Document, name: str, keys: Mapping[str, Any]) -> bool:
    operation = document.operations.get(name)
    if operation is None:
        return False
    parameter = operation.parameter(keys["name"])
    if "add" in keys:
        if parameter is None:
            operation.parameters.append({"name": keys["name"], **copy.deepcopy(keys["add"])})
        return parameter is None
    if parameter is not None:
        _correct(parameter, keys)
    return parameter is not None


def _apply_body(document: Document, name: str, keys: Mapping[str, Any]) -> bool:
    operation = document.operations.get(name)
    if operation is None or operation.body is None:
        return False
    _correct(operation.body, keys)
    return True


def _apply_reply(document: Document, name: str, keys: Mapping[str, Any]) -> bool:
    operation = document.operations.get(name)
    if operation is None:
        return False
    if "set" in keys:
        operation.node.setdefault("x-reply", {}).update(copy.deepcopy(keys["set"]))
    return _add_codes(operation.node["responses"], keys.get("codes", {})) or "set" in keys


def _add_codes(responses: dict[str, Any], codes: Mapping[str, str]) -> bool:
    """Add codes that are missing, each with what is said of another one."""
    missing = {code: like for code, like in codes.items() if code not in responses}
    for code, like in missing.items():
        responses[code] = copy.deepcopy(responses.get(like, {}))
    return bool(missing)


def _apply_schema(document: Document, name: str, keys: Mapping[str, Any]) -> bool:
    root = _root_schema(document, name)
    if root is None:
        return False
    matched = False
    for node in list(_fields(root, _steps(keys.get("field", "")))):
        matched |= _correct_schema(node, keys)
    return matched


def _correct_schema(node: dict[str, Any], keys: Mapping[str, Any]) -> bool:
    added = _add_properties(node, keys.get("add", {}))
    spelt = _alias_properties(node, keys.get("alias", {}))
    dropped = _drop_properties(node, keys.get("drop", ()))
    _correct(node, keys)
    return added or spelt or dropped or any(key in keys for key in ("set", "unset", "replace"))


def _add_properties(node: dict[str, Any], properties: Mapping[str, Any]) -> bool:
    missing = {name: schema for name, schema in properties.items() if not _holders(node, name)}
    if missing:
        _open_branch(node).setdefault("properties", {}).update(copy.deepcopy(missing))
    return bool(missing)


def _alias_properties(node: dict[str, Any], spellings: Mapping[str, str]) -> bool:
    done = False
    for spelling, name in spellings.items():
        for holder in _holders(node, name):
            if spelling not in holder["properties"]:
                holder["properties"][spelling] = copy.deepcopy(holder["properties"][name])
                done = True
    return done


def _drop_properties(node: dict[str, Any], names: Iterable[str]) -> bool:
    found = [(holder, name) for name in names for holder in _holders(node, name)]
    for holder, name in found:
        del holder["properties"][name]
        if name in holder.get("required", ()):
            holder["required"].remove(name)
    return bool(found)


def _open_branch(node: dict[str, Any]) -> dict[str, Any]:
    """Return where new properties go: the node, or its first inline branch of an allOf."""
    for branch in node.get("allOf", ()):
        if "properties" in branch:
            inline: dict[str, Any] = branch
            return inline
    return node


def _holders(node: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the node and its inline allOf branches as far as they have the property ``name``."""
    branches = [node, *node.get("allOf", ())]
    return [branch for branch in branches if name in branch.get("properties", {})]


def _root_schema(document: Document, name: str) -> dict[str, Any] | None:
    root, _, target = name.partition(":")
    if root == "definition":
        return document.definitions.get(target)
    operation = document.operations.get(target)
    if operation is None:
        return None
    holder = operation.body if root == "body" else operation.success
    schema: dict[str, Any] | None = None if holder is None else holder.get("schema")
    return schema


def _steps(field: str) -> list[str]:
    """Split ``A.B[].C{}`` into its steps: property names, ``[]`` and ``{}``."""
    spaced = field.replace("[]", ".[]").replace("{}", ".{}")
    return [step for step in spaced.split(".") if step]


def _fields(node: dict[str, Any], steps: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the schemas at the end of ``steps``; the way never leads through a ``$ref``."""
    if not steps:
        yield node
        return
    step, *rest = steps
    for inner in _inner(node, step):
        yield from _fields(inner, rest)


def _inner(node: dict[str, Any], step: str) -> list[dict[str, Any]]:
    if step in ("[]", "{}"):
        inner = node.get("items" if step == "[]" else "additionalProperties")
        return [inner] if isinstance(inner, dict) else []
    return [holder["properties"][step] for holder in _holders(node, step)]


_APPLY: dict[str, Callable[[Document, str, Mapping[str, Any]], bool]] = {
    "operations": _apply_operation,
    "parameters": _apply_parameter,
    "bodies": _apply_body,
    "replies": _apply_reply,
    "schemas": _apply_schema,
}
