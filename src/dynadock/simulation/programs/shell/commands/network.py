"""Commands that would need a network: they say that there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.invocation import Invocation


def run_network(invocation: Invocation) -> int:
    """Say that simulated containers reach nobody."""
    return invocation.warn("there is no network in a simulated container")
