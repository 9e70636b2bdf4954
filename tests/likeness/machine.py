"""Random sequences of calls, made at two engines at once: whatever they answer must be alike."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from hypothesis.stateful import invariant

from dynadock import Client, DynadockError
from likeness.containers import SHORT
from likeness.files import Files
from likeness.images import Images
from likeness.networks import Networks
from likeness.output import Output

_AT_ONCE = ({"die", "stop"}, {"kill", "unpause"}, {"die", "unpause"})
"""Pairs of actions that are told from two sides: only that they are told is certain."""

_OF_CHECKS = ("echo well", "false", "health_status")
"""How often a health check has run is chance."""

_PASSING = {"execDuration", "name", "container", "execID"}
"""Attributes of events that are ids, or how long something took."""


class Likeness(Output, Files, Networks, Images):
    """All rules together, and what is compared after each of them and at the end."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[Client, list[Any]] = {client: [] for client in self.clients}
        self._streams = [client.SystemEvents() for client in self.clients]
        self._listeners = ThreadPoolExecutor(len(self.clients))
        for client, stream in zip(self.clients, self._streams, strict=True):
            self._listeners.submit(self._listen, stream, self._told[client])

    @staticmethod
    def _listen(stream: Any, told: list[Any]) -> None:
        # A real engine keeps only its last events, and others may use it at the same time.
        with suppress(DynadockError):
            for event in stream:
                told.append(event)  # noqa: PERF402 - others read it meanwhile

    @invariant()
    def the_same_containers_are_there(self) -> None:
        """Compare names and states after every step; lists follow a moment behind other calls."""
        before, self.history = self.history, []
        # Behind such a difference all that follows differs.
        self.is_over = True
        self.each_until_alike(f"names and states after {before[-30:]}", self._settled)
        self.history, self.is_over = before, False

    def _settled(self, client: Client) -> Any:
        """Return names and states of the containers, once nothing changes any more."""
        for _ in range(300):
            listed = client.ContainerList(all=True, filters={"name": [f"^/{self.prefix}"]})
            if not any(self._is_changing(each) for each in listed):
                break
            time.sleep(0.02)
        states = {(each.Names[0], self.comparable("", each.Status)) for each in listed}
        return sorted(states)

    def _is_changing(self, listed: Any) -> bool:
        ends = self.commands.get(listed.Names[0].removeprefix("/")) in SHORT
        state, words = listed.State, listed.Status
        return state == "restarting" or "starting" in words or (ends and state == "running")

    def teardown(self) -> None:
        """Compare the events of the whole sequence, and remove all that was made."""
        try:
            if not self.is_over:
                self.each_until_alike(f"events after {self.history}", self.events)
        finally:
            for stream in self._streams:
                stream.close()
            self._listeners.shutdown()
            for client in self.clients:
                self.remove_all(client)

    def events(self, client: Client) -> dict[str, list[Any]]:
        """Return what happened to each thing of ours, in its order.

        What happened to a volume or a network is put by the containers that did it: of two of them
        only one's own order is certain.
        """
        told = [*self._told[client]]
        containers = {
            each.Actor.ID: each.Actor.Attributes["name"] for each in told if _is_new(each)
        }
        checks = {each.Actor.Attributes.get("execID") or "" for each in told if _is_check(each)}
        found: dict[str, list[Any]] = {}
        for event in told:
            given = event.Actor.Attributes
            name = given.get("name", "") or event.Actor.ID
            if self.prefix in name and given.get("execID") not in checks and not _is_check(event):
                by = containers.get(given.get("container"), "")
                shown = {key: value for key, value in given.items() if key not in _PASSING}
                found.setdefault(f"{event.Type} {name} {by}", []).append(
                    self.comparable("", (event.Action, shown))
                )
        return {name: _in_order(actions) for name, actions in found.items()}


def _is_new(event: Any) -> bool:
    return bool(event.Type == "container" and event.Action == "create")


def _is_check(event: Any) -> bool:
    return any(each in event.Action for each in _OF_CHECKS)


def _in_order(actions: list[Any]) -> list[Any]:
    """Return actions as they came, but those whose order is chance in one order."""
    ends_of_execs = [each for each in actions if each[0] == "exec_die"]
    kept: list[Any] = []
    for action in (each for each in actions if each[0] != "exec_die"):
        kept.append(action)
        place = len(kept) - 1
        while (
            place
            and _are_at_once(kept[place - 1], kept[place])
            and kept[place][0] < kept[place - 1][0]
        ):
            kept[place - 1 : place + 1] = kept[place], kept[place - 1]
            place -= 1
    return [*kept, *sorted(ends_of_execs, key=str)]


def _are_at_once(*pair: Any) -> bool:
    return {each[0] for each in pair} in _AT_ONCE
