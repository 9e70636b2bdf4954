"""What an engine was asked, and what it answered: the newest calls, without their secrets."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, overload

from dynadock.secret import MASK, conceal, is_secret_name
from dynadock.spec.schema import schema_at

if TYPE_CHECKING:
    from dynadock.spec.model import Body, Operation

MOST_KEPT = 1000
"""Calls; older ones are forgotten."""

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of all bodies that are kept."""

LARGEST_KEPT = 1024 * 1024
"""Bytes of a binary body that is kept."""

_FIRST_ERROR = 400
_SHOWN = 60


class Call:
    """One request.

    ``operation_id`` is empty for one that meant no operation; ``method`` and ``path`` say what it
    was. ``version`` is the client's, as it stood in the path, empty where none did. ``arguments``
    are by the wire's names, with the document's defaults, and ``body`` is a JSON value or the bytes
    of a binary body, if these are at most 1 MiB; secrets in both read as a mask (`dynadock.reveal`
    shows them). ``size`` are the body's bytes. ``status`` is what was answered, 0 while nothing
    was, and ``error`` the message of a refusal.
    """

    __slots__ = (
        *("arguments", "body", "error", "method", "operation_id"),
        *("path", "size", "status", "version"),
    )

    def __init__(self, method: str, size: int) -> None:
        self.operation_id = ""
        self.version = ""
        self.method = method
        self.path = ""
        self.arguments: Mapping[str, Any] = {}
        self.body: Any = None
        self.size = size
        self.status = 0
        self.error = ""

    def is_of(self, operation: Operation, version: str) -> None:
        """Note which operation it is, and at which version."""
        self.operation_id = operation.operation_id
        self.version = version

    def asks(self, operation: Operation, arguments: Mapping[str, Any], body: Any) -> None:
        """Note what it says, its secrets masked."""
        secrets = _secret_arguments(operation)
        if not secrets.isdisjoint(arguments):
            arguments = {
                name: conceal(value) if name in secrets else value
                for name, value in arguments.items()
            }
        self.arguments = arguments
        if isinstance(body, bytes) and len(body) > LARGEST_KEPT:
            return
        self.body = _masked(body, operation.body, ()) if _has_secrets(operation) else body

    def note(self, status: int, body: bytes) -> None:
        """Note what was answered."""
        self.status = status
        if status >= _FIRST_ERROR:
            try:
                self.error = json.loads(body)["message"]
            except (ValueError, KeyError, TypeError):
                self.error = body.decode(errors="replace")

    def __repr__(self) -> str:
        what = self.operation_id or f"{self.method} {self.path}"
        version = f" (API {self.version})" if self.version else ""
        given = "".join(f" {name}={_cut(value)}" for name, value in self.arguments.items() if value)
        body = "" if self.body is None else f" body={_cut(self.body)}"
        answer = f"{self.status} {self.error}".rstrip() if self.status else "not answered"
        return f"<{what}{version}{given}{body} -> {answer}>"


class Calls(Sequence[Call]):
    """The newest calls of an engine, the oldest first."""

    def __init__(self, calls: Sequence[Call] = ()) -> None:
        self._kept: deque[Call] = deque(calls)
        self._size = 0

    def begin(self, method: str, size: int) -> Call:
        """Note that something is asked."""
        made = Call(method, size)
        self._kept.append(made)
        self._size += size
        while len(self._kept) > MOST_KEPT or (self._size > MOST_BYTES and len(self._kept) > 1):
            self._size -= self._kept.popleft().size
        return made

    def of(self, *operation_ids: str) -> Calls:
        """Return the calls of these operations."""
        return Calls([each for each in self if each.operation_id in operation_ids])

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()
        self._size = 0

    @overload
    def __getitem__(self, place: int) -> Call: ...

    @overload
    def __getitem__(self, place: slice) -> Calls: ...

    def __getitem__(self, place: int | slice) -> Call | Calls:
        if isinstance(place, slice):
            return Calls(list(self._kept)[place])
        return self._kept[place]

    def __iter__(self) -> Iterator[Call]:
        # A copy: other threads may call meanwhile.
        return iter(list(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "no calls"


@lru_cache(maxsize=1024)
def _secret_arguments(operation: Operation) -> frozenset[str]:
    """Return the names of an operation's arguments that nobody is to see."""
    return frozenset(
        each.name for each in operation.parameters if each.secret or is_secret_name(each.name)
    )


@lru_cache(maxsize=1024)
def _has_secrets(operation: Operation) -> bool:
    from dynadock.spec.fields import touches_secret

    body = operation.body
    return body is not None and touches_secret(body.schema, body.definitions, ())


def _masked(value: Any, body: Body | None, path: tuple[Any, ...]) -> Any:
    assert body is not None
    if schema_at(body.schema, body.definitions, path).get("x-secret"):
        return conceal(value)
    if isinstance(value, dict):
        return {key: _masked(member, body, (*path, key)) for key, member in value.items()}
    if isinstance(value, list):
        return [_masked(member, body, (*path, place)) for place, member in enumerate(value)]
    return value


def _discreet(value: Any) -> Any:
    """Return a value as it may be printed: secrets in environments are marked nowhere."""
    if isinstance(value, str):
        name, equals, _ = value.partition("=")
        return f"{name}={MASK}" if equals and is_secret_name(name) else value
    if isinstance(value, Mapping):
        return {
            key: MASK if is_secret_name(str(key)) else _discreet(member)
            for key, member in value.items()
        }
    return [_discreet(each) for each in value] if isinstance(value, list) else value


def _cut(value: Any) -> str:
    text = repr(_discreet(value))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
