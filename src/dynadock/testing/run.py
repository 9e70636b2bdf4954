"""A run of tests on engines: what was asked for, the engines, and their clients.

Under pytest-xdist there is one in each process: that of the controller asks the engines, those of
the workers are told what it has found out.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from dynadock.client import load
from dynadock.errors import DynadockError
from dynadock.testing.asked import (
    CONTRACTS,
    EMBEDDED,
    NEWEST,
    AskedEngine,
    check_report,
    read_engines,
    read_wanted,
)
from dynadock.testing.choosing import TARGET
from dynadock.testing.engines import Engine, ask, told
from dynadock.testing.names import RunId, is_left_over, living_run
from dynadock.testing.sweeping import sweep
from dynadock.testing.targets import Target, limited, targets_on
from dynadock.testing.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dynadock.client import Client
    from dynadock.testing.names import Name
    from dynadock.testing.sweeping import Left

MARK = "dynadock_embedded"
"""The mark that says what a test's own embedded engine is like, and the fixture that is one."""

_WORKER = "dynadock"
"""The entry in what pytest-xdist gives to its workers, and gets from them."""


class Options(NamedTuple):
    """What stands on the command line, or else in the configuration, as text."""

    engines: Sequence[str] = ()
    api: str = ""
    reports: Sequence[str] = ()
    contract: str = ""

    def __bool__(self) -> bool:
        """Tell whether anything is asked for."""
        return bool(self.engines or self.api or self.reports or self.contract)


class Run:
    """What a run was asked for, and its engines.

    Where nothing was asked for, tests run on an embedded engine of their own, as they do without
    this. What cannot be meant is a UsageError.
    """

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self.is_asked = bool(options)
        self.is_worker = hasattr(config, "workerinput")
        self._given: dict[str, Any] = getattr(config, "workerinput", {}).get(_WORKER, {})
        self._asked = read_engines(options.engines, "--dynadock-engine")
        self._wanted = read_wanted(options.api or NEWEST, "--dynadock-api")
        self.reports = [check_report(each, "--dynadock-report") for each in options.reports]
        if options.contract and options.contract not in CONTRACTS:
            expected = ", ".join(CONTRACTS)
            raise pytest.UsageError(
                f"--dynadock-contract: expected one of {expected}, got {options.contract!r}"
            )
        self.contract = options.contract or ("record" if self.reports else "off")
        self._open = ExitStack()
        self._sweepers: dict[str, Client] = {}
        self._watches: list[Watch] = []

    @cached_property
    def engines(self) -> tuple[Engine, ...]:
        """The engines, asked at first use; those of a worker are what the controller was told."""
        if "engines" in self._given:
            return told(self._asked, self._given["engines"])
        return tuple(ask(each) for each in self._asked)

    @cached_property
    def id(self) -> RunId:
        """What the names of this run have in common; it lives until `close`."""
        if "run" in self._given:
            return RunId(self._given["run"])
        return self._open.enter_context(living_run()) if self.is_asked else RunId.new()

    def for_worker(self) -> dict[str, Any]:
        """Return what a worker is told, as plain values."""
        facts = [each.facts() for each in self.engines]
        return {_WORKER: {"engines": facts, "run": self.id.text}}

    def close(self) -> None:
        """Close what is open, and give up the run's lock."""
        for client in self._sweepers.values():
            client.close()
        self._open.close()

    # Targets

    @property
    def all_targets(self) -> list[Target]:
        """All targets that a test may have."""
        return [each for engine in self.engines for each in targets_on(engine, self._wanted)]

    def targets(self, definition: pytest.Item, fixtures: Sequence[str]) -> list[Target]:
        """Return the targets of a test; one that asks for an embedded engine has only that."""
        api = _api_of(definition)
        own = [each for each in self.engines if each.address is None]
        engines = (own or [self._embedded]) if MARK in fixtures else self.engines
        return [each for engine in engines for each in targets_on(engine, self._wanted, api)]

    @property
    def _embedded(self) -> Engine:
        return ask(AskedEngine(EMBEDDED, None))

    def target_of(self, item: pytest.Item) -> Target:
        """Return the target that a test has: its parameter's, else the newest embedded one."""
        found = getattr(item, "callspec", None)
        target = found.params.get(TARGET) if found else None
        if isinstance(target, Target):
            return target
        engine = limited(self._embedded, _api_of(item))
        return Target(engine, engine.newest)

    # What fixtures give

    @contextmanager
    def client(self, target: Target, own: Callable[[], Any]) -> Iterator[Client]:
        """Give a client of a target; ``own`` makes the test's embedded engine."""
        if not self.is_asked:
            yield own().client()
            return
        options: dict[str, Any] = {} if self.contract == "off" else {"contract": self.contract}
        address = target.engine.address
        host = own().address if address is None else address.plain
        with load(target.version, host=host, **options) as client:
            watch = Watch(client) if options else None
            self._watches += [watch] if watch else []
            try:
                yield client
            finally:
                if watch:
                    watch.is_over = True

    def host(self, target: Target, own: Callable[[], Any]) -> str:
        """Return the address of a target for other programs."""
        address = target.engine.address
        if address is not None:
            return address.plain
        served: str = own().url
        return served

    def watched(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return what all clients have called since the last time, and what deviated."""
        exchanges, deviations = [], []
        for watch in self._watches:
            exchanges += watch.exchanges()
            deviations += watch.deviations()
        self._watches = [each for each in self._watches if not each.is_over]
        return exchanges, deviations

    def last_call(self) -> tuple[str, str] | None:
        """Return operationId and version of what was called last."""
        calls = (each.last_call() for each in reversed(self._watches))
        return next((each for each in calls if each), None)

    # Sweeping

    def named(self, target: Target, own: Callable[[], Any] | None) -> Iterator[Name]:
        """Yield a name, then remove what carries it; ``own`` is None if an embedded engine ends."""
        name = self.id.name()
        if target.engine.address is None and own is None:
            yield name
            return
        with ExitStack() as stack:
            if target.engine.address is None:
                assert own is not None
                client = stack.enter_context(own().client())
            else:
                client = self._sweeper(target.engine)
            yield name
            left = sweep(client, lambda each: each == name)
        if left:
            things = "\n".join(f"  {each}" for each in left)
            pytest.fail(f"what the test made cannot be removed:\n{things}", pytrace=False)

    def _sweeper(self, engine: Engine) -> Client:
        client = self._sweepers.get(engine.name)
        if client is None:
            assert engine.address is not None
            newest = str(engine.spoken[-1])
            client = self._sweepers[engine.name] = load(newest, host=engine.address.plain)
        return client

    def sweep_left_over(self) -> list[str]:
        """Remove what killed runs have left in the engines; return what could not be removed."""
        return self._swept(is_left_over)

    def sweep_own(self) -> list[str]:
        """Remove what this run's crashed workers have left in the engines, likewise."""
        return self._swept(self.id.made)

    def _swept(self, is_ours: Callable[[str], bool]) -> list[str]:
        notes = []
        for engine in self.engines:
            if engine.address is None or engine.fault or not engine.spoken:
                continue
            try:
                left: list[Left] = sweep(self._sweeper(engine), is_ours)
            except DynadockError as error:
                notes.append(f"{engine.name} is not swept: {error}")
                continue
            notes += [f"{engine.name}: left behind, {each}" for each in left]
        return notes


def _api_of(item: Any) -> str | None:
    """Return what a test's mark says of its embedded engine's versions."""
    mark = item.get_closest_marker(MARK)
    api = None if mark is None else mark.kwargs.get("api")
    return api if isinstance(api, str) else None
