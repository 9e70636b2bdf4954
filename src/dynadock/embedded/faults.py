"""Faults as users plan them: checked, and removed again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

from dynadock.errors import UnknownOperation
from dynadock.simulation.programs.canned import as_seconds
from dynadock.spec import history
from dynadock.spec.loader import load_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.calls import Call
    from dynadock.simulation.engine import SimulatedEngine
    from dynadock.simulation.faults import PlannedFault
    from dynadock.spec.model import Operation

_ERRORS = range(400, 600)
_USUAL_ERROR = 500
_STREAM_OF_VALUES = "json-stream"


class Fault:
    """A planned fault: ``with`` removes it at the end, `remove` at once."""

    def __init__(self, engine: SimulatedEngine, planned: PlannedFault) -> None:
        self._engine = engine
        self._planned = planned

    @property
    def met(self) -> int:
        """How many calls it has met."""
        return self._planned.met

    def remove(self) -> None:
        """Let it meet no more calls; may be called again."""
        self._engine.faults.remove(self._planned)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<fault of {self._planned.operation_id}, {self.met} calls met>"


class Wanted(NamedTuple):
    """What a user says of a fault; see `dynadock.embedded.engine.Engine.fail`."""

    status: int | None
    message: str | None
    delay: float
    after_values: int | None
    cut: int | None
    slow: float | None
    gone: bool
    times: int | None
    when: Callable[[Call], object] | None

    @property
    def is_refusal(self) -> bool:
        """Whether calls are refused: that is meant where nothing else is said."""
        if self.status is not None or self.after_values is not None:
            return self.status is not None
        others = (self.delay, self.gone, self.cut is not None, self.slow is not None)
        return self.message is not None or not any(others)

    def check(self) -> None:
        """Raise TypeError or ValueError for what makes no sense."""
        if self.status is not None and self.status not in _ERRORS:
            raise ValueError(f"status: expected one from 400 to 599, got {self.status!r}")
        if self.status is not None and self.after_values is not None:
            raise ValueError("after_values: a refused call has no values; leave out status")
        for name, least in (("after_values", 0), ("cut", 0), ("times", 1)):
            value = getattr(self, name)
            is_number = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not (is_number and value >= least):
                raise ValueError(f"{name}: expected an integer, {least} or more, got {value!r}")
        if self.slow is not None and not as_seconds("slow", self.slow):
            raise ValueError("slow: expected more than 0 bytes in a second")
        as_seconds("delay", self.delay)
        if self.when is not None and not callable(self.when):
            raise TypeError(f"when: expected a function of a call, got {self.when!r}")


def plan(engine: SimulatedEngine, operation: str, wanted: Wanted) -> Fault:
    """Plan a fault; raises what `Wanted.check` does, and UnknownOperation."""
    wanted.check()
    operation_id = _known(engine, operation, has_values=wanted.after_values is not None)
    what: dict[str, Any] = {
        "status": (wanted.status or _USUAL_ERROR) if wanted.is_refusal else 0,
        "message": f"{operation_id} fails, as planned",
        "cut": 0 if wanted.gone and wanted.cut is None else wanted.cut,
        "goes": wanted.gone,
    }
    if wanted.message is not None:
        what["message"] = wanted.message
    for name in ("delay", "after_values", "slow", "times", "when"):
        what[name] = getattr(wanted, name)
    return Fault(engine, engine.faults.plan(operation_id, **what))


def _known(engine: SimulatedEngine, name: str, *, has_values: bool) -> str:
    """Return an operation's id; UnknownOperation if no version that is spoken has it."""
    operation = _operation(engine, name)
    if has_values and operation.reply.kind != _STREAM_OF_VALUES:
        raise ValueError(f"after_values: {operation.operation_id} returns no stream of values")
    return operation.operation_id


def _operation(engine: SimulatedEngine, name: str) -> Operation:
    newest = load_version(engine.newest)
    try:
        return newest.find(name)
    except UnknownOperation:
        if history.of_operation(name) is not None:
            for version in reversed(engine.versions):
                older = load_version(version)
                if name in older:
                    return older[name]
        raise
