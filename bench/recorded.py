"""Replies in the shapes that an engine was recorded to send them in (Docker 26.1, API 1.42).

Each frame of a log, and each event, comes as a chunk of its own; JSON that is too long for the
engine's buffer as one chunk. `inspected.json` and `listed.json` are what it said of a container.
"""

from __future__ import annotations

import json
import random
import struct
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

API = "/v1.42"
LINE = 100
"""Bytes of a line, its end included."""
BLOCK = 64 * 1024
CONTAINER = "3a0dbcb95f706ebc55088e28ff7c44c98d1f0ec6022129fc244485eeead07c0f"
EXEC = "08786a106c36251dbcc61c0a67a6b3566223d6215c087333a9c1c8d611e6efea"

STDOUT, STDERR = 1, 2
SERVER = (
    "Api-Version: 1.45",
    "Docker-Experimental: true",
    "Ostype: linux",
    "Server: Docker/26.1.5+dfsg1 (linux)",
    "Date: Fri, 27 Nov 2026 01:56:22 GMT",
)
LAST_CHUNK = b"0\r\n\r\n"

_HERE = Path(__file__).parent


class Reply(NamedTuple):
    """A head with what is sent together with it, one piece so many times over, and a tail."""

    head: bytes
    piece: bytes = b""
    times: int = 0
    tail: bytes = b""
    closes: bool = False


def log_of_lines(frames: int) -> Reply:
    """Frames of one line each, of stdout and stderr as two busy writers mix them."""
    mixed = random.Random(frames)
    return _log(frames, 10_000, lambda: (mixed.choice((STDOUT, STDOUT, STDERR)), _lines(LINE)))


def log_of_blocks(frames: int) -> Reply:
    """Frames of 64 KiB, of stdout alone."""
    return _log(frames, 64, lambda: (STDOUT, _lines(BLOCK)))


def _log(frames: int, in_a_piece: int, make: Callable[[], tuple[int, bytes]]) -> Reply:
    made = [make() for _ in range(min(in_a_piece, frames))]
    chunks = [_chunk(struct.pack(">BxxxI", word, len(data)) + data) for word, data in made]
    head = _chunked_head("application/vnd.docker.multiplexed-stream")
    return _repeating(head, chunks, frames)


def _lines(size: int) -> bytes:
    line = b"2026-11-23T16:04:38 web[7]: GET /static/app.js 200 1532 bytes in 3 ms".ljust(LINE - 1)
    return ((line + b"\n") * (size // LINE + 1))[-size:]


def events(count: int) -> Reply:
    """What happens to containers as they come and go, over and over."""
    chunks = [_chunk(_json(_event(number))) for number in range(min(1_000, count))]
    return _repeating(_chunked_head("application/json"), chunks, count)


def _repeating(head: bytes, chunks: list[bytes], count: int) -> Reply:
    """Return a reply of so many chunks, the same ones over and over."""
    whole, rest = divmod(count, len(chunks))
    return Reply(head, b"".join(chunks), whole, b"".join(chunks[:rest]) + LAST_CHUNK)


_ACTIONS: tuple[tuple[str, dict[str, str]], ...] = (
    ("create", {}),
    ("start", {}),
    ("exec_create: true ", {"execID": EXEC}),
    ("exec_start: true ", {"execID": EXEC}),
    ("exec_die", {"execID": EXEC, "exitCode": "0"}),
    ("kill", {"signal": "9"}),
    ("die", {"execDuration": "0", "exitCode": "137"}),
    ("destroy", {}),
)


def _event(number: int) -> dict[str, object]:
    action, more = _ACTIONS[number % len(_ACTIONS)]
    container = f"{number // len(_ACTIONS):08x}{CONTAINER[8:]}"
    attributes = {"com.example.role": "web", **more, "image": "busybox", "name": "web-1"}
    return {
        "status": action,
        "id": container,
        "from": "busybox",
        "Type": "container",
        "Action": action,
        "Actor": {"ID": container, "Attributes": attributes},
        "scope": "local",
        "time": 1795449962,
        "timeNano": 1795449962392337290 + number,
    }


def ping() -> Reply:
    """The engine's sign of life."""
    head = _head(
        "200 OK",
        "Builder-Version: 2",
        "Cache-Control: no-cache, no-store, must-revalidate",
        "Pragma: no-cache",
        "Swarm: inactive",
        "Content-Length: 2",
        "Content-Type: text/plain; charset=utf-8",
    )
    return Reply(head + b"OK")


def inspected() -> Reply:
    """What the engine says of one container, some 6 KiB."""
    return _in_one_chunk(_recorded("inspected.json"))


def listed(count: int) -> Reply:
    """A list of containers, some 1.5 KB each."""
    return _in_one_chunk([_row(number) for number in range(count)])


def _row(number: int) -> dict[str, object]:
    container = f"{number:08x}{CONTAINER[8:]}"
    return _recorded("listed.json") | {"Id": container, "Names": [f"/shop-web-{number}"]}


@lru_cache
def _recorded(name: str) -> dict[str, object]:
    value: dict[str, object] = json.loads((_HERE / name).read_text(encoding="utf-8"))
    return value


def _in_one_chunk(value: object) -> Reply:
    return Reply(_chunked_head("application/json") + _chunk(_json(value)) + LAST_CHUNK)


def exec_replies() -> dict[tuple[str, str], Reply]:
    """The replies to creating, starting and inspecting an exec without output.

    They stand under methods and paths.
    """
    inspected = {
        "ID": EXEC,
        "Running": False,
        "ExitCode": 0,
        "ProcessConfig": {
            "tty": False,
            "entrypoint": "true",
            "arguments": [],
            "privileged": False,
        },
        "OpenStdin": False,
        "OpenStderr": True,
        "OpenStdout": True,
        "CanRemove": False,
        "ContainerID": CONTAINER,
        "DetachKeys": "",
        "Pid": 16893,
    }
    upgraded = _head(
        "101 UPGRADED",
        "Content-Type: application/vnd.docker.multiplexed-stream",
        "Connection: Upgrade",
        "Upgrade: tcp",
    )
    return {
        ("POST", f"/containers/{CONTAINER}/exec"): json_reply("201 Created", {"Id": EXEC}),
        ("POST", f"/exec/{EXEC}/start"): Reply(upgraded, closes=True),
        ("GET", f"/exec/{EXEC}/json"): json_reply("200 OK", inspected),
    }


def json_reply(status: str, value: object) -> Reply:
    body = _json(value)
    head = _head(status, "Content-Type: application/json", f"Content-Length: {len(body)}")
    return Reply(head + body)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _chunked_head(content_type: str) -> bytes:
    return _head("200 OK", f"Content-Type: {content_type}", "Transfer-Encoding: chunked")


def _head(status: str, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *SERVER, *fields, "", ""]).encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
