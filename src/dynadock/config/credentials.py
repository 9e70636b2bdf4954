"""Credentials for registries, out of the docker command's configuration.

``config.json`` says where they are stored, by the rules of the docker command:

- ``credHelpers`` names a helper program for a registry, ``credsStore`` one for all others; if
  neither does (``""`` counts as none) they are in ``auths``, in the file itself.
- If there is a helper for a registry, its entry in ``auths`` is ignored, even if the helper has no
  credentials.
- If the file has none of the three sections, the platform's own helper is used, if it is installed.

A helper that fails is an error here; the docker command goes on without credentials.

Nothing is cached between calls: each sees what ``docker login`` and ``logout`` changed meanwhile.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self

from dynadock.accounts import SECRETS
from dynadock.config.folder import read_config, text_of
from dynadock.config.helper import HELPER_TIMEOUT, TOKEN_USER, Helper, default_helper
from dynadock.config.registries import auth_key, matching_keys
from dynadock.errors import ConfigError, DynadockWarning
from dynadock.secret import conceal, discreet_address, plain_string
from dynadock.warn import warn_caller

if TYPE_CHECKING:
    from dynadock.config.folder import Configuration, Folder

_FIELDS = ("username", "password", "identitytoken", "registrytoken")


class Credentials(dict[str, str]):
    """What an engine logs in to a registry with, an ``AuthConfig`` of its API.

    A dict of ``serveraddress`` and those of ``username``, ``password``, ``identitytoken`` and
    ``registrytoken`` that are known. Its secrets read as a mask wherever they get to: printed, in
    copies, merged with other dicts, as JSON. They are sent, and compared, as they are, and
    `dynadock.reveal` gives them in plain. They cannot be pickled, so that none gets into a file by
    accident.
    """

    def __init__(self, *others: Any, **fields: str) -> None:
        super().__init__()
        self.update(*others, **fields)

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name, _discreet(name, value))

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return a value, after setting it to ``default`` if there was none."""
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *others: Any, **fields: Any) -> None:
        """Set values as dict.update does."""
        for name, value in dict(*others, **fields).items():
            self[name] = value

    def __or__(self, other: Any) -> Any:
        return NotImplemented if not isinstance(other, Mapping) else type(self)({**self, **other})

    def __ror__(self, other: Any) -> Any:
        return NotImplemented if not isinstance(other, Mapping) else type(self)({**other, **self})

    def __ior__(self, other: Any) -> Self:  # type: ignore[override]
        self.update(other)
        return self

    def __repr__(self) -> str:
        return f"Credentials({dict(self)!r})"

    def copy(self) -> Self:
        """Return a copy, which masks its secrets as well."""
        return type(self)(self)

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Self:
        return self.copy()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("credentials are not pickled; find them again where they are needed")


def _discreet(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return conceal(value) if name.lower() in SECRETS else discreet_address(value)


def credentials_for(
    registry: str, folder: Folder = None, *, timeout: float = HELPER_TIMEOUT
) -> Credentials | None:
    """Return the credentials for ``registry`` (see ``auth_key``), None if there are none.

    A helper program may take ``timeout`` seconds. ConfigError if the file is invalid, or the helper
    fails.
    """
    config = read_config(folder)
    key = auth_key(registry)
    name = helper_for(key, config)
    return _from_helper(Helper(name, timeout), key) if name else _from_file(key, config)


def all_credentials(
    folder: Folder = None, *, timeout: float = HELPER_TIMEOUT
) -> dict[str, Credentials]:
    """Return all credentials by their keys (see ``auth_key``), as ``docker build`` sends them.

    They are those that ``credsStore``'s helper lists, or else those in ``auths``, and those that
    the ``credHelpers`` return for their registries. Each call of a helper may take ``timeout``
    seconds; one that fails is a DynadockWarning and its credentials are left out, as hardly a build
    needs all registries. ConfigError if the file is invalid.
    """
    config = read_config(folder)
    found: dict[str, Credentials | None] = {}
    store = default_store(config)
    if store:
        helper = Helper(store, timeout)
        for key in _listed(helper):
            found[discreet_address(key)] = _tried(helper, key)
    else:
        for key in config.section("auths"):
            found[discreet_address(key)] = _entry(key, config)
    for key in config.section("credHelpers"):
        # The name "" says that this registry's credentials are in the file, despite credsStore.
        name = helper_for(key, config)
        found[discreet_address(key)] = (
            _tried(Helper(name, timeout), key) if name else _from_file(key, config)
        )
    return {key: credentials for key, credentials in found.items() if credentials}


def helper_for(key: str, config: Configuration) -> str:
    """Return the name of the helper that stores the credentials of ``key``, "" for the file."""
    helpers = config.section("credHelpers")
    if key in helpers:
        return text_of(helpers, key, f"{config.path}: 'credHelpers'")
    return default_store(config)


def default_store(config: Configuration) -> str:
    """Return the name of the helper for registries without one of their own, "" for the file."""
    stored = config.text("credsStore")
    if stored or config.section("credHelpers") or config.section("auths"):
        return stored
    return default_helper()


def _from_helper(helper: Helper, key: str) -> Credentials | None:
    found = helper.get(key)
    if found is None:
        return None
    user, secret = found
    fields = {"username": user, "password": secret}
    if user == TOKEN_USER:
        fields = {"identitytoken": secret}
    return Credentials(serveraddress=key, **fields)


def _listed(helper: Helper) -> list[str]:
    try:
        return helper.keys()
    except ConfigError as error:
        warn_caller(str(error), DynadockWarning)
        return []


def _tried(helper: Helper, key: str) -> Credentials | None:
    try:
        return _from_helper(helper, key)
    except ConfigError as error:
        warn_caller(f"no credentials for {auth_key(key)}: {error}", DynadockWarning)
        return None


def _from_file(registry: str, config: Configuration) -> Credentials | None:
    """Return the entry of ``auths`` for ``registry``, under the best of its keys."""
    keys = matching_keys(registry, config.section("auths"))
    return _entry(keys[0], config) if keys else None


def _entry(key: str, config: Configuration) -> Credentials | None:
    place = f"{config.path}: 'auths' for {auth_key(key)}"
    entry = conceal(config.section("auths")[key] or {})
    if not isinstance(entry, dict):
        raise ConfigError(f"{place} is not an object")
    values = Credentials(serveraddress=key)
    encoded = text_of(entry, "auth", place)
    found = {field: text_of(entry, field, place) for field in _FIELDS}
    if encoded:
        found["username"], found["password"] = _decoded(encoded, place)
    found["username"] = plain_string(found["username"])
    values.update({field: value for field, value in found.items() if value})
    return values if len(values) > 1 else None


def _decoded(encoded: str, place: str) -> tuple[str, str]:
    """Return the user and the password out of ``auth``, which is base64 of both with a colon."""
    found = _split(encoded)
    if found is None:
        # Raised here, where nothing of it is in plain.
        raise ConfigError(f"{place}: 'auth' is not base64 of a user, a colon and a password")
    return found


def _split(encoded: str) -> tuple[str, str] | None:
    try:
        # The docker command accepts line ends in it.
        joined = plain_string(encoded).replace("\r", "").replace("\n", "")
        text = binascii.a2b_base64(joined, strict_mode=True).decode()
    except ValueError:
        return None
    user, colon, password = text.partition(":")
    # Very old releases wrote NULs after the password.
    return (user, conceal(password.strip("\0"))) if colon and user else None
