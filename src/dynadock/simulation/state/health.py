"""Health checks: a command run in the container again and again, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.clock import SECOND, rfc3339

if TYPE_CHECKING:
    from dynadock.simulation.clock import Timer
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.execs import Exec
    from dynadock.simulation.state.state import State

MOST_RESULTS = 5
MOST_OUTPUT = 4096
"""How many results are kept, and bytes of the output of each (seen on 26.1)."""

USUAL_INTERVAL = 30 * SECOND
USUAL_TIMEOUT = 30 * SECOND
USUAL_RETRIES = 3
TIMED_OUT = -1


class Health:
    """One container's health: ``status`` is empty where there is no check."""

    def __init__(self, container: Container, state: State) -> None:
        self.status = ""
        self.failing_streak = 0
        self.results: list[dict[str, Any]] = []
        self._container = container
        self._state = state
        self._timer: Timer | None = None
        self._running: Exec | None = None

    @property
    def _check(self) -> dict[str, Any]:
        return self._container.config.get("Healthcheck") or {}

    @property
    def _command(self) -> list[str]:
        """The command to run, empty if there is nothing to check."""
        test = self._check.get("Test") or [""]
        if test[0] == "CMD-SHELL" and len(test) > 1:
            return ["/bin/sh", "-c", test[1]]
        return list(test[1:]) if test[0] == "CMD" else []

    def begin(self) -> None:
        """Begin to check, as the container has started."""
        self.end()
        self.status = "starting" if self._command else ""
        self.failing_streak = 0
        self.results = []
        if self._command:
            self._plan()

    def go_on(self) -> None:
        """Check again, as a copy of what was checked."""
        if self.status and self._command:
            self._plan()

    def stop(self) -> None:
        """Check no more, and say what was known last."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._running = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy takes over: all but what is under way."""
        return self.__dict__ | {"_timer": None, "_running": None}

    def end(self) -> None:
        """Check no more, as the container has ended."""
        self.stop()
        if self.status in ("starting", "healthy"):
            self.status = "unhealthy"

    def force(self, status: str) -> None:
        """Have a status that no check says, for tests that need one; checks may change it."""
        self._become(status)

    def as_json(self) -> dict[str, Any] | None:
        """Return what inspecting shows, None where there is no check."""
        if not self.status:
            return None
        return {
            "Status": self.status,
            "FailingStreak": self.failing_streak,
            "Log": [dict(each) for each in self.results],
        }

    def _plan(self) -> None:
        starting = self.status == "starting" and self._is_in_start_period()
        usual = self._check.get("Interval") or USUAL_INTERVAL
        wait = (self._check.get("StartInterval") or 5 * SECOND) if starting else usual
        self._timer = self._state.clock.after(wait / SECOND, self._probe)

    def _is_in_start_period(self) -> bool:
        period: int = self._check.get("StartPeriod") or 0
        return self._state.clock.now() < self._container.started + period

    def _probe(self) -> None:
        if self._container.is_paused:
            self._plan()
            return
        state, began = self._state, self._state.clock.now()
        probe = state.execs.begin_hidden(self._container, self._command)
        self._running = probe
        timeout = self._check.get("Timeout") or USUAL_TIMEOUT
        limit = state.clock.after(timeout / SECOND, lambda: self._time_out(probe, began, timeout))

        def end(exit_code: int) -> None:
            limit.cancel()
            self._note(probe, began, exit_code, probe.output_so_far)

        probe.when_ended = end

    def _time_out(self, probe: Exec, began: int, timeout: int) -> None:
        if probe is self._running:
            words = f"Health check exceeded timeout ({timeout / SECOND:g}s)"
            probe.when_ended = lambda _: None
            probe.kill()
            self._note(probe, began, TIMED_OUT, words.encode())

    def _note(self, probe: Exec, began: int, exit_code: int, output: bytes) -> None:
        if probe is not self._running:
            return
        self._running = None
        self.results.append(
            {
                "Start": rfc3339(began),
                "End": rfc3339(self._state.clock.now()),
                "ExitCode": exit_code,
                "Output": output[:MOST_OUTPUT].decode(errors="replace"),
            }
        )
        del self.results[:-MOST_RESULTS]
        if exit_code == 0:
            self.failing_streak = 0
            self._become("healthy")
        elif not (self.status == "starting" and self._is_in_start_period()):
            self.failing_streak += 1
            if self.failing_streak >= (self._check.get("Retries") or USUAL_RETRIES):
                self._become("unhealthy")
        self._plan()

    def _become(self, status: str) -> None:
        if status != self.status:
            self.status = status
            self._container.tell(f"health_status: {status}")
