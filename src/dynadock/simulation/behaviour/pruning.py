"""Containers that nobody needs any more, removed all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.filters import check_names, is_pruned, moment_until
from dynadock.simulation.behaviour.table import behaviour

if TYPE_CHECKING:
    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.state import State

_FILTERS = ("label", "label!", "until")
_NOT_RUNNING = ("created", "exited", "dead")


@behaviour
def ContainerPrune(state: State, asked: Asked) -> Any:
    """Those that do not run, by the filters until, label and label!."""
    filters = asked.filters
    check_names(filters, _FILTERS)
    until = moment_until(filters, state.clock.now())
    gone = [
        each
        for each in state.containers
        if each.status in _NOT_RUNNING
        and (until is None or each.created <= until)
        and is_pruned(each.labels, filters)
    ]
    reclaimed = sum(each.files.size_of_changes() for each in gone)
    for each in gone:
        state.containers.remove(each)
    state.events.add("container", "prune", "", {"reclaimed": reclaimed})
    return {"ContainersDeleted": [each.id for each in gone] or None, "SpaceReclaimed": reclaimed}
