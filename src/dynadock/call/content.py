"""What is inside a parameter that is written as JSON: checked with its places, as a body is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dynadock.secret import plain_string
from dynadock.spec.model import Body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.errors import Fault
    from dynadock.spec.model import Operation, Parameter


_KINDS: Mapping[str, Any] = {"object": Mapping, "array": (list, tuple)}


class Content:
    """The contents of one parameter of a call; ``faults`` is what is wrong with them.

    ``unknown`` is as for `dynadock.call.body.check_body`.
    ``value`` is what the caller gave, made plain where that is possible. What is not even of the
    right kind, such as a number for an object, is left to the parameter's encoding to refuse.
    """

    def __init__(
        self, operation: Operation, parameter: Parameter, value: Any, unknown: str
    ) -> None:
        self._operation = operation
        self._unknown = unknown
        self.faults: list[Fault] = []
        if parameter.items is None:
            self.value = self._checked(parameter, value, "")
        elif isinstance(value, (list, tuple)):
            items = parameter.items
            self.value = [self._checked(items, each, f"[{i}]") for i, each in enumerate(value)]
        else:
            self.value = self._checked(parameter.items, value, "")

    def _checked(self, parameter: Parameter, value: Any, place: str) -> Any:
        from dynadock.call.body import check_body
        from dynadock.call.plain import Plain

        read = _read(value) if isinstance(value, str) else value
        if not isinstance(read, _KINDS[parameter.content["type"]]):
            return value
        body = body_of(parameter)
        plain = Plain(body)
        made = plain.of(read)
        found = plain.faults or check_body(self._operation, body, made, self._unknown)
        self.faults += _placed(found, body, place, parameter.location)
        return value if isinstance(value, str) else made


def _read(text: str) -> Any:
    try:
        return json.loads(plain_string(text))
    except (ValueError, RecursionError):
        return None


@lru_cache(maxsize=256)
def body_of(parameter: Parameter) -> Body:
    """Return the body that a parameter's contents are checked as; once, as validators are kept."""
    schema = {**parameter.content, "x-secret": parameter.secret}
    name = parameter.python_name
    compiled = {"name": name, "python_name": name, "required": False, "kind": "any"}
    return Body({**compiled, "schema": schema}, {})


def _placed(faults: Any, body: Body, place: str, location: str) -> Iterator[Fault]:
    for fault in faults:
        inside = "" if fault.place == body.name else fault.place
        dot = "." if inside and not inside.startswith("[") else ""
        yield fault._replace(place=f"{body.name}{place}{dot}{inside}", location=location)
