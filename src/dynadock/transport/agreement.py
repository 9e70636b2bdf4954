"""Which API versions an engine speaks, and what that means for calls at one of them.

Nothing here waits. A method that may have to ask the engine is a generator of steps, as those of
`dynadock.wire.exchange` are: a step is called with an object whose ``get(target)`` returns the
whole reply.
"""

from __future__ import annotations

import contextlib
from operator import methodcaller
from typing import TYPE_CHECKING, NamedTuple

from dynadock.call.interpret import UNSENT, interpret, version_error
from dynadock.errors import APIError, DynadockError, TransportError
from dynadock.record import read_json
from dynadock.spec.versions import Version, looks_like_version, parse_version
from dynadock.wire.messages import BAD_REQUEST, FIRST_ERROR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.errors import VersionError
    from dynadock.spec.model import Operation
    from dynadock.wire.exchange import Steps
    from dynadock.wire.messages import Reply

_PING = "/_ping"
_GET_PING = methodcaller("get", _PING)
"""Its Api-Version is the newest version that the engine speaks."""

_GET_VERSION = methodcaller("get", "/version")
"""Its MinAPIVersion is the oldest one."""


class Spoken(NamedTuple):
    """The API versions that an engine speaks; ``oldest`` is None where it does not say."""

    oldest: Version | None
    newest: Version

    def includes(self, version: Version) -> bool:
        """Tell whether a version is one of them."""
        return (self.oldest or version) <= version <= self.newest


class Agreement:
    """What is known of the versions that one engine speaks; its clients share it.

    ``engine`` is what the engine has called itself in a reply (``Docker/26.1.5 (linux)``), if it
    has.
    """

    def __init__(self) -> None:
        self.engine = ""
        # Versions that a reply has shown the engine to speak, and what it announced then.
        self._verified: dict[Version, Version | None] = {}
        # Versions that it refuses, and the range that it spoke when that was found out.
        self._refused: dict[Version, Spoken] = {}

    def forget(self) -> None:
        """Forget which versions are spoken: the next reply may come from another engine."""
        self._verified.clear()

    def needs_check(self, version: Version, status: int) -> bool:
        """Tell whether `check` has anything to look at in a reply of that status."""
        return status >= FIRST_ERROR or version not in self._verified

    def may_be_refused(self) -> bool:
        """Tell whether `ensure_speaks` has anything to look at."""
        return bool(self._refused)

    def note(self, version: Version, announced: Version | None, engine: str | None) -> None:
        """Note that the engine speaks a version, and what it says of itself."""
        self._verified[version] = announced
        self.engine = engine or self.engine

    def check(self, operation: Operation, reply: Reply, host: str) -> Steps[None]:
        """Raise VersionError if a reply shows that the engine speaks other versions.

        The first reply is looked at, and later errors where the engine announces something else
        than before: it may have been replaced. Docker answers 400; Podman answers to any version,
        though it does not speak it (seen on 4.3 to 5.8), so what counts is what it announces.
        """
        version = operation.version
        announced = announced_version(reply.headers)
        if version in self._verified and announced in (None, self._verified[version]):
            return
        is_too_new = announced is not None and announced < version
        if is_too_new or reply.status == BAD_REQUEST:
            try:
                spoken = yield from self.ask(host)
            except DynadockError:
                # What goes wrong with asking must not take the place of the reply.
                spoken = Spoken(None, announced or version)
            if not spoken.includes(version):
                self.forget()
                self._refused[version] = spoken
                error = _error(operation, reply, host, spoken)
                with contextlib.suppress(APIError):
                    error.reply = interpret(operation, reply, host)
                raise error
        self.note(version, announced, reply.headers.get("Server"))

    def ensure_speaks(self, operation: Operation, host: str) -> Steps[None]:
        """Raise VersionError, with nothing sent, where the engine is known to refuse the version.

        An engine that answers to any version would act on a call that it misunderstands. The
        refusal holds as long as the engine announces the same version, which is asked.
        """
        version = operation.version
        spoken = self._refused.get(version)
        if spoken is not None:
            ping = yield _GET_PING
            if announced_version(ping.headers) == spoken.newest:
                raise _error(operation, UNSENT, host, spoken)
            self._refused.pop(version, None)

    def ask(self, host: str) -> Steps[Spoken]:
        """Ask the engine for the oldest and the newest API version that it speaks.

        TransportError if the engine is not reached, DynadockError if what answers is no engine.
        """
        ping = yield _GET_PING
        newest = announced_version(ping.headers)
        self.engine = ping.headers.get("Server") or self.engine
        if newest is None:
            raise DynadockError(
                f"{host} answers {ping.status} to {_PING} without an Api-Version;"
                " is it a Docker Engine?"
            )
        try:
            reply = yield _GET_VERSION
        except TransportError:
            return Spoken(None, newest)
        return Spoken(_oldest(reply), newest)


def _oldest(reply: Reply) -> Version | None:
    try:
        tree = read_json(reply.body)
    except ValueError:
        return None
    text = tree.get("MinAPIVersion") if isinstance(tree, dict) else None
    return parse_version(text) if isinstance(text, str) and looks_like_version(text) else None


def announced_version(headers: Mapping[str, str]) -> Version | None:
    """Return the version that a reply's Api-Version header announces: the engine's newest."""
    text = headers.get("Api-Version")
    return parse_version(text) if text and looks_like_version(text) else None


def _error(operation: Operation, reply: Reply, host: str, spoken: Spoken) -> VersionError:
    return version_error(operation, reply, host, (str(spoken.oldest or ""), str(spoken.newest)))
