"""Containers changed while they are there: limits, and when they start again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.checking import check_update
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.refusal import conflict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State

_LIMITS = (
    "BlkioWeight",
    "CpuPeriod",
    "CpuQuota",
    "CpuRealtimePeriod",
    "CpuRealtimeRuntime",
    "CpuShares",
    "CpusetCpus",
    "CpusetMems",
    "Memory",
    "MemoryReservation",
    "MemorySwap",
    "NanoCpus",
    "PidsLimit",
)
"""What an update changes; the other fields of its body do nothing (26.1)."""


@behaviour
def ContainerUpdate(state: State, asked: Asked) -> Any:
    """Limits and the restart policy are kept and shown; no limit is enforced."""
    fields = asked.fields
    policy = fields.get("RestartPolicy") or {}
    limits = {name: fields[name] for name in _LIMITS if fields.get(name)}
    check_update(limits | ({"RestartPolicy": policy} if policy.get("Name") else {}))
    container = state.containers.find(asked.get("id"))
    for fault in _conflicts(container, limits, policy):
        raise conflict(f"Cannot update container {container.id}: {fault}")
    host_config = container.host_config
    host_config.update(limits)
    if fields.get("PidsLimit") is not None:
        host_config["PidsLimit"] = max(fields["PidsLimit"], 0)
    if policy.get("Name"):
        most = policy.get("MaximumRetryCount") or 0
        host_config["RestartPolicy"] = {"Name": policy["Name"], "MaximumRetryCount": most}
    container.tell("update")
    return {"Warnings": None}


def _conflicts(
    container: Container, limits: Mapping[str, Any], policy: Mapping[str, Any]
) -> Iterator[str]:
    """Say what does not go with the limits that a container has already."""
    now = container.host_config
    if now.get("AutoRemove") and policy.get("Name", "no") not in ("", "no"):
        yield "Restart policy cannot be updated because AutoRemove is enabled for the container"
    for wanted, name, other, other_name in (
        ("NanoCpus", "Nano CPUs", "CpuQuota", "CPU Quota"),
        ("NanoCpus", "Nano CPUs", "CpuPeriod", "CPU Period"),
        ("CpuQuota", "CPU Quota", "NanoCpus", "NanoCPUs"),
        ("CpuPeriod", "CPU Period", "NanoCpus", "NanoCPUs"),
    ):
        if limits.get(wanted) and now.get(other):
            yield (
                f"Conflicting options: {name} cannot be updated as {other_name} has already been"
                " set"
            )
    is_alone = "MemorySwap" not in limits
    if is_alone and limits.get("Memory", 0) > max(now.get("MemorySwap") or 0, 0):
        yield (
            "Memory limit should be smaller than already set memoryswap limit, update the"
            " memoryswap at the same time"
        )
