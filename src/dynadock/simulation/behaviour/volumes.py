"""Volumes: made, looked at, pruned and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.behaviour.filters import (
    check_names,
    fits_name,
    flag,
    has_any_label,
    has_labels,
)
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.behaviour.volume_views import volume_settings
from dynadock.simulation.refusal import Refused, bad_request
from dynadock.simulation.state.volumes import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.state import State
    from dynadock.simulation.state.volumes import Volume

_NO_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect'
    " this node to swarm and try again."
)
_UNAVAILABLE = 503


@behaviour
def VolumeList(state: State, asked: Asked) -> Any:
    """By every filter; names may be regular expressions."""
    filters = asked.filters
    check_names(filters, (*_FILTERS, "dangling"))
    is_unused = flag(filters, "dangling")
    found = [
        volume_settings(each)
        for each in state.volumes
        if is_unused in (None, not each.users)
        and all(_FILTERS[name](each, filters[name]) for name in _FILTERS if name in filters)
    ]
    return {"Volumes": found, "Warnings": None}


_FILTERS: Mapping[str, Callable[[Volume, list[str]], bool]] = {
    "driver": lambda _, wanted: LOCAL in wanted,
    "label": lambda volume, wanted: has_labels(volume.labels or {}, wanted),
    "name": lambda volume, wanted: fits_name(volume.name, wanted),
}


@behaviour
def VolumeCreate(state: State, asked: Asked) -> Any:
    """Of the driver ``local``; options are kept and not followed; a known name is that volume."""
    fields = asked.fields
    if fields.get("ClusterVolumeSpec") is not None:
        raise Refused(_NO_SWARM, _UNAVAILABLE)
    volume = state.volumes.make(
        fields.get("Name") or "",
        driver=fields.get("Driver") or "",
        labels=fields.get("Labels"),
        options=fields.get("DriverOpts"),
    )
    return volume_settings(volume)


@behaviour
def VolumeInspect(state: State, asked: Asked) -> Any:
    """All that documents know but what only swarms have."""
    return volume_settings(state.volumes.find(asked.get("name")))


@behaviour
def VolumeUpdate(state: State, asked: Asked) -> Any:
    """Refused, as by engines without a swarm."""
    del state, asked
    raise Refused(
        "volume update only valid for cluster volumes, but swarm is unavailable", _UNAVAILABLE
    )


@behaviour
def VolumeDelete(state: State, asked: Asked) -> Any:
    """Not while a container has it, even with force, which is for volumes that are not there."""
    name = asked.get("name")
    if asked.get("force") and name not in state.volumes.by_name:
        return
    state.volumes.remove(state.volumes.find(name))


@behaviour
def VolumePrune(state: State, asked: Asked) -> Any:
    """Those in no container: without a name, or up to 1.41 all; by the filters label and all."""
    filters = asked.filters
    check_names(filters, ("all", "label", "label!"))
    takes_all = facts("Pruning", asked.operation.version)["named_volumes"] or _takes_all(filters)
    gone = [each for each in state.volumes if _is_pruned(each, filters, takes_all=takes_all)]
    size = sum(each.files.size() for each in gone)
    for each in gone:
        state.volumes.remove(each)
    state.events.add("volume", "prune", "", {"reclaimed": size})
    return {"VolumesDeleted": [each.name for each in gone], "SpaceReclaimed": size}


def _takes_all(filters: Mapping[str, list[str]]) -> bool:
    wanted = filters.get("all", [])
    if len(wanted) > 1:
        raise bad_request(f"invalid filter 'all=[{' '.join(wanted)}]': only one value is expected")
    for text in wanted:
        if text not in _TRUE and text not in _FALSE:
            raise bad_request(
                f"invalid filter 'all': strconv.ParseBool: parsing \"{text}\": invalid syntax"
            )
    return any(text in _TRUE for text in wanted)


_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")


def _is_pruned(volume: Volume, filters: Mapping[str, list[str]], *, takes_all: bool) -> bool:
    labels = volume.labels or {}
    return (
        not (volume.users or volume.options)
        and (takes_all or volume.is_anonymous)
        and has_labels(labels, filters.get("label", ()))
        and not has_any_label(labels, filters.get("label!", ()))
    )
