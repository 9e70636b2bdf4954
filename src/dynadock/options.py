"""How calls are made: one frozen value that every call of a client goes by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from dynadock.accounts import accounts
from dynadock.spec.names import closest

DEFAULT_TIMEOUT = 60.0
"""Seconds to wait for an answer where the caller says nothing and no long work is asked for."""

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection; shorter where ``timeout`` is."""

CONNECTIONS = 32
"""Connections that calls may have open at a time where the caller says nothing."""

LARGEST_REPLY = 256 * 1024 * 1024
"""Bytes of a reply that are held in memory where the caller says nothing.

A list of a hundred thousand containers is well below it, and what is made of it takes some ten
times as much.
"""

LONGEST_TIMEOUT = 1e9
"""Seconds; sockets refuse much more. None is the way to wait for ever."""

NAMES = (
    *("timeout", "deadline", "retries", "limit", "validate", "unknown", "tty"),
    *("headers", "query", "credentials", "proxies"),
)
NOTHING: Mapping[str, Any] = {}

KEPT: Any = ...
"""Given for an option, it leaves the option as it is."""

MASK = "****"
"""What is shown in place of a secret."""

# Compiled when it is first asked for: a start need not wait.
_OF_SECRETS = r"auth(?!ors?$)|cookie|token|secret|passw|credential|api-?key|x-registry-config"


