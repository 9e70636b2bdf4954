"""What a failing test shows of an embedded engine: its containers, and what was asked last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.simulation.behaviour.container_views import status_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dynadock.simulation.engine import SimulatedEngine

MOST_CALLS = 20
MOST_CONTAINERS = 50


def report(engine: SimulatedEngine, errors: Iterable[BaseException]) -> str:
    """Return it as lines, without secrets."""
    with engine.state.lock:
        return "\n".join(_lines(engine, errors))


def _lines(engine: SimulatedEngine, errors: Iterable[BaseException]) -> Iterator[str]:
    state = engine.state
    containers = list(state.containers)
    yield f"containers: {len(containers) or 'none'}"
    shown = containers[-MOST_CONTAINERS:]
    width = max((len(each.name) for each in shown), default=0)
    for each in shown:
        yield f"  {each.name:{width}}  {each.image_name}  {status_words(each, state.clock.now())}"
    calls = list(engine.calls)
    last = calls[-MOST_CALLS:]
    yield f"calls: {len(calls) or 'none'}" + (f", the last {MOST_CALLS}" * (len(calls) > len(last)))
    yield from (f"  {each}" for each in last)
    for error in errors:
        yield f"raised by a program: {type(error).__name__}: {error}"
