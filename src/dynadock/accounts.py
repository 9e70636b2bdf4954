"""Credentials that a caller gives in code, by registry; nothing of them is ever shown or kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, Self

from dynadock.spec.names import closest

FIELDS = ("username", "password", "identitytoken", "registrytoken", "serveraddress", "email")
"""What engines read of an ``AuthConfig``; they do not mind in which letters."""

_NO_UTF8 = "expected text that UTF-8 can write"


class Hidden(dict[str, Any]):
    """A dict whose repr shows its keys alone, and that is not pickled."""

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
    for registry in given:
        if not is_utf8(registry):
            raise ValueError(f"credentials: {registry!r}: {_NO_UTF8}")
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
        if not is_utf8(value):
            raise ValueError(f"credentials: {registry!r}: {field}: {_NO_UTF8}")
        checked[field] = value
    return checked


def is_utf8(text: str) -> bool:
    """Tell whether UTF-8 can write a text; it cannot write half of a surrogate pair."""
    if text.isascii():
        # To see that takes no time.
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unknown(name: object) -> str:
    meant = closest(name, FIELDS) if isinstance(name, str) else None
    hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(FIELDS)}"
    return f"unknown {name!r}; {hint}"
