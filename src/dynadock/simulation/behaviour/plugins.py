"""Plugins: there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.filters import check_names, flag
from dynadock.simulation.behaviour.table import behaviour

if TYPE_CHECKING:
    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.state import State


@behaviour
def PluginList(state: State, asked: Asked) -> Any:
    """None, ever."""
    del state
    check_names(asked.filters, ("capability", "enabled"))
    flag(asked.filters, "enabled")
    return []
