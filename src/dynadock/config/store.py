"""Credentials written to where the docker command keeps them: a helper program, or the file.

The file is replaced as a whole, by one that was written beside it: nobody ever reads half of it.
What it says besides stays, in its order; it is indented with tabs, as by the docker command. Unlike
with that, its mode is 0600 afterwards whatever it was, and others who use dynadock wait for one
another (on POSIX systems), so that none undoes what another has just written.
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

from dynadock.config.credentials import default_store, helper_for
from dynadock.config.folder import object_of, read_config, read_object, spelling
from dynadock.config.helper import HELPER_TIMEOUT, TOKEN_USER, Helper
from dynadock.config.registries import auth_key, matching_keys
from dynadock.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dynadock.config.folder import Folder

_PATIENCE = 10.0
_PAUSE = 0.01


def store_credentials(
    registry: str,
    auth: Mapping[str, Any],
    folder: Folder = None,
    *,
    timeout: float = HELPER_TIMEOUT,
) -> None:
    """Keep credentials for ``registry``, as ``docker login`` does when the engine took them.

    ``auth`` has ``username`` and ``password`` or an ``identitytoken``, which then stands for the
    password. Its names count in any letters, and others not at all: so it may be what SystemAuth
    was given and what it answered together, ``{**given, **answer}``.

    They go to the helper program that the configuration names for the registry (see
    ``credentials_for``), which may take ``timeout`` seconds, else into ``config.json``, which is
    made if there is none. ConfigError if ``auth`` lacks something or is nothing that can be kept,
    if the file makes no sense or cannot be written, or if the helper fails.
    """
    user, password, token = _read_auth(auth)
    key = auth_key(registry)
    config = read_config(folder)
    store = default_store(config)
    name = helper_for(key, config)
    # In the file there is but a sign that the helper has something, as the docker command has it.
    entry = {} if name else _entry(user, password, token)

    def add(values: dict[str, Any]) -> None:
        auths = object_of(values, "auths", config.path)
        auths[key] = entry
        values[spelling(values, "auths")] = auths
        if store:
            # It may be the platform's own, found just now.
            values[spelling(values, "credsStore")] = store

    if name:
        Helper(name, timeout).store(key, TOKEN_USER if token else user, token or password)
    _change(Path(config.path), add)


def erase_credentials(
    registry: str, folder: Folder = None, *, timeout: float = HELPER_TIMEOUT
) -> None:
    """Forget the credentials for ``registry``, as ``docker logout`` does; there need be none.

    They are erased from the helper program that keeps them, if one does (which may take ``timeout``
    seconds), and from ``config.json`` under all names that ``credentials_for`` would find.
    ConfigError if the file makes no sense or cannot be written, or if the helper fails.
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
    """Return user, password and identity token, of the last two what there is."""
    given = {name.casefold(): value for name, value in auth.items() if value}
    user, password, token = (given.get(n, "") for n in ("username", "password", "identitytoken"))
    for name, value in (("username", user), ("password", password), ("identitytoken", token)):
        if not isinstance(value, str) or "\0" in value or not _is_utf8(value):
            raise ConfigError(f"credentials: {name!r} is no text that can be kept")
    if not token and not (user and password):
        raise ConfigError("credentials are a username and a password, or an identitytoken")
    return user, "" if token else password, token


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _entry(user: str, password: str, token: str) -> dict[str, str]:
    """Return what ``auths`` holds of a registry."""
    if ":" in user:
        raise ConfigError("credentials: a username with a ':' cannot be kept in the file")
    encoded = binascii.b2a_base64(f"{user}:{password}".encode(), newline=False).decode()
    entry = {"auth": encoded if user else "", "identitytoken": token}
    return {name: value for name, value in entry.items() if value}


def _change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Have ``edit`` change what the file at ``path`` says; one that changes nothing is not written.

    Where ``path`` is a symlink, what it points to is written, be it there or not.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone_in(target.parent):
            values = read_object(str(target)) or {}
            before = _dumped(values, path)
            edit(values)
            after = _dumped(values, path)
            if after != before:
                _replace(target, after)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None


def _dumped(values: dict[str, Any], path: Path) -> bytes:
    try:
        text = json.dumps(values, indent="\t", ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise ConfigError(f"{path} holds a number that is too large to be kept") from None
    # What UTF-8 cannot write, half a surrogate pair, JSON has an escape for: the very same.
    return text.encode("utf-8", "backslashreplace")


def _replace(target: Path, content: bytes) -> None:
    # A name of its own, so that nobody else writes into it. (tempfile takes long to import.)
    temporary = target.with_name(f".{target.name}.{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "xb", opener=_open_private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _keep_owner(target, temporary)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keep_owner(target: Path, temporary: Path) -> None:
    """Leave a file to whom it belonged, where root writes for another user, as with ``sudo``."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            status = target.stat()
            os.chown(temporary, status.st_uid, status.st_gid)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which leaves nothing behind; ConfigError if it is not to be had."""
    if sys.platform == "win32":
        yield
        return
    # Imported here for start-up time: only writers lock, and Windows has no such module.
    import fcntl  # noqa: PLC0415

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        until = time.monotonic() + _PATIENCE
        while not _locked(descriptor):
            if time.monotonic() > until:
                raise ConfigError(f"{folder} has been locked by another for too long")
            time.sleep(_PAUSE)
        yield
    finally:
        # Said, not left to closing: a process forked meanwhile would hold the lock as well.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    if sys.platform == "win32":
        return True
    # Imported here for start-up time: only writers lock, and Windows has no such module.
    import fcntl  # noqa: PLC0415

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Some file systems of a network have no locks; a file is still written whole.
        return True
    return True
