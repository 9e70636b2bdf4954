"""Docker engines inside the program: for tests, and for machines that have no Docker."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynadock.embedded.engine import Engine as Engine
    from dynadock.embedded.faults import Fault as Fault
    from dynadock.simulation.calls import Call as Call
    from dynadock.simulation.calls import Calls as Calls
    from dynadock.simulation.programs.function import RunningProgram as RunningProgram
    from dynadock.simulation.snapshots import Snapshot as Snapshot

_HOMES = {
    "Call": "dynadock.simulation.calls",
    "Calls": "dynadock.simulation.calls",
    "Engine": "dynadock.embedded.engine",
    "Fault": "dynadock.embedded.faults",
    "RunningProgram": "dynadock.simulation.programs.function",
    "Snapshot": "dynadock.simulation.snapshots",
}
"""Where the public names are; loaded at first use, as a server needs none of them."""


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "__all__":
        return sorted(_HOMES)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
