"""Credentials for registries, out of the docker command's configuration.

Where they are kept is told by ``config.json``, by the rules of the docker command:

- ``credHelpers`` names a helper program for a registry, ``credsStore`` one for all others; if
  neither does (``""`` counts as none) they are in ``auths``, in the file itself.
- Where there is a helper, what ``auths`` says of that registry counts for nothing, even if the
  helper knows no credentials.
- With none of the three, the platform's own helper is asked if it is installed.

Unlike the docker command, which then goes on without, a helper that fails is an error here.

Nothing is kept between calls: what a user logs in to or out of meanwhile is seen by the next one.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Any, NoReturn, Self

from dynadock.config.folder import read_config, text_of
from dynadock.config.helper import HELPER_TIMEOUT, TOKEN_USER, Helper, default_helper
from dynadock.config.registries import auth_key, matching_keys
from dynadock.errors import ConfigError, DynadockWarning
from dynadock.options import MASK
from dynadock.warn import warn_caller

if TYPE_CHECKING:
    from dynadock.config.folder import Configuration, Folder

_SECRETS = ("password", "identitytoken", "registrytoken", "auth")
_FIELDS = ("username", "password", "identitytoken", "registrytoken")


class Credentials(dict[str, str]):
    """What an engine is told to log in to a registry with, an ``AuthConfig`` of its API.

    A dict of ``serveraddress`` and what there is of ``username``, ``password``, ``identitytoken``
    and ``registrytoken``. Its repr and text hide the secrets, a copy is one of its kind, and it
    cannot be pickled: secrets are not to get into files by accident.
    """

    def __repr__(self) -> str:
        shown = {key: MASK if key.lower() in _SECRETS else value for key, value in self.items()}
        return f"Credentials({shown!r})"

    def copy(self) -> Self:
        """Return credentials of their own, which hide their secrets as well."""
        return type(self)(self)

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Self:
        return self.copy()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("credentials are not pickled; find them again where they are needed")


def credentials_for(
    registry: str, folder: Folder = None, *, timeout: float = HELPER_TIMEOUT
) -> Credentials | None:
    """Return the credentials for ``registry`` (see ``auth_key``), None if there are none.

    A helper program may take ``timeout`` seconds. ConfigError if the file makes no sense, or the
    helper fails.
    """
    config = read_config(folder)
    key = auth_key(registry)
    name = helper_for(key, config)
    return _from_helper(Helper(name, timeout), key) if name else _from_file(key, config)


def all_credentials(
    folder: Folder = None, *, timeout: float = HELPER_TIMEOUT
) -> dict[str, Credentials]:
    """Return all credentials by what they lie under, as ``docker build`` sends them to an engine.

    They are what ``credsStore``'s helper lists, or else ``auths``, and what the ``credHelpers``
    answer for their registries. Each call of a helper may take ``timeout`` seconds; those that fail
    are left out with a DynadockWarning, as hardly a build needs all registries. ConfigError if the
    file makes no sense.
    """
    config = read_config(folder)
    found: dict[str, Credentials | None] = {}
    store = default_store(config)
    if store:
        helper = Helper(store, timeout)
        for key in _listed(helper):
            found[key] = _tried(helper, key)
    else:
        for key in config.section("auths"):
            found[key] = _entry(key, config)
    for key in config.section("credHelpers"):
        # "" is for a registry whose credentials are in the file all the same.
        name = helper_for(key, config)
        found[key] = _tried(Helper(name, timeout), key) if name else _from_file(key, config)
    return {key: credentials for key, credentials in found.items() if credentials}


def helper_for(key: str, config: Configuration) -> str:
    """Return the name of the helper that keeps what lies under ``key``, "" for the file itself."""
    helpers = config.section("credHelpers")
    if key in helpers:
        return text_of(helpers, key, f"{config.path}: 'credHelpers'")
    return default_store(config)


def default_store(config: Configuration) -> str:
    """Return the name of the helper for registries that none is named for, "" for the file."""
    stored = config.text("credsStore")
    if stored or config.section("credHelpers") or config.section("auths"):
        return stored
    return default_helper()


def _from_helper(helper: Helper, key: str) -> Credentials | None:
    found = helper.get(key)
    if found is None:
        return None
    user, secret = found
    if user == TOKEN_USER:
        return Credentials(serveraddress=key, identitytoken=secret)
    return Credentials(serveraddress=key, username=user, password=secret)


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
    """Return what ``auths`` holds for ``registry``, under the best of its names there."""
    keys = matching_keys(registry, config.section("auths"))
    return _entry(keys[0], config) if keys else None


def _entry(key: str, config: Configuration) -> Credentials | None:
    place = f"{config.path}: 'auths' for {auth_key(key)}"
    entry = config.section("auths")[key] or {}
    if not isinstance(entry, dict):
        raise ConfigError(f"{place} is no object")
    values = {field: text_of(entry, field, place) for field in _FIELDS}
    encoded = text_of(entry, "auth", place)
    if encoded:
        values["username"], values["password"] = _decoded(encoded, place)
    values = {field: value for field, value in values.items() if value}
    return Credentials(serveraddress=key, **values) if values else None


def _decoded(encoded: str, place: str) -> tuple[str, str]:
    """Return the user and the password out of ``auth``, which is base64 of both with a colon."""
    try:
        # Lines are no fault to the docker command.
        joined = encoded.replace("\r", "").replace("\n", "")
        text = binascii.a2b_base64(joined, strict_mode=True).decode()
    except ValueError:
        text = ""
    user, colon, password = text.partition(":")
    if not colon or not user:
        # Raised out here, so that no error that holds the text hangs on it as its context.
        raise ConfigError(f"{place}: 'auth' is not base64 of a user, a colon and a password")
    # Files of very old releases have NULs behind the password.
    return user, password.strip("\0")
