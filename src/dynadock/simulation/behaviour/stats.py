"""What containers use: made up, but the same each time, and growing with the engine's time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.call.values import compact_json
from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.clock import SECOND, ZERO_TIME, rfc3339
from dynadock.simulation.refusal import bad_request
from dynadock.simulation.replies import Later, Streaming

if TYPE_CHECKING:
    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State

_TICK = SECOND // 100
"""The grain in which the kernel counts what all processors do."""


@behaviour
def ContainerStats(state: State, asked: Asked) -> Any:
    """Each second, or once; processor, memory and networks are made up and grow with time.

    The number of processes and the limits are the container's. Without a stream the answer comes
    after a second, as engines need it; at once where the clock is moved by hand.
    """
    container = state.containers.find(asked.get("id"))
    is_stream, is_one_shot = bool(asked.get("stream", True)), bool(asked.get("one-shot"))
    if is_stream and is_one_shot:
        raise bad_request("cannot have stream=true and one-shot=true")
    readings = Readings(state, container, asked)
    if is_stream:
        return Streaming(StatsSource(state, container, readings))
    if not container.is_running:
        return readings.next()
    if is_one_shot:
        return readings.single()
    return _after_a_second(state, container, readings)


def _after_a_second(state: State, container: Container, readings: Readings) -> Any:
    due = state.clock.now() + SECOND
    if state.clock.is_manual:
        # Who moves the clock waits for this answer.
        readings.read_at(due - 2 * SECOND)
        return readings.next()
    readings.next()
    state.clock.at(due, state.notify)

    def ready() -> Any:
        return readings.next() if state.clock.now() >= due or not container.is_running else None

    return Later(ready)


class Readings:
    """Readings of what one container uses, each of which has the one before in it."""

    def __init__(self, state: State, container: Container, asked: Asked) -> None:
        self._state = state
        self._container = container
        self._version = asked.operation.version
        self._of_all = facts("Usage", self._version)
        self._info = facts("Info", self._version)
        self._last: dict[str, Any] | None = None

    def next(self) -> dict[str, Any]:
        """Return what is used now, nothing if the container does not run."""
        if not self._container.is_running:
            return self._kept({})
        return self.read_at(self._state.clock.now())

    def single(self) -> dict[str, Any]:
        """Return what is used now; engines leave the container's name out of it (26.1, 28.5)."""
        reading = self.next()
        del reading["name"], reading["id"]
        return reading

    def read_at(self, moment: int) -> dict[str, Any]:
        """Return what is used at a moment."""
        container = self._container
        seconds = max(moment - container.started, 0) / SECOND
        reading = {
            "read": rfc3339(moment),
            "pids_stats": self._processes(),
            "blkio_stats": {each: [] for each in facts("Stats", self._version)["blkio_stats"]},
            "cpu_stats": self._processors(seconds, moment),
            "memory_stats": self._memory(),
        }
        networks = self._networks(int(seconds))
        if networks:
            reading["networks"] = networks
        return self._kept(reading)

    def _kept(self, reading: dict[str, Any]) -> dict[str, Any]:
        last = self._last or {"read": ZERO_TIME}
        shown = {"read": ZERO_TIME, **facts("Stats", self._version), **reading}
        shown["preread"] = last["read"]
        shown["precpu_stats"] = last.get("cpu_stats", shown["precpu_stats"])
        self._last = shown
        return {**shown, "name": f"/{self._container.name}", "id": self._container.id}

    def _processes(self) -> dict[str, Any]:
        limit = self._container.host_config.get("PidsLimit") or 0
        count = len(self._container.processes())
        return {"current": count, "limit": limit} if limit > 0 else {"current": count}

    def _processors(self, seconds: float, moment: int) -> dict[str, Any]:
        count = self._info["NCPU"]
        usage = self._of_all["cpu_at_start"] + int(self._of_all["cpu_each_second"] * seconds)
        on_each = [usage // count] * count
        on_each[0] += usage - sum(on_each)
        ticks = usage // _TICK
        return {
            "cpu_usage": {
                "total_usage": usage,
                "percpu_usage": on_each,
                "usage_in_kernelmode": ticks // 2 * _TICK,
                "usage_in_usermode": (ticks - ticks // 2) * _TICK,
            },
            "system_cpu_usage": count * (moment - self._state.began + SECOND) // _TICK * _TICK,
            "online_cpus": count,
            "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
        }

    def _memory(self) -> dict[str, Any]:
        of_processes = len(self._container.processes()) * self._of_all["memory_of_process"]
        cache = self._of_all["memory_of_engine"]
        counted = {
            "active_anon": of_processes,
            "active_file": 0,
            "cache": cache,
            "inactive_anon": 0,
            "inactive_file": cache,
            "rss": of_processes,
        }
        return {
            "usage": of_processes + cache,
            "max_usage": of_processes + cache,
            "stats": counted | {f"total_{name}": value for name, value in counted.items()},
            "limit": self._container.host_config.get("Memory") or self._info["MemTotal"],
        }

    def _networks(self, seconds: int) -> dict[str, Any]:
        first, more = self._of_all["network"], self._of_all["network_each_second"]
        used = {name: value + more[name] * seconds for name, value in first.items()}
        nothing = dict.fromkeys(("rx_errors", "rx_dropped", "tx_errors", "tx_dropped"), 0)
        endpoints = [each for each in self._container.endpoints.values() if each.address]
        return {f"eth{number}": used | nothing for number in range(len(endpoints))}


class StatsSource:
    """Readings each second, until the container is removed; a slow reader gets fewer of them."""

    def __init__(self, state: State, container: Container, readings: Readings) -> None:
        self._state = state
        self._container = container
        self._readings = readings
        self._timer = state.clock.at(state.clock.now(), state.notify)

    def take(self) -> bytes | None:
        """Return a reading if it is time for one, none at the end."""
        state = self._state
        if self._container.status == "removed":
            self.leave()
            return b""
        now = state.clock.now()
        if now < self._timer.when:
            return None
        self._timer = state.clock.at(now + SECOND, state.notify)
        return compact_json(self._readings.next()).encode() + b"\n"

    def leave(self) -> None:
        """Measure no more."""
        self._timer.cancel()
