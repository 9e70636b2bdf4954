"""Credentials that a caller gives in code, by registry; they are never shown or stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, Self

from dynadock.spec.names import closest

FIELDS = ("username", "password", "identitytoken", "registrytoken", "serveraddress", "email")
"""What engines read of an ``AuthConfig``; they do not mind in which letters."""


class Hidden(dict[str, Any]):
    """A dict whose repr shows only its keys, and that cannot be pickled."""

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key!r}: …" for key in self) + "}"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: Any) -> Self:
        return self

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("credentials are not pickled; give them again where they are needed")


def accounts(given: Mapping[str, Mapping[str, str]]) -> Hidden:
    """Return a copy of credentials by registry, each checked.

    Each is a mapping of `FIELDS`, in any letters. TypeError or ValueError names the registry and
    what is wrong, and shows no value.
    """
    if not all(isinstance(registry, str) for registry in given):
        raise TypeError("credentials: expected registries as text for keys")
    return Hidden({registry: _account(registry, auth) for registry, auth in given.items()})


def _account(registry: str, auth: Mapping[str, str]) -> Hidden:
    if not isinstance(auth, Mapping):
        kind = type(auth).__name__
        raise TypeError(f"credentials: {registry!r}: expected a mapping, got {kind}")
    checked = Hidden()
    for name, value in auth.items():
        field = name.lower() if isinstance(name, str) else ""
        if field not in FIELDS:
            raise ValueError(f"credentials: {registry!r}: {_unknown(name)}")
        if not isinstance(value, str):
            kind = type(value).__name__
            raise TypeError(f"credentials: {registry!r}: {field}: expected text, got {kind}")
        checked[field] = value
    return checked


def _unknown(name: object) -> str:
    meant = closest(name, FIELDS) if isinstance(name, str) else None
    hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(FIELDS)}"
    return f"unknown {name!r}; {hint}"
