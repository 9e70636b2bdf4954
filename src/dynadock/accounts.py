"""Credentials that a caller gives in code, by registry; nothing of them is ever shown or kept."""

from __future__ import annotations

from collections.abc import Mapping

from dynadock.secret import Hidden, conceal, discreet_address
from dynadock.spec.names import closest

SECRETS = ("password", "identitytoken", "registrytoken", "auth")
"""What of credentials is secret; ``auth`` is the user and the password in one."""

FIELDS = ("username", "password", "identitytoken", "registrytoken", "serveraddress", "email")
"""What engines read of an ``AuthConfig``; they do not mind in which letters."""


def accounts(given: Mapping[str, Mapping[str, str]]) -> Hidden:
    """Return a copy of credentials by registry, each checked.

    Each is a mapping of `FIELDS`, in any letters. TypeError or ValueError names the registry and
    what is wrong, and shows no value, nor a password in the registry's address.
    """
    if not all(isinstance(registry, str) for registry in given):
        raise TypeError("credentials: expected registries as text for keys")
    return Hidden(
        {discreet_address(key): _account(discreet_address(key), given[key]) for key in given}
    )


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
        checked[field] = conceal(value) if field in SECRETS else value
    return checked


def _unknown(name: object) -> str:
    meant = closest(name, FIELDS) if isinstance(name, str) else None
    hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(FIELDS)}"
    return f"unknown {name!r}; {hint}"
