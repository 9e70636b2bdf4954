"""A simulated engine: its state, the versions that it speaks, and what it answers to requests."""

from __future__ import annotations

import logging
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.call.reading import read_arguments, strict_faults
from dynadock.call.received import LONGEST_BODY, read_body, strict_faults_of_body
from dynadock.call.values import Refused
from dynadock.errors import MalformedStream, SpecError
from dynadock.simulation.answers import Answer, answer_of, refusal
from dynadock.simulation.asked import Asked
from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.behaviour.refused import refusal_of
from dynadock.simulation.behaviour.table import behaviour_of
from dynadock.simulation.calls import Calls
from dynadock.simulation.clock import Clock
from dynadock.simulation.faults import Faults
from dynadock.simulation.ids import Ids
from dynadock.simulation.interruptions import interrupts
from dynadock.simulation.replies import Later
from dynadock.simulation.routes import Routes, read_target, too_new
from dynadock.simulation.state.state import State
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_version
from dynadock.spec.versions import Version, VersionRange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.simulation.calls import Call
    from dynadock.simulation.faults import PlannedFault
    from dynadock.spec.model import Operation, Spec

NOT_SIMULATED = 501

LONGEST_ARCHIVE = 2**30
"""Bytes of a binary body."""

LOG = logging.getLogger("dynadock.embedded")


class Received(NamedTuple):
    """A request that has come whole."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    wants_upgrade: bool = False


class Pending(NamedTuple):
    """An answer that is not there yet: ``take`` gives it once it is, under the engine's lock."""

    take: Callable[[], Answer | None]


