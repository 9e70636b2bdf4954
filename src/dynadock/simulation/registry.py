"""The simulated engines of this process by name, so that an address can lead to one."""

from __future__ import annotations

import os
from itertools import count
from threading import RLock
from weakref import WeakValueDictionary

from dynadock.simulation.engine import SimulatedEngine

_LOCK = RLock()
_NUMBERS = count(1)
_ALL: WeakValueDictionary[str, SimulatedEngine] = WeakValueDictionary()
_KEPT: dict[str, SimulatedEngine] = {}
_HELD: list[SimulatedEngine] = []
"""Engines whose locks a thread holds that is about to fork."""

UNNAMED = "engine-"
"""What the names begin with of engines that were asked for without one."""


def engine_at(name: str) -> SimulatedEngine:
    """Return the engine of that name, which is made when it is first asked for.

    It stays until the process ends, unless somebody `forget` it. ConnectionRefusedError if it has a
    name that was made up for an engine, which is there no more.
    """
    with _LOCK:
        found = _ALL.get(name)
        if found is None:
            if name.startswith(UNNAMED):
                raise ConnectionRefusedError("that embedded engine is closed")
            found = _ALL[name] = _KEPT[name] = SimulatedEngine()
        return found


def new_engine() -> tuple[str, SimulatedEngine]:
    """Make an engine of a name of its own, which goes with the last who holds it."""
    engine = SimulatedEngine()
    return add(engine), engine


def add(engine: SimulatedEngine, name: str = "") -> str:
    """Let an engine be found, and return its name; ValueError if another one has that."""
    with _LOCK:
        name = name or f"{UNNAMED}{next(_NUMBERS)}"
        if name in _ALL:
            raise ValueError(f"there is an embedded engine called {name!r} already")
        _ALL[name] = engine
        return name


def forget(name: str) -> None:
    """Let an engine be found no more."""
    with _LOCK:
        _ALL.pop(name, None)
        _KEPT.pop(name, None)


def _hold_all() -> None:
    """Let no other thread be in the midst of something, which a forked child would never end."""
    _LOCK.acquire()
    _HELD[:] = _ALL.values()
    for engine in _HELD:
        engine.state.lock.acquire()


def _release_all() -> None:
    for engine in _HELD:
        engine.state.lock.release()
    _HELD.clear()
    _LOCK.release()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_all, after_in_parent=_release_all, after_in_child=_release_all)
