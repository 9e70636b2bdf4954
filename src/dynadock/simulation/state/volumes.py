"""Volumes: files that outlive containers and that several of them share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dynadock.simulation.files.files import Files
from dynadock.simulation.refusal import bad_request, conflict, not_found, server_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.simulation.state.state import State

ANONYMOUS = "com.docker.volume.anonymous"
"""The label of volumes that nobody gave a name."""

LOCAL = "local"
"""The one driver that there is."""

_NAME = re.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_ALLOWED = "[a-zA-Z0-9][a-zA-Z0-9_.-]"
_SHORTEST, _LONGEST = 2, 255
_FOLDER = "/var/lib/docker/volumes"
_OPTIONS = ("device", "o", "size", "type")
_NEEDED = ("device", "type")


class Volume:
    """A volume, its files, and the ids of the containers that it is in.

    ``labels`` and ``options`` are None where nobody gave any.
    """

    def __init__(
        self,
        name: str,
        created: int,
        files: Files,
        labels: dict[str, str] | None,
        options: dict[str, str] | None,
    ) -> None:
        self.name = name
        self.created = created
        self.files = files
        self.labels = labels
        self.options = options
        self.users: dict[str, None] = {}

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody gave it a name."""
        return ANONYMOUS in (self.labels or {})

    @property
    def source(self) -> str:
        """Where its files are on the engine's machine."""
        return f"{_FOLDER}/{self.name}/_data"


class Volumes:
    """All volumes of an engine by their names."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.by_name: dict[str, Volume] = {}

    def __iter__(self) -> Iterator[Volume]:
        return iter(list(self.by_name.values()))

    def find(self, name: str) -> Volume:
        """Return the volume of that name; Refused, 404, without one."""
        if name not in self.by_name:
            raise not_found(f"get {name}: no such volume")
        return self.by_name[name]

    def make(
        self,
        name: str = "",
        *,
        driver: str = "",
        labels: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Volume:
        """Return the volume of that name, a new one if there is none; Refused for what is wrong.

        Without a name it gets one that nobody has. What is said of one that is there already is
        not looked at, but for its driver.
        """
        given = None if labels is None else dict(labels)
        if not name:
            name = self._state.ids.new_id()
            given = {ANONYMOUS: "", **(given or {})}
        if driver not in ("", LOCAL):
            raise not_found(
                f'create {name}: error looking up volume plugin {driver}: plugin "{driver}" not'
                " found"
            )
        if name in self.by_name:
            return self.by_name[name]
        check_name(name)
        _check_options(name, options or {})
        now = self._state.clock.now
        kept = None if options is None else dict(options)
        volume = Volume(name, now(), Files(now=now), given, kept)
        self.by_name[name] = volume
        self._tell(volume, "create")
        return volume

    def remove(self, volume: Volume) -> None:
        """Forget a volume with its files; Refused, 409, if it is in a container."""
        if volume.users:
            users = ", ".join(volume.users)
            raise conflict(f"remove {volume.name}: volume is in use - [{users}]")
        del self.by_name[volume.name]
        self._tell(volume, "destroy")

    def _tell(self, volume: Volume, action: str) -> None:
        self._state.events.add("volume", action, volume.name, {"driver": LOCAL})


def check_name(name: str) -> None:
    """Refuse, 400, a name that no volume can have."""
    if len(name.encode()) < _SHORTEST:
        raise bad_request(
            f"create {name}: volume name is too short, names should be at least two alphanumeric"
            " characters"
        )
    if not _NAME.fullmatch(name):
        raise bad_request(
            f'create {name}: "{name}" includes invalid characters for a local volume name, only'
            f' "{_ALLOWED}" are allowed. If you intended to pass a host directory, use absolute'
            " path"
        )
    if len(name) > _LONGEST:
        raise server_error(f"create {name}: file name too long")


def _check_options(name: str, options: Mapping[str, str]) -> None:
    for option in options:
        if option not in _OPTIONS:
            raise bad_request(f'create {name}: invalid option: "{option}"')
    if options:
        for option in _NEEDED:
            if not options.get(option):
                raise bad_request(f'create {name}: missing required option: "{option}"')
