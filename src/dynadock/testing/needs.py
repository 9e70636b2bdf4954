"""What a test needs of an API version: operations, parameters, and fields, by their names."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dynadock.errors import UnknownOperation
from dynadock.spec.library import available_versions
from dynadock.spec.loader import load_version
from dynadock.spec.names import closest
from dynadock.spec.schema import flatten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.spec.model import Operation, Spec
    from dynadock.spec.versions import Version


class NoSuchName(ValueError):
    """No version has anything of a name."""


@cache
def lacking(name: str, version: Version) -> str:
    """Say when what a test needs arrived, or left: ``it arrived in 1.42``; empty if it is there.

    ``name`` is an operation (``VolumeUpdate``), a parameter, a body's or a reply's field of one
    (``ContainerCreate.platform``, ``ContainerCreate.HostConfig.Init``), a definition or a field of
    one (``HostConfig.CgroupnsMode``). Raises NoSuchName if no version has it.
    """
    if _has(load_version(version), name):
        return ""
    known = available_versions()
    # The nearest one decides, so that few documents are read.
    for later in (each for each in known if each > version):
        if _has(load_version(later), name):
            return f"it arrived in {later}"
    for earlier in (each for each in reversed(known) if each < version):
        if _has(load_version(earlier), name):
            return f"its last version is {earlier}"
    raise NoSuchName(f"no API version has {name!r}{_hint(load_version(version), name)}")


def is_operation(name: str) -> bool:
    """Tell whether the name of something that a version lacks is an operation's."""
    return any(name in (*spec, *spec.names) for spec in map(load_version, available_versions()))


def _has(spec: Spec, name: str) -> bool:
    head, _, path = name.partition(".")
    if name.endswith("."):
        return False
    try:
        operation = spec.find(head)
    except UnknownOperation:
        operation = None
    if operation is not None and (not path or _has_part(operation, path)):
        return True
    definition = spec.definitions.get(head)
    return definition is not None and _has_field(definition, spec.definitions, path)


def _has_part(operation: Operation, path: str) -> bool:
    if path in operation.by_name:
        return True
    definitions = operation.spec.definitions
    schemas = [operation.reply.schema, operation.body and operation.body.schema]
    return any(_has_field(each, definitions, path) for each in schemas if each)


def _has_field(schema: Mapping[str, Any], definitions: Mapping[str, Any], path: str) -> bool:
    """Tell whether a field is there; members of lists and maps are entered by themselves."""
    for name in path.replace("[]", "").replace("{}", "").split(".") if path else ():
        found = next(
            (
                each["properties"][name]
                for each in _entered(dict(schema), definitions)
                if name in each.get("properties", ())
            ),
            None,
        )
        if found is None:
            return False
        schema = found
    return True


def _entered(schema: dict[str, Any], definitions: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a schema, and those of its members: a list's, a map's."""
    inner: Any = schema
    for _ in range(len(definitions) + 1):
        if not isinstance(inner, dict):
            return
        flat = flatten(inner, definitions)
        yield flat
        inner = flat.get("items", flat.get("additionalProperties"))


def _hint(spec: Spec, name: str) -> str:
    head, dot, path = name.partition(".")
    meant = closest(head, [*spec, *spec.definitions])
    if not meant or meant == head:
        return ""
    return f"; did you mean {meant + dot + path!r}?"
