"""How calls are made: one frozen value that every call of a client goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from dynadock.spec.names import closest

DEFAULT_TIMEOUT = 60.0
"""Seconds to wait for an answer where the caller says nothing and no long work is asked for."""

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection; shorter where ``timeout`` is."""

LONGEST_TIMEOUT = 1e9
"""Seconds; sockets refuse much more. None is the way to wait for ever."""

SECRET_HEADERS = frozenset({"authorization", "x-registry-auth", "x-registry-config"})


@dataclass(frozen=True, slots=True)
class Options:
    """How calls are made.

    - ``timeout``: seconds to wait for an answer, None for ever. ``"auto"`` is 60 s, without a limit
      for operations that answer only when their work is done (ContainerWait, prunes), and with the
      ``t`` of ContainerStop and ContainerRestart on top.
    - ``validate``: False sends arguments as they are, unchecked.
    - ``unknown``: what happens to parameters and body fields that the document does not know:
      ``"error"``, ``"warn"`` (UnknownFieldWarning, and sent) or ``"send"``.
    - ``headers``, ``query``: sent with every call, over what the call itself makes; ``query`` is
      the way to send a parameter that no document knows, lists give a key more than once.
    """

    timeout: float | Literal["auto"] | None = "auto"
    validate: bool = True
    unknown: Literal["error", "warn", "send"] = "error"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.unknown not in ("error", "warn", "send"):
            raise ValueError(f"unknown: expected 'error', 'warn' or 'send', got {self.unknown!r}")
        if not isinstance(self.validate, bool):
            raise TypeError(f"validate: expected True or False, got {self.validate!r}")
        if not _is_timeout(self.timeout):
            raise ValueError(
                f"timeout: expected seconds above 0, None or 'auto', got {self.timeout!r}"
            )
        for name in ("headers", "query"):
            if not isinstance(getattr(self, name), Mapping):
                raise TypeError(f"{name}: expected a mapping, got {getattr(self, name)!r}")
            # A copy, so that what the caller does with its own later changes nothing here.
            object.__setattr__(self, name, dict(getattr(self, name)))

    def merged(self, changes: Mapping[str, Any]) -> Options:
        """Return a copy with ``changes``; headers and query are merged key by key.

        TypeError names an option that there is not.
        """
        known = [each.name for each in fields(self)]
        for name in changes:
            if name not in known:
                meant = closest(name, known)
                hint = f"; did you mean {meant!r}?" if meant else f"; there are {', '.join(known)}"
                raise TypeError(f"there is no option {name!r}{hint}")
        merged = dict(changes)
        for name in ("headers", "query"):
            if isinstance(merged.get(name), Mapping):
                merged[name] = {**getattr(self, name), **merged[name]}
        return replace(self, **merged)

    def without_secrets(self) -> Options:
        """Return a copy without headers that carry credentials, fit to leave the process."""
        headers = {name: value for name, value in self.headers.items() if not _is_secret(name)}
        return replace(self, headers=headers)

    def __repr__(self) -> str:
        shown = {each.name: getattr(self, each.name) for each in fields(self)}
        shown["headers"] = {
            name: "…" if _is_secret(name) else value for name, value in self.headers.items()
        }
        return f"Options({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def _is_secret(header: str) -> bool:
    return header.lower() in SECRET_HEADERS


def _is_timeout(value: object) -> bool:
    if value is None or value == "auto":
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 < value < LONGEST_TIMEOUT
