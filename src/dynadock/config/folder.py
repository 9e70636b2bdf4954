"""The docker command's configuration folder, and the ``config.json`` in it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from dynadock.errors import ConfigError
from dynadock.secret import Hidden, SecretBytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    Folder: TypeAlias = str | os.PathLike[str] | None

CONFIG_VARIABLE = "DOCKER_CONFIG"
CONFIG_FILE = "config.json"


class Configuration:
    """The contents of a ``config.json`` when it was read; its repr does not show them.

    ``path`` is the file, even if it does not exist, ``values`` its contents. Names are found in any
    case (``CredsStore``), as by the docker command, and a null counts as missing.
    """

    __slots__ = ("path", "values")

    def __init__(self, path: str, values: dict[str, Any]) -> None:
        self.path = path
        self.values = values

    def __repr__(self) -> str:
        return f"Configuration({self.path!r})"

    def text(self, name: str) -> str:
        """Return the text called ``name``, "" if there is none."""
        return text_of(self.values, name, self.path)

    def section(self, name: str) -> dict[str, Any]:
        """Return the object called ``name``, an empty one if there is none."""
        return object_of(self.values, name, self.path)


def config_folder(folder: Folder = None) -> str:
    """Return ``folder``, else what ``$DOCKER_CONFIG`` names, else ``~/.docker``.

    For a user without a home (no passwd entry, as in many containers) a path that cannot exist.
    """
    chosen = folder or os.environ.get(CONFIG_VARIABLE)
    if chosen:
        return os.fspath(chosen)
    usual = os.path.expanduser("~/.docker")
    return os.path.join(os.devnull, ".docker") if usual.startswith("~") else usual


def read_config(folder: Folder = None) -> Configuration:
    """Read the ``config.json`` in ``folder`` (see ``config_folder``); there need not be one.

    ConfigError if it cannot be read, or is not a JSON object.
    """
    path = os.path.join(config_folder(folder), CONFIG_FILE)
    return Configuration(path, read_object(path) or {})


def read_object(path: str) -> dict[str, Any] | None:
    """Read a file that holds a JSON object, an empty one if it is blank; None if there is none.

    ConfigError if it cannot be read, or holds anything else.
    """
    try:
        with open(path, "rb") as file:
            content = SecretBytes(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    value, problem = _object_in(content)
    if problem:
        # Not raised in an except block: the decoder's error, which holds the text, would become
        # its context.
        raise ConfigError(f"{path} is {problem}")
    return value


def _object_in(content: bytes) -> tuple[dict[str, Any], str]:
    """Return the JSON object that a file holds, and what is wrong with it, "" if nothing is."""
    try:
        text = content.decode("utf-8-sig")
        value = _DECODER.decode(text) if text.strip() else Hidden()
    except json.JSONDecodeError as error:
        # Only the position is shown: the text there may be a part of a secret.
        return {}, f"not JSON: see line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        return {}, "not JSON in UTF-8"
    if value is None:
        return Hidden(), ""
    return (value, "") if isinstance(value, dict) else ({}, "not a JSON object")


def spelling(values: Mapping[str, Any], name: str) -> str:
    """Return how ``name`` is written in ``values``, which may be in another case."""
    if name in values:
        return name
    return next((key for key in values if key.casefold() == name.casefold()), name)


def text_of(values: Mapping[str, Any], name: str, place: str) -> str:
    """Return the text called ``name``, "" if there is none; ConfigError if it is something else."""
    value = values.get(spelling(values, name))
    if value is None or isinstance(value, str):
        return value or ""
    # A traceback shows local variables.
    del value
    raise ConfigError(f"{place}: {name!r} is not text")


def object_of(values: Mapping[str, Any], name: str, place: str) -> dict[str, Any]:
    """Return the object called ``name``, {} if there is none; ConfigError if it is none."""
    value = values.get(spelling(values, name))
    if value is None or isinstance(value, dict):
        return Hidden() if value is None else value
    del value
    raise ConfigError(f"{place}: {name!r} is not an object")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_hook=Hidden, parse_constant=_refuse_constant)
"""Reads what may hold secrets anywhere."""