class SimulatedEngine:
    """An engine in this process.

    ``versions`` are the API versions that it speaks, as far as there are documents for them;
    SpecError if there are none. ``seed`` makes ids and names the same each time; with
    ``manual_clock`` its time stands still. A ``strict`` one refuses what the documents do not know
    or do not allow. ``is_gone`` tells that it takes no connections, and ``generation`` how often it
    went: connections of an earlier generation are broken.
    """

    def __init__(
        self,
        *,
        versions: VersionRange | None = None,
        seed: int | str | None = None,
        manual_clock: bool = False,
        strict: bool = False,
    ) -> None:
        known = bundled_versions()
        found = [each for each in known if versions is None or each in versions]
        if not found:
            raise SpecError(
                f"there is no document of an API version {versions}; there are {known[0]} to"
                f" {known[-1]}"
            )
        self.versions = found
        self.oldest, self.newest = found[0], found[-1]
        self._spoken = {str(each): each for each in found}
        self.strict = strict
        spoken = VersionRange(self.oldest, self.newest)
        self.state = State(Clock(manual=manual_clock), Ids(seed), spoken)
        self.faults = Faults(self.state)
        self.calls = Calls()
        self.is_gone = False
        self.generation = 0
        self.when_gone: Callable[[], None] = lambda: None

    def go(self) -> None:
        """Break all connections, and take no more until `come_back`."""
        with self.state.lock:
            self.is_gone = True
            self.generation += 1
            self.state.notify()

    def come_back(self) -> None:
        """Take connections again."""
        self.is_gone = False

    def answer(self, received: Received) -> Answer | Pending:
        """Do what a request asks for; the answer may come later."""
        self.state.step_aside()
        with self.state.lock:
            self.state.settle()
            try:
                call = self.calls.begin(received.method, len(received.body))
                came = self._attempt(received, lambda: self._answer(received, call))
                return _noted(call, came)
            finally:
                self.state.settle()
                self.state.notify()

    def longest_body(self, method: str, target: str) -> int:
        """Return how many bytes the body of a request may have: those of archives far more."""
        try:
            place = read_target(target)
        except MalformedStream:
            return LONGEST_BODY
        spec, routes = _routes(self._version(place.version))
        route = routes.find(method, place.path)
        body = None if route is None else spec[route.operation_id].body
        return LONGEST_BODY if body is None or body.kind != "binary" else LONGEST_ARCHIVE

    def _attempt(
        self, received: Received, act: Callable[[], Answer | Pending | None]
    ) -> Answer | Pending | None:
        try:
            return act()
        except Refused as refused:
            return self._refused(refused.status, refused.message)
        except MalformedStream as fault:
            return self._refused(400, str(fault))
        except Exception as error:
            if interrupts(error):
                raise
            # One request's trouble is not the engine's, as with a real one.
            LOG.exception("%s %s", received.method, received.target.partition("?")[0])
            return self._refused(500, f"the embedded engine has a fault: {error!r}")

    def _answer(self, received: Received, call: Call) -> Answer | Pending:
        place = read_target(received.target)
        call.path = place.path
        if place.moved_to:
            return Answer(301, {"Location": place.moved_to})
        version = self._version(place.version)
        spec, routes = _routes(version)
        route = routes.find(received.method, place.path)
        if route is None:
            return self._refused(404, "page not found")
        if place.version:
            self._check(place.version, version)
        operation = spec[route.operation_id]
        call.is_of(operation, place.version)
        if self.strict:
            self._check_strictly(operation, place.query, route.segments, received)
        arguments = read_arguments(operation, place.query, received.headers, route.segments)
        body = read_body(operation, received.headers.get("Content-Type"), received.body)
        call.asks(operation, arguments, body)
        asked = Asked(operation, arguments, body, received.headers, received.wants_upgrade)
        fault = self.faults.of(call)
        if fault is None:
            return self._carry_out(operation, asked)
        return self._failing(fault, received, asked)

    def _failing(self, fault: PlannedFault, received: Received, asked: Asked) -> Answer | Pending:
        if fault.goes:
            self.go()
            self.when_gone()
            return Pending(lambda: None)

        def act() -> Answer | Pending | None:
            if fault.status:
                return fault.changed(self._refused(fault.status, fault.message))
            came = self._carry_out(asked.operation, asked)
            if isinstance(came, Pending):
                return Pending(lambda: _changed(fault, came.take()))
            return fault.changed(came)

        is_over = fault.waiting() or (lambda: True)
        return Pending(_after(is_over, lambda: self._attempt(received, act)))

    def _check_strictly(
        self, operation: Operation, query: str, segments: dict[str, str], received: Received
    ) -> None:
        faults = strict_faults(operation, query, received.headers, segments)
        faults += strict_faults_of_body(operation, received.body)
        if faults:
            raise Refused("\n".join(map(str, faults)), 400)

    def _carry_out(self, operation: Operation, asked: Asked) -> Answer | Pending:
        behave = behaviour_of(operation)
        if behave is None:
            refused = refusal_of(asked)
            if refused is not None:
                raise refused
            return self._refused(
                NOT_SIMULATED,
                f"the embedded engine does not simulate {operation.operation_id}; a real engine is"
                " needed for it",
            )
        value = behave(self.state, asked)
        if not isinstance(value, Later):
            return self._dressed(value, asked)

        def take() -> Answer | None:
            try:
                came = value.ready()
            except Refused as refused:
                return self._refused(refused.status, refused.message)
            return None if came is None else self._dressed(came, asked)

        return Pending(take)

    def _dressed(self, value: Any, asked: Asked) -> Answer:
        return self._signed(answer_of(value, asked.operation, wants_upgrade=asked.wants_upgrade))

    def _refused(self, status: int, message: str) -> Answer:
        return self._signed(refusal(status, message))

    def _signed(self, answer: Answer) -> Answer:
        """Let a reply say whose it is."""
        return answer._replace(headers={**self.headers, **answer.headers})

    @cached_property
    def headers(self) -> dict[str, str]:
        """What every reply says of the engine."""
        of_engine = facts("Version", self.newest)
        return {
            "Api-Version": str(self.newest),
            "Docker-Experimental": str(of_engine["Experimental"]).lower(),
            "Ostype": of_engine["Os"],
            "Server": f"Docker/{of_engine['Version']} ({of_engine['Os']})",
        }

    def _version(self, text: str) -> Version:
        """Return the version whose document answers: the newest where the path names none."""
        return self._spoken.get(text, self.newest)

    def _check(self, text: str, version: Version) -> None:
        """Refuse versions that are not spoken, in the words that engines use."""
        if text == str(version):
            return
        try:
            asked = Version(*map(int, text.split(".")))
        except (TypeError, ValueError):
            raise Refused(f"invalid version {text}", 400) from None
        if asked > self.newest:
            raise Refused(too_new(text, self.newest), 400)
        raise Refused(
            f"client version {text} is too old. Minimum supported API version is {self.oldest},"
            " please upgrade your client to a newer version",
            400,
        )


def _noted(call: Call, came: Answer | Pending | None) -> Answer | Pending:
    assert came is not None
    if isinstance(came, Answer):
        call.note(came.status, came.body)
        return came

    def take() -> Answer | None:
        answer = came.take()
        if answer is not None:
            call.note(answer.status, answer.body)
        return answer

    return Pending(take)


def _changed(fault: PlannedFault, answer: Answer | None) -> Answer | None:
    return None if answer is None else fault.changed(answer)


def _after(
    is_over: Callable[[], bool], act: Callable[[], Answer | Pending | None]
) -> Callable[[], Answer | None]:
    """Return what does something once a wait is over, and gives what came of it."""
    begun: list[Answer | Pending | None] = []

    def take() -> Answer | None:
        if not begun:
            if not is_over():
                return None
            begun.append(act())
        came = begun[0]
        return came.take() if isinstance(came, Pending) else came

    return take


@cache
def _routes(version: Version) -> tuple[Spec, Routes]:
    spec = load_version(version)
    return spec, Routes(spec)