class Options:
    """How calls are made; frozen.

    - ``timeout``: seconds to wait for an answer, None for ever. ``"auto"`` is 60 s, without a limit
      for operations that answer only when their work is done (ContainerWait, prunes), and with the
      ``t`` of ContainerStop and ContainerRestart on top. For a stream it is the longest silence.
    - ``deadline``: seconds for a whole call, a stream to its end, None (the default) for no limit.
    - ``retries``: how often a call is tried again that cannot have had an effect: nothing listens
      at the endpoint (with a short pause, twice as long each time), or a GET or HEAD went out over
      a kept connection that ended without a byte of an answer. 0 never does.
    - ``limit``: bytes of a reply that is held in memory as a whole (a value, an error's body), None
      for any number. Streams have no limit but that of a single value in them.
    - ``validate``: False sends arguments as they are, unchecked.
    - ``unknown``: what happens to parameters and body fields that the document does not know:
      ``"error"``, ``"warn"`` (UnknownFieldWarning, and sent) or ``"send"``.
    - ``tty``: whether output of containers is a terminal's, raw and not in frames. None asks the
      engine where its reply does not tell.
    - ``headers``, ``query``: sent with every call, over what the call itself makes; ``query`` is
      the way to send a parameter that no document knows, lists give a key more than once.
    - ``credentials``: True (the default) finds those for registries where the docker command keeps
      them, for calls that need some and are given none; False sends none. A mapping from registry
      to an ``AuthConfig`` stands in their place, and is neither shown nor pickled.
    - ``proxies``: True tells new containers and builds of the proxies that the docker command's
      configuration names for them, as that command does; False is the default.
    """

    __slots__ = NAMES

    timeout: float | Literal["auto"] | None
    deadline: float | None
    retries: int
    limit: int | None
    validate: bool
    unknown: Literal["error", "warn", "send"]
    tty: bool | None
    headers: Mapping[str, str]
    query: Mapping[str, Any]
    credentials: bool | Mapping[str, Mapping[str, str]]
    proxies: bool

    def __init__(
        self,
        *,
        timeout: float | Literal["auto"] | None = "auto",
        deadline: float | None = None,
        retries: int = 1,
        limit: int | None = LARGEST_REPLY,
        validate: bool = True,
        unknown: Literal["error", "warn", "send"] = "error",
        tty: bool | None = None,
        headers: Mapping[str, str] = NOTHING,
        query: Mapping[str, Any] = NOTHING,
        credentials: bool | Mapping[str, Mapping[str, str]] = True,
        proxies: bool = False,
    ) -> None:
        if unknown not in ("error", "warn", "send"):
            raise ValueError(f"unknown: expected 'error', 'warn' or 'send', got {unknown!r}")
        for name, flag in (("validate", validate), ("proxies", proxies)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name}: expected True or False, got {flag!r}")
        if not _is_timeout(timeout):
            raise ValueError(f"timeout: expected seconds above 0, None or 'auto', got {timeout!r}")
        if isinstance(deadline, str) or not _is_timeout(deadline):
            raise ValueError(f"deadline: expected seconds above 0 or None, got {deadline!r}")
        _check_counts(retries, limit)
        if tty not in (True, False, None):
            raise TypeError(f"tty: expected True, False or None, got {tty!r}")
        for name, value in (("headers", headers), ("query", query)):
            if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
                raise TypeError(f"{name}: expected a mapping with text for keys")
        # Copies, so that what the caller does with its own later changes nothing here.
        values = (
            *(timeout, deadline, retries, limit, validate, unknown, tty),
            *(dict(headers), dict(query), _checked_credentials(credentials), proxies),
        )
        for option, checked in zip(NAMES, values, strict=True):
            object.__setattr__(self, option, checked)

    def __setattr__(self, name: str, _value: Any) -> None:
        raise AttributeError(f"{name}: options are frozen; with_options({name}=…) makes others")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Options:
        # Imported here for start-up time: options are hardly copied.
        from copy import deepcopy  # noqa: PLC0415

        own = {"headers": deepcopy(self.headers, memo), "query": deepcopy(self.query, memo)}
        return Options(**{**self.as_dict(), **own})

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave secrets behind: what is pickled gets into files and to other processes."""
        return (_made_of, (self.without_secrets().as_dict(),))

    def as_dict(self) -> dict[str, Any]:
        """Return the options by name."""
        return {name: getattr(self, name) for name in NAMES}

    def merged(self, changes: Mapping[str, Any]) -> Options:
        """Return a copy with ``changes``; headers and query are merged key by key.

        What is `KEPT` is no change. TypeError names an option that there is not.
        """
        changes = {name: value for name, value in changes.items() if value is not KEPT}
        for name in changes:
            if name not in NAMES:
                meant = closest(name, NAMES)
                hint = f"; did you mean {meant!r}?" if meant else f"; there are {', '.join(NAMES)}"
                raise TypeError(f"there is no option {name!r}{hint}")
        merged = changes
        for name in ("headers", "query"):
            if isinstance(merged.get(name), Mapping):
                merged[name] = {**getattr(self, name), **merged[name]}
        return Options(**{**self.as_dict(), **merged})

    def without_secrets(self) -> Options:
        """Return a copy without headers, query and credentials that are secret.

        It is fit to leave the process. Credentials given by registry are looked for in the
        configuration instead, where the copy is used.
        """
        kept: dict[str, Any] = {
            part: {name: value for name, value in values.items() if not is_secret_name(name)}
            for part, values in (("headers", self.headers), ("query", self.query))
        }
        kept["credentials"] = self.credentials is not False
        return Options(**{**self.as_dict(), **kept})

    def __repr__(self) -> str:
        shown = self.as_dict()
        for part in ("headers", "query"):
            shown[part] = {
                name: MASK if is_secret_name(name) else value for name, value in shown[part].items()
            }
        return f"Options({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def is_secret_name(name: str) -> bool:
    """Tell whether a header or parameter is secret by its name; documents may mark others."""
    return re.search(_OF_SECRETS, name, re.IGNORECASE) is not None


def _checked_credentials(value: object) -> bool | Mapping[str, Mapping[str, str]]:
    if isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return accounts(value)
    # Not shown: it may be a password.
    kind = type(value).__name__
    raise TypeError(f"credentials: expected True, False or a mapping, got {kind}")


def _is_timeout(value: object) -> bool:
    if value is None or value == "auto":
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 < value < LONGEST_TIMEOUT


def _check_counts(retries: int, limit: int | None) -> None:
    if not _is_count(retries, 0):
        raise ValueError(f"retries: expected an integer from 0 on, got {retries!r}")
    if limit is not None and not _is_count(limit, 1):
        raise ValueError(f"limit: expected bytes above 0 or None, got {limit!r}")


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _made_of(values: dict[str, Any]) -> Options:
    return Options(**values)
