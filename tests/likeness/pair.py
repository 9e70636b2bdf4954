"""Two engines that get the same calls, and whose answers are compared."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import reject
from hypothesis.stateful import RuleBasedStateMachine

from dynadock import APIError, Client, DynadockError
from dynadock.wire.messages import Headers
from likeness.comparing import comparable

if TYPE_CHECKING:
    from collections.abc import Callable

LABEL = "dynadock.likeness"
"""Everything that a sequence makes and that can have labels has this one, with its prefix."""

_BUSY = "a prune operation is already running"
"""What an engine says of which somebody else asks the same."""

PATIENCE = 3.0
"""Seconds until two engines have to agree: what a real one does takes a moment to be seen."""


class Pair(RuleBasedStateMachine):
    """A real engine and the embedded one, where things have the same names.

    ``real`` and ``embedded`` are set by whoever runs it. A difference fails at once, or is kept in
    ``found`` if that is a list.
    """

    real: Client
    embedded: Client
    found: list[tuple[str, Any, Any]] | None = None
    is_over = False

    def __init__(self) -> None:
        super().__init__()
        drawn = uuid.uuid4()
        self.prefix = f"like-{drawn.hex[:6]}-"
        self.subnet = f"10.{100 + drawn.bytes[6] % 100}.{drawn.bytes[7]}"
        self.port = 20_000 + drawn.int % 9_000
        self.clients = (self.real, self.embedded)
        self.api = tuple(map(int, str(self.real.version).split(".")))
        self.history: list[str] = []

    def name(self, short: str) -> str:
        """Return a name that no other sequence has."""
        return self.prefix + short

    def comparable(self, operation_id: str, value: Any) -> Any:
        """Return what is compared of a reply."""
        return comparable(operation_id, value, self.subnet)

    def outcome(self, client: Client, operation_id: str, *args: Any, **kwargs: Any) -> Any:
        """Return what came of a call: a value, or the class, status and words of an error."""
        came = self.attempt(operation_id, lambda: getattr(client, operation_id)(*args, **kwargs))
        while came[-1] == _BUSY:
            time.sleep(0.05)
            came = self.attempt(
                operation_id, lambda: getattr(client, operation_id)(*args, **kwargs)
            )
        return came

    def attempt(self, operation_id: str, act: Callable[[], Any]) -> Any:
        """Return what came of something done at one engine."""
        try:
            value = self.plain(act())
        except APIError as error:
            return type(error).__name__, error.status, self.comparable("", error.explanation)
        except DynadockError as error:
            return (type(error).__name__,)
        return "fine", self.comparable(operation_id, value)

    @staticmethod
    def plain(value: Any) -> Any:
        """Return a reply that is no JSON as plain values."""
        if isinstance(value, Headers):
            return {name: each for name, each in value.items() if name.startswith("X-")}
        if hasattr(value, "collect"):
            with value:
                collected = value.collect()
            return {"stdout": collected.stdout, "stderr": collected.stderr}
        return value

    def both(self, operation_id: str, *args: Any, **kwargs: Any) -> Any:
        """Make a call at both engines and compare; return the real one's outcome."""
        return self.each(
            f"{operation_id}{args}{kwargs}",
            lambda client: self.outcome(client, operation_id, *args, **kwargs),
        )

    def look(self, operation_id: str, *args: Any, **kwargs: Any) -> Any:
        """Compare what both engines say, once they agree or do not for a while."""
        return self.each_until_alike(
            f"{operation_id}{args}{kwargs}",
            lambda client: self.outcome(client, operation_id, *args, **kwargs),
        )

    def each(self, what: str, act: Callable[[Client], Any]) -> Any:
        """Compare the outcomes of something done at each engine; return the real one's."""
        outcomes = [act(client) for client in self.clients]
        return self.note(what, outcomes)

    def each_until_alike(self, what: str, ask: Callable[[Client], Any]) -> Any:
        """Compare what each engine is asked, again until both agree or time is over."""
        end = time.monotonic() + PATIENCE
        outcomes = [ask(client) for client in self.clients]
        while outcomes[0] != outcomes[1] and time.monotonic() < end:
            time.sleep(0.02)
            outcomes = [ask(client) for client in self.clients]
        return self.note(what, outcomes)

    def each_at_once(self, what: str, act: Callable[[Client], Any]) -> Any:
        """Compare the outcomes of something that waits, done at both engines at the same time."""
        with ThreadPoolExecutor(len(self.clients)) as threads:
            return self.note(what, [*threads.map(act, self.clients)])

    def note(self, what: str, outcomes: list[Any]) -> Any:
        """Compare the real engine's outcome with the embedded one's, and return it."""
        real, simulated = outcomes
        self.history.append(f"{what} {str(real)[:40]}")
        if self.found is None:
            assert simulated == real, self.without_prefix(what)
        elif simulated != real:
            self.found.append(tuple(map(self.without_prefix, (what, real, simulated))))
            if self.is_over:
                reject()
        return real

    def without_prefix(self, value: Any) -> Any:
        """Return a value whose names are the same in every sequence."""
        if isinstance(value, str):
            value = value.replace(self.prefix, "").replace(self.prefix[:-1], "")
            return value.replace(self.subnet, "SUBNET").replace(str(self.port), "PORT")
        if isinstance(value, dict):
            return {self.without_prefix(k): self.without_prefix(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.without_prefix(each) for each in value]
        return value

    def remove_all(self, client: Client) -> None:
        """Remove what this sequence made."""
        ours = {"label": [f"{LABEL}={self.prefix}"]}
        for each in client.ContainerList(all=True, filters=ours):
            with suppress(DynadockError):
                client.ContainerDelete(each.Id, force=True, v=True)
        for network in client.NetworkList(filters=ours):
            with suppress(DynadockError):
                client.NetworkDelete(network.Id)
        # What a mount made has no label.
        for which in (ours, {"name": [self.prefix]}):
            for volume in client.VolumeList(filters=which).Volumes or ():
                with suppress(DynadockError):
                    client.VolumeDelete(volume.Name, force=True)
        named = client.ImageList(filters={"reference": [f"{self.prefix}*"]})
        tags = [tag for image in named for tag in image.RepoTags if tag.startswith(self.prefix)]
        for name in tags:
            with suppress(DynadockError):
                client.ImageDelete(name)
        for image in client.ImageList(filters={**ours, "dangling": ["true"]}):
            with suppress(DynadockError):
                client.ImageDelete(image.Id)
