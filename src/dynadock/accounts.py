"""Credentials that a caller gives in code, by registry; they are never shown or stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynadock.secret import Hidden, conceal, discreet_address, plain_string, reveal
from dynadock.spec.names import closest

SECRETS = ("password", "identitytoken", "registrytoken", "auth")
"""What of credentials is secret; ``auth`` is the user and the password in one."""

FIELDS = ("username", "password", "identitytoken", "registrytoken", "serveraddress", "email")
"""What engines read of an ``AuthConfig``; they do not mind in which letters."""

_NO_UTF8 = "expected text that UTF-8 can write"


def accounts(given: Mapping[str, Mapping[str, str]]) -> Hidden:
    """Return a copy of credentials by registry, each checked.

    Each is a mapping of `FIELDS`, in any letters. TypeError or ValueError names the registry and
    what is wrong, and shows no value, nor a password in the registry's address.
    """
    given = concealed(given)
    if not all(isinstance(registry, str) for registry in given):
        raise TypeError("credentials: expected registries as text for keys")
    for registry in given:
        if not is_utf8(registry):
            raise ValueError(f"credentials: {registry!r}: {_NO_UTF8}")
    return Hidden({registry: _account(registry, given[registry]) for registry in given})


def concealed(given: Any) -> Any:
    """Return what was given for credentials, whatever it is, with everything in it hidden."""
    if not isinstance(given, Mapping):
        return conceal(given)
    return Hidden(
        {
            discreet_address(name) if isinstance(name, str) else name: conceal(auth)
            for name, auth in given.items()
        }
    )


def _account(registry: str, auth: Mapping[str, str]) -> Hidden:
    if not isinstance(auth, Mapping):
        raise TypeError(f"credentials: {registry!r}: expected a mapping, got {_kind(auth)}")
    checked = Hidden()
    for name, value in auth.items():
        field = name.lower() if isinstance(name, str) else ""
        if field not in FIELDS:
            raise ValueError(f"credentials: {registry!r}: {_unknown(name)}")
        if not isinstance(value, str):
            problem = f"{field}: expected text, got {_kind(value)}"
            raise TypeError(f"credentials: {registry!r}: {problem}")
        if not is_utf8(value):
            raise ValueError(f"credentials: {registry!r}: {field}: {_NO_UTF8}")
        checked[field] = value if field in SECRETS else plain_string(value)
    return checked


def _kind(value: object) -> str:
    return type(reveal(value)).__name__


def is_utf8(text: str) -> bool:
    """Tell whether UTF-8 can write a text; it cannot write half of a surrogate pair."""
    plain = plain_string(text)
    if plain.isascii():
        # To see that takes no time.
        return True
    try:
        plain.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unknown(name: object) -> str:
    meant = closest(name, FIELDS) if isinstance(name, str) else None
    hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(FIELDS)}"
    return f"unknown {name!r}; {hint}"
