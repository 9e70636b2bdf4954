"""Credentials written to where the docker command stores them: a helper program, or the file.

The file is replaced atomically by a new one, so that nobody reads half of it. All else in it stays,
in its order; it is indented with tabs, as by the docker command. Unlike with the docker command,
its mode is 0600 afterwards whatever it was, and processes that use dynadock wait for each other (on
POSIX systems), so that none undoes what another has just written.
"""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynadock.accounts import is_utf8
from dynadock.atomic import replacing
from dynadock.config.credentials import default_store, helper_for
from dynadock.config.folder import object_of, read_config, read_object, spelling
from dynadock.config.helper import HELPER_TIMEOUT, TOKEN_USER, Helper
from dynadock.config.registries import auth_key, matching_keys
from dynadock.deadline import Deadline
from dynadock.errors import ConfigError
from dynadock.secret import Hidden, SecretBytes, conceal, plain_string, reveal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dynadock.config.folder import Folder

_LONGEST_WAIT = 10.0
_PAUSE = 0.01


def store_credentials(
    registry: str,
    auth: Mapping[str, Any],
    folder: Folder = None,
    *,
    timeout: float = HELPER_TIMEOUT,
) -> None:
    """Store credentials for ``registry``, as ``docker login`` does after the engine accepted them.

    ``auth`` has ``username`` and ``password`` or an ``identitytoken``, which then replaces the
    password. Its keys may be in any case, and other keys are ignored: so it may be the arguments
    and the reply of SystemAuth together, ``{**given, **answer}``.

    They go to the helper program that the configuration names for the registry (see
    ``credentials_for``), which may take ``timeout`` seconds, else into ``config.json``, which is
    created if there is none. ConfigError if ``auth`` lacks something or cannot be stored, if the
    file is invalid or cannot be written, or if the helper fails.
    """
    auth = conceal(auth)
    user, password, token = _read_auth(auth)
    key = auth_key(registry)
    config = read_config(folder)
    store = default_store(config)
    name = helper_for(key, config)
    # With a helper the file gets an empty entry, as from the docker command.
    entry = {} if name else _entry(user, password, token)

    def add(values: dict[str, Any]) -> None:
        auths = object_of(values, "auths", config.path)
        auths[key] = entry
        values[spelling(values, "auths")] = auths
        if store:
            # It may be the platform's default, which the file did not name yet.
            values[spelling(values, "credsStore")] = store

    if name:
        Helper(name, timeout).store(key, TOKEN_USER if token else user, token or password)
    _change(Path(config.path), add)


def erase_credentials(
    registry: str, folder: Folder = None, *, timeout: float = HELPER_TIMEOUT
) -> None:
    """Erase the credentials for ``registry``, if there are any, as ``docker logout`` does.

    They are erased from the helper program that stores them, if there is one (which may take
    ``timeout`` seconds), and from ``config.json`` under all keys that ``credentials_for`` would
    find. ConfigError if the file is invalid or cannot be written, or if the helper fails.
    """
    key = auth_key(registry)
    config = read_config(folder)
    name = helper_for(key, config)

    def remove(values: dict[str, Any]) -> None:
        auths = object_of(values, "auths", config.path)
        for found in matching_keys(registry, auths):
            del auths[found]

    if name:
        Helper(name, timeout).erase(key)
    if Path(config.path).exists():
        _change(Path(config.path), remove)


def _read_auth(auth: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return user, password and identity token, "" for each that is missing or not used."""
    given = {name.casefold(): value for name, value in auth.items() if value}
    user, password, token = (given.get(n, "") for n in ("username", "password", "identitytoken"))
    for name, value in (("username", user), ("password", password), ("identitytoken", token)):
        if not _can_be_kept(value):
            raise ConfigError(f"credentials: {name!r} is not text that can be stored")
    if not token and not (user and password):
        raise ConfigError("credentials are a username and a password, or an identitytoken")
    return plain_string(user), "" if token else password, token


def _can_be_kept(value: Any) -> bool:
    """Tell whether a value is text without NULs that UTF-8 can write."""
    return isinstance(value, str) and "\0" not in plain_string(value) and is_utf8(value)


def _entry(user: str, password: str, token: str) -> dict[str, str]:
    """Return the entry of a registry in ``auths``."""
    if ":" in user:
        raise ConfigError("credentials: a username with a ':' cannot be kept in the file")
    both = f"{user}:{plain_string(password)}".encode()
    encoded = conceal(binascii.b2a_base64(both, newline=False).decode())
    entry = {"auth": encoded if user else "", "identitytoken": token}
    return {name: value for name, value in entry.items() if value}


def _change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Let ``edit`` change the values in the file at ``path``, and write it if they differ then.

    If ``path`` is a symlink its target is written, or created.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone_in(target.parent):
            values = read_object(str(target)) or Hidden()
            before = _dumped(values, path)
            edit(values)
            after = _dumped(values, path)
            if after != before:
                with replacing(target, mode=0o600, synced=True) as file:
                    file.write(after)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None


def _dumped(values: dict[str, Any], path: Path) -> bytes:
    try:
        text = json.dumps(reveal(values), indent="\t", ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise ConfigError(f"{path} holds a number that is too large to be kept") from None
    # Half a surrogate pair has no UTF-8; JSON's escape for it is what backslashreplace writes.
    return SecretBytes(text.encode("utf-8", "backslashreplace"))


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder, which needs no file; ConfigError if others hold it too long."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        deadline = Deadline(_LONGEST_WAIT)
        while not _locked(descriptor):
            if deadline.is_over():
                raise ConfigError(f"{folder} has been locked by another for too long")
            time.sleep(_PAUSE)
        yield
    finally:
        # Explicitly, as closing is not enough: a process forked meanwhile holds the lock as well.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Some network file systems have no locks; the file is still replaced atomically.
        return True
    return True
