"""From Binds, Mounts, Volumes, VolumesFrom and Tmpfs to a container's mounts."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.simulation.refusal import Refused, bad_request, server_error
from dynadock.simulation.state.mounts import BIND, TMPFS, USUAL_MODE, VOLUME, Mount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State
    from dynadock.simulation.state.volumes import Volume

_PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
_USUAL = "rprivate"
_MOST_PARTS = 3
_OPTIONS_OF = {"VolumeOptions": VOLUME, "BindOptions": BIND, "TmpfsOptions": TMPFS}
_KINDS_OF_WORDS = {
    **dict.fromkeys(("ro", "rw"), "access"),
    **dict.fromkeys(("z", "Z"), "label"),
    **dict.fromkeys(("consistent", "cached", "delegated"), "consistency"),
    **dict.fromkeys(_PROPAGATIONS, "propagation"),
    "nocopy": "copy",
}
_AS_OF_A_VOLUME = "z"
"""The mode of volumes where none was given, as 26.1 shows it."""


def give_mounts(state: State, container: Container) -> None:
    """Give a new container its mounts; Refused for what engines refuse.

    Volumes that are named and not there are made. Of mounts at the same place, what is asked for in
    Binds and Mounts comes before what another container or the image has there.
    """
    host_config, config = container.host_config, container.config
    driver = host_config["VolumeDriver"] or ""
    found = {each.destination: each for each in _taken_over(state, host_config["VolumesFrom"])}
    asked: dict[str, Mount] = {}
    for text in host_config["Binds"] or ():
        _add(asked, _read_bind(state, text, driver))
    for row in host_config.get("Mounts") or ():
        _add(asked, _read_mount(state, row))
    for place, options in (host_config.get("Tmpfs") or {}).items():
        if not place.startswith("/"):
            raise bad_request(f"invalid mount path: '{place}' mount path must be absolute")
        asked.setdefault(_clean(place), _in_memory(place, options))
    found |= asked
    for place in config["Volumes"] or ():
        path = _clean(place)
        if path not in found:
            volume = state.volumes.make(driver=driver)
            found[path] = Mount(VOLUME, path, volume.source, volume, owns=True, copies=True)
    container.mounts = list(found.values())
    state.mounts.take(container)


def _add(mounts: dict[str, Mount], mount: Mount) -> None:
    if mount.destination in mounts:
        raise bad_request(f"Duplicate mount point: {mount.destination}")
    mounts[mount.destination] = mount


def _clean(path: str) -> str:
    return posixpath.normpath(f"/{path.lstrip('/')}")


# Of other containers


def _taken_over(state: State, texts: list[str] | None) -> Iterator[Mount]:
    for text in texts or ():
        name, _, mode = text.partition(":")
        if not name:
            raise bad_request("volumes-from specification cannot be an empty string")
        if mode not in ("", "ro", "rw", "z", "Z"):
            raise bad_request(f"invalid mode: {mode}")
        try:
            other = state.containers.find(name)
        except Refused as refused:
            raise bad_request(refused.message) from None
        for mount in other.mounts:
            if mount.kind != TMPFS:
                yield mount.taken_over(is_writable=mode != "ro")


# Texts: source:destination:mode


class _Words(NamedTuple):
    """What a mode says."""

    is_writable: bool
    propagation: str
    copies: bool


def _read_bind(state: State, text: str, driver: str) -> Mount:
    wrong = f"invalid volume specification: '{text}'"
    parts = text.split(":")
    if not all(parts) or len(parts) > _MOST_PARTS:
        raise server_error(wrong)
    source, place, mode = ("", parts[0], "") if len(parts) == 1 else (*parts, "")[:_MOST_PARTS]
    words = _read_mode(mode)
    kind = BIND if source.startswith("/") else VOLUME
    of_kind = f'{wrong}: invalid mount config for type "{kind}"'
    if kind == BIND and not words.copies:
        raise server_error(f"{of_kind}: field VolumeOptions must not be specified")
    if kind == VOLUME and words.propagation:
        raise server_error(f"{of_kind}: field BindOptions must not be specified")
    complaint = _complaint_of(place)
    if complaint:
        raise server_error(f"{of_kind}: {complaint}")
    if kind == BIND:
        return Mount(
            BIND,
            _clean(place),
            _clean(source),
            mode=mode,
            is_writable=words.is_writable,
            propagation=words.propagation or _USUAL,
        )
    volume = state.volumes.make(source, driver=driver)
    return Mount(
        VOLUME,
        _clean(place),
        volume.source,
        volume,
        mode=mode or _AS_OF_A_VOLUME,
        is_writable=words.is_writable,
        owns=not source,
        copies=words.copies,
    )


def _read_mode(mode: str) -> _Words:
    words = mode.split(",") if mode else []
    kinds = [_KINDS_OF_WORDS.get(word) for word in words]
    if None in kinds or len(set(kinds)) != len(kinds):
        raise server_error(f"invalid mode: {mode}")
    propagation = next((word for word in words if word in _PROPAGATIONS), "")
    return _Words("ro" not in words, propagation, "nocopy" not in words)


def _complaint_of(place: str) -> str:
    if not place.startswith("/"):
        return f"invalid mount path: '{place}' mount path must be absolute"
    return "invalid specification: destination can't be '/'" if _clean(place) == "/" else ""


# Objects


def _read_mount(state: State, row: Mapping[str, Any]) -> Mount:
    kind = row.get("Type") or ""
    for name, its_kind in _OPTIONS_OF.items():
        if kind in _OPTIONS_OF.values() and kind != its_kind and row.get(name) is not None:
            raise bad_request(f'{name} must not be specified on mount type "{kind}"')
    place = row.get("Target") or ""
    complaint = _complaint_about(state, kind, row)
    if complaint:
        raise bad_request(f'invalid mount config for type "{kind}": {complaint}')
    writable = not row.get("ReadOnly")
    if kind == VOLUME:
        return _read_volume(state, row, is_writable=writable)
    if kind == TMPFS:
        mode = (row.get("TmpfsOptions") or {}).get("Mode") or USUAL_MODE
        return Mount(TMPFS, _clean(place), is_writable=writable, permissions=mode)
    options = row.get("BindOptions") or {}
    return Mount(
        BIND,
        _clean(place),
        _clean(row["Source"]),
        is_writable=writable,
        propagation=options.get("Propagation") or _USUAL,
    )


def _complaint_about(state: State, kind: str, row: Mapping[str, Any]) -> str:
    """Return what is wrong with a mount: the first thing that engines find, no text if nothing."""
    if kind not in _OPTIONS_OF.values():
        return "mount type unknown"
    place, source = row.get("Target") or "", row.get("Source") or ""
    if not place:
        return "field Target must not be empty"
    if complaint := _complaint_of(place):
        return complaint
    if kind == TMPFS:
        return "field Source must not be specified" if source else ""
    if kind == VOLUME:
        subpath = (row.get("VolumeOptions") or {}).get("Subpath") or ""
        is_outside = subpath.startswith("/") or posixpath.normpath(f"./{subpath}").startswith("..")
        return "subpath must be a relative path within the volume" if is_outside else ""
    return _complaint_about_source(state, source, row.get("BindOptions") or {})


def _complaint_about_source(state: State, source: str, options: Mapping[str, Any]) -> str:
    if not source:
        return "field Source must not be empty"
    if not source.startswith("/"):
        return f"invalid mount path: '{source}' mount path must be absolute"
    propagation = options.get("Propagation") or _USUAL
    if propagation not in _PROPAGATIONS:
        return f"invalid propagation mode: {propagation}"
    if not options.get("CreateMountpoint") and not state.mounts.has_folder(_clean(source)):
        return f"bind source path does not exist: {source}"
    return ""


def _read_volume(state: State, row: Mapping[str, Any], *, is_writable: bool) -> Mount:
    options = row.get("VolumeOptions") or {}
    driver = options.get("DriverConfig") or {}
    source = row.get("Source") or ""
    volume: Volume = state.volumes.make(
        source,
        driver=driver.get("Name") or "",
        labels=options.get("Labels"),
        options=driver.get("Options"),
    )
    return Mount(
        VOLUME,
        _clean(row["Target"]),
        volume.source,
        volume,
        mode=_AS_OF_A_VOLUME,
        is_writable=is_writable,
        subpath=options.get("Subpath") or "",
        owns=not source,
        copies=not options.get("NoCopy"),
    )


def _in_memory(place: str, options: str) -> Mount:
    """Return files in memory that were asked for by a text of options."""
    mode = USUAL_MODE
    for option in options.split(","):
        name, _, value = option.partition("=")
        if name == "mode" and value and all(digit in "01234567" for digit in value):
            mode = int(value, 8) & 0o7777
    return Mount(TMPFS, _clean(place), permissions=mode, options=options, is_shown=False)
