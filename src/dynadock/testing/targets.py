"""Targets: an engine at an API version, and which of them a test has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dynadock.spec.versions import parse_range

if TYPE_CHECKING:
    from dynadock.spec.versions import Version
    from dynadock.testing.asked import Wanted
    from dynadock.testing.engines import Engine


class Target(NamedTuple):
    """What a test runs on: an engine, at an API version.

    ``at`` is None where an engine that does not answer leaves open which version was meant, or
    where none of the documents is of a version that it speaks.
    """

    engine: Engine
    at: Version | None

    @property
    def name(self) -> str:
        """What the engine is called in this run."""
        return self.engine.name

    @property
    def kind(self) -> str:
        """What the engine is: ``docker``, ``podman``, ``embedded``, or its own word."""
        return self.engine.kind

    @property
    def release(self) -> str:
        """The engine's release, such as ``28.5.2``."""
        return self.engine.release

    @property
    def version(self) -> str:
        """The API version as text, such as ``1.43``; empty where there is none."""
        return str(self.at or "")

    @property
    def id(self) -> str:
        """What stands in the names of tests: ``d28-1.43``."""
        return f"{self.name}-{self.at}" if self.at else self.name

    @property
    def unspoken(self) -> str:
        """Why there is no speaking with the engine, as a reason to skip; empty if there is."""
        if self.engine.fault or (self.at is not None and self.at in self.engine.spoken):
            return ""
        at = f"not {self.at}" if self.at else "and there are no documents for that"
        return f"{self.name} speaks {self.engine.speaks}, {at}"

    def __repr__(self) -> str:
        return f"<{self.id}>"


def targets_on(engine: Engine, wanted: Wanted, api: str | None = None) -> list[Target]:
    """Return the targets that an engine makes; ``api`` limits what an embedded one speaks."""
    engine = limited(engine, api)
    # Of one that does not answer, what was asked for by its number is known.
    return [Target(engine, each) for each in wanted.of(engine.spoken)] or [Target(engine, None)]


def limited(engine: Engine, api: str | None) -> Engine:
    """Return an embedded engine that speaks only some versions, as a mark can say."""
    if engine.address is not None or not isinstance(api, str):
        return engine
    within = parse_range(api)
    spoken = [each for each in engine.spoken if each in within]
    # What no engine can speak is refused where it is made, in the words of `Engine`.
    return engine._replace(oldest=spoken[0], newest=spoken[-1]) if spoken else engine
