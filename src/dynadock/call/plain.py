"""Bodies as Python writes them, made into what JSON can hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from dynadock.call.encodings import ENCODINGS
from dynadock.call.values import (
    DEEPEST,
    TOO_DEEP,
    Mismatch,
    can_be_written,
    not_shown,
    place_of,
    shown,
    utf8_text,
    whole_number,
)
from dynadock.errors import Fault
from dynadock.secret import Secret, plain_string
from dynadock.spec.schema import encoding_in, schema_at

if TYPE_CHECKING:
    from dynadock.call.values import Path
    from dynadock.spec.model import Body


_AS_THEY_ARE = frozenset({bool, type(None)})


class Plain:
    """Turns a body as Python writes it into one as JSON does, and gathers what cannot be.

    Mappings become dicts, tuples and sets lists, members of enums their values; a float that is a
    whole number becomes an integer (Go refuses ``1e9`` for one, and reads 5 for a float as well).
    A path is its own text, so that one of another system is to be a pure path of that system.
    ``bytes``, ``timedelta`` and ``datetime`` become what the field they stand in wants: base64,
    nanoseconds or seconds, RFC 3339.
    """

    def __init__(self, body: Body) -> None:
        self._body = body
        self._around: set[int] = set()
        self.faults: list[Fault] = []

    def of(self, value: Any, path: Path = ()) -> Any:
        """Return ``value`` made plain; what cannot be is left out and noted in ``faults``."""
        if _is_plain(value):
            return value
        if len(path) > DEEPEST or id(value) in self._around:
            return self._fault(path, TOO_DEEP)
        self._around.add(id(value))
        try:
            return self._inside(value, path)
        finally:
            self._around.discard(id(value))

    def _inside(self, value: Any, path: Path) -> Any:
        # dict and list by themselves first: asking an abstract class takes ten times as long.
        if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101
            return self._object(value, path)
        if isinstance(value, list) or isinstance(value, (tuple, AbstractSet)):  # noqa: SIM101
            return self._array(value, path)
        return self._scalar(value, path)

    def _object(self, value: Mapping[Any, Any], path: Path) -> dict[str, Any]:
        plain = {}
        for key, member in value.items():
            if not isinstance(key, str):
                self._fault(path, f"expected text for a key, got {self._shown(key, path)}")
                continue
            name = self._text(key, path)
            if name is not None:
                plain[name] = member if _is_plain(member) else self.of(member, (*path, name))
        return plain

    def _array(self, value: Iterable[Any], path: Path) -> list[Any]:
        return [
            member if _is_plain(member) else self.of(member, (*path, place))
            for place, member in enumerate(value)
        ]

    def _scalar(self, value: Any, path: Path) -> Any:
        for kinds, convert in self._CONVERSIONS:
            if isinstance(value, kinds):
                return convert(self, value, path)
        return self._integer(value, path)

    def _text(self, value: str, path: Path) -> str | None:
        try:
            return utf8_text(plain_string(value))
        except Mismatch as mismatch:
            is_secret = isinstance(value, Secret) or self._is_secret(path)
            self._fault(path, mismatch.discreet if is_secret else mismatch.problem)
            return None

    def _path(self, value: os.PathLike[Any], path: Path) -> Any:
        text = os.fspath(value)
        if isinstance(text, str):
            return self._text(text, path)
        return self._fault(path, f"expected a path of text, got one of {type(text).__name__}")

    def _member(self, value: Enum, path: Path) -> Any:
        return self.of(value.value, path)

    def _moment(self, value: datetime, path: Path) -> Any:
        try:
            return value.astimezone().isoformat()
        except (ValueError, OverflowError):
            return self._fault(path, f"expected a moment that its time zone has, got {value!r}")

    def _integer(self, value: Any, path: Path) -> Any:
        number = whole_number(value)
        if number is None:
            return self._fault(path, f"{type(value).__name__} cannot be written as JSON")
        if not can_be_written(number):
            return self._fault(path, f"{self._shown(value, path)} cannot be written as JSON")
        return number

    def _number(self, value: float, path: Path) -> Any:
        number = whole_number(value)
        if number is not None:
            return number
        if value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN
            return self._fault(path, f"{value} cannot be written as JSON")
        return value

    def _binary(self, value: bytes | bytearray | memoryview, path: Path) -> Any:
        if encoding_in(self._schema(path)) != "base64":
            return self._fault(path, "expected what JSON can hold, got bytes")
        return str(ENCODINGS["base64"].check(value))

    def _duration(self, value: timedelta, path: Path) -> Any:
        unit = self._schema(path).get("x-unit")
        if unit == "nanoseconds":
            return value // timedelta(microseconds=1) * 1000
        if unit == "seconds" and value % timedelta(seconds=1) == timedelta():
            return value // timedelta(seconds=1)
        wanted = "whole seconds" if unit == "seconds" else "no duration"
        return self._fault(path, f"expected {wanted}, got {value!r}")

    def _schema(self, path: Path) -> dict[str, Any]:
        return schema_at(self._body.schema, self._body.definitions, path)

    def _shown(self, value: Any, path: Path) -> str:
        return not_shown(value) if self._is_secret(path) else shown(value)

    def _is_secret(self, path: Path) -> bool:
        from dynadock.spec.fields import touches_secret

        return touches_secret(self._body.schema, self._body.definitions, path)

    def _fault(self, path: Path, problem: str) -> None:
        self.faults.append(Fault(place_of(path) or self._body.name, problem, "body"))

    # Looked through from the top.
    _CONVERSIONS: ClassVar[tuple[tuple[Any, Callable[[Plain, Any, Path], Any]], ...]] = (
        (str, _text),
        (os.PathLike, _path),
        (float, _number),
        ((bytes, bytearray, memoryview), _binary),
        (timedelta, _duration),
        (datetime, _moment),
        (Enum, _member),
    )


def _is_plain(value: Any) -> bool:
    """Tell at once of most values that they need no change."""
    return type(value) in _AS_THEY_ARE or (type(value) is str and value.isascii())
