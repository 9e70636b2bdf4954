"""What containers write and read: logs, and attaching to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.clock import log_time
from dynadock.simulation.framing import frame
from dynadock.simulation.refusal import Refused, bad_request, conflict
from dynadock.simulation.replies import RAW, Streaming, TwoWay
from dynadock.simulation.state.detaching import DETACH_KEYS, parse_keys
from dynadock.simulation.state.log_drivers import NOTHING_LOGGED, details_of
from dynadock.simulation.state.sessions import Session
from dynadock.spec.kinds import MULTIPLEXED
from dynadock.spec.versions import Version

if TYPE_CHECKING:
    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.logs import Entry
    from dynadock.simulation.state.state import State

_BLOCK = 64 * 1024
_OUTPUTS = frozenset({1, 2})

_FIRST_WITH_BINARY = Version(1, 28)
"""The first version at which websockets carry binary messages (26.1)."""


def channels_of(asked: Asked) -> frozenset[int]:
    """Return the channels that somebody asks for: stdout is 1, stderr 2."""
    wanted = ((1, asked.get("stdout")), (2, asked.get("stderr")))
    return frozenset(channel for channel, is_wanted in wanted if is_wanted)


def output_type(asked: Asked, *, is_tty: bool) -> str:
    """Return the media type of output: of frames only where the version's document has one."""
    has_frames = MULTIPLEXED in asked.operation.reply.media_types
    return MULTIPLEXED if has_frames and not is_tty else RAW


@behaviour
def ContainerLogs(state: State, asked: Asked) -> Any:
    """All that was written, up to 64 MiB: since, until, tail, timestamps, details, follow."""
    channels = channels_of(asked)
    if not channels:
        raise bad_request("Bad parameters: you must choose at least one stream")
    container = state.containers.find(asked.get("id"))
    if container.log_driver == NOTHING_LOGGED:
        raise Refused("configured logging driver does not support reading", 501)
    source = LogSource(container, asked, channels)
    return Streaming(source, output_type(asked, is_tty=container.is_tty))


class LogSource:
    """A container's log as a stream, from one of its entries on.

    Who follows it follows to the next end of the main process, even if that is started again.
    """

    def __init__(self, container: Container, asked: Asked, channels: frozenset[int]) -> None:
        self._container = container
        self._log = container.log
        self._channels = channels
        self._is_raw = container.is_tty
        self._since: int = asked.get("since") or 0
        self._until: int = asked.get("until") or 0
        self._has_times = bool(asked.get("timestamps"))
        self._details = f"{details_of(container)} " if asked.get("details") else ""
        self._run = container.run if asked.get("follow") else None
        self._next = self._first(str(asked.get("tail", "all")))

    def _first(self, tail: str) -> int:
        """Return the entry to begin with; lines count on whichever channel they are (26.1)."""
        return max(self._log.first, self._log.end - int(tail)) if tail.isdecimal() else 0

    def take(self) -> bytes | None:
        """Return frames, or raw bytes of a terminal; none at the end."""
        blocks: list[bytes] = []
        size = 0
        for entry in self._log.entries(self._next):
            if self._until and entry.moment > self._until:
                self.leave()
                break
            self._next = entry.number + 1
            if entry.moment >= self._since and entry.channel in self._channels:
                blocks.append(self._written(entry))
                size += len(blocks[-1])
                if size >= _BLOCK:
                    break
        if blocks:
            return b"".join(blocks)
        is_followed = self._run is not None and self._container.run is self._run
        return None if is_followed else b""

    def _written(self, entry: Entry) -> bytes:
        time = f"{log_time(entry.moment)} " if self._has_times else ""
        data = f"{time}{self._details}".encode() + entry.data
        return data if self._is_raw else frame(entry.channel, data)

    def leave(self) -> None:
        """Wait for nothing more."""
        self._run = None
        self._next = self._log.end


@behaviour
def ContainerAttach(state: State, asked: Asked) -> Any:
    """Output from now on, what there is of the log, input, its end; the keys that detach."""
    container = _attachable(state, asked)
    session = _session(state, container, asked, channels_of(asked), is_raw=container.is_tty)
    return TwoWay(session, output_type(asked, is_tty=container.is_tty))


@behaviour
def ContainerAttachWebsocket(state: State, asked: Asked) -> Any:
    """As attaching without one, in binary messages without frames (text up to 1.27)."""
    # The library of websockets takes a while to load.
    from dynadock.simulation.state.websockets import WebSocketSession
    from dynadock.wire.websocket import answer_handshake

    container = _attachable(state, asked)
    headers = answer_handshake(asked.headers if asked.wants_upgrade else {})
    can_choose = {"stdin", "stdout"} <= {each.name for each in asked.operation.parameters}
    channels = channels_of(asked) if can_choose else _OUTPUTS
    session = _session(state, container, asked, channels, is_raw=True, always_types=not can_choose)
    is_text = asked.operation.version < _FIRST_WITH_BINARY
    return TwoWay(WebSocketSession(session, is_text=is_text), headers=headers)


def _attachable(state: State, asked: Asked) -> Container:
    container = state.containers.find(asked.get("id"))
    if container.is_paused:
        raise conflict(
            f"container {asked.get('id')} is paused, unpause the container before attach"
        )
    if container.status == "restarting":
        raise conflict(
            f"container {asked.get('id')} is restarting, wait until the container is running"
        )
    return container


def _session(
    state: State,
    container: Container,
    asked: Asked,
    channels: frozenset[int],
    *,
    is_raw: bool,
    always_types: bool = False,
) -> Session:
    """Attach a new session to a container, as far as it is asked for."""
    is_logged = asked.get("logs") and container.log_driver != NOTHING_LOGGED
    session = Session(
        channels,
        is_raw=is_raw,
        wants_input=bool((always_types or asked.get("stdin")) and container.config["OpenStdin"]),
        ends_input=bool(container.config["StdinOnce"]) and not container.is_tty,
        changed=state.notify,
        keys=_keys(asked, is_tty=container.is_tty),
        backlog=container.log.entries(0, container.log.end) if is_logged else (),
    )
    session.on_detach = lambda each: _detached(container, each)
    if asked.get("stream"):
        container.attach(session)
    else:
        session.finish()
    container.tell("attach")
    return session


def _keys(asked: Asked, *, is_tty: bool) -> bytes:
    """Return the keys that detach; only terminals have some."""
    text = asked.get("detachKeys") or DETACH_KEYS
    try:
        keys = parse_keys(text)
    except ValueError:
        raise bad_request(f"Invalid detach keys ({text}) provided") from None
    return keys if is_tty else b""


def _detached(container: Container, session: Session) -> None:
    container.tell("detach")
    session.finish()
