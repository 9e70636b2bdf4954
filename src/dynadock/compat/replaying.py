"""A recording at an address: each request is answered as it was when it was recorded.

A request is found by method, path and query, and body, its secrets masked as they are in the file.
What was asked more than once is answered in the order of the file, and from then on as the last
time. What is not there is refused (501), and so is what was too long to be kept.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from dynadock.compat.masking import masked_request
from dynadock.compat.recognition import Recogniser
from dynadock.compat.recording import body_bytes, read_recording, request_body
from dynadock.embedded.accepting import Door
from dynadock.embedded.farewell import cut, linger
from dynadock.embedded.incoming import Incoming, Patience, Rejected, Room
from dynadock.embedded.pacing import wait_for_reader
from dynadock.simulation.answers import refusal
from dynadock.simulation.engine import LONGEST_ARCHIVE
from dynadock.simulation.sending import beginning
from dynadock.wire.fields import LENGTHS
from dynadock.wire.messages import NO_CONTENT, NOT_MODIFIED, SWITCHING_PROTOCOLS
from dynadock.wire.reply_heads import CONTINUE, reply_head

if TYPE_CHECKING:
    import os
    import socket
    from collections.abc import Sequence

    from dynadock.compat.recording import Recorded
    from dynadock.wire.requests import RequestHead

_log = logging.getLogger("dynadock.watch")

NOT_RECORDED = 501

_LONGEST_SHOWN = 300
_OF_THE_CONNECTION = LENGTHS | {"date", "connection"}


class Recording:
    """What was recorded, and how far it has been answered; several threads may ask it."""

    def __init__(self, exchanges: Sequence[Recorded]) -> None:
        self._by_request: dict[str, list[Recorded]] = {}
        for each in exchanges:
            self._by_request.setdefault(_key(each.method, each.target, each.body), []).append(each)
        self._asked: dict[str, int] = {}
        self._lock = Lock()
        self._recogniser = Recogniser()
        found = (each.reply_headers.get("Api-Version") for each in exchanges)
        self._spoken = next(filter(None, found), "")

    def find(self, head: RequestHead, body: bytes) -> Recorded | None:
        """Return what a request was answered, None if it was not asked."""
        operation = self._recogniser.find(head.method, head.target, self._spoken).operation
        request = masked_request(head.method, head.target, head.headers, operation)
        key = _key(head.method, request.shown_target, request_body(body, head.headers, operation))
        answers = self._by_request.get(key)
        if answers is None:
            return None
        with self._lock:
            number = self._asked[key] = self._asked.get(key, -1) + 1
        return answers[min(number, len(answers) - 1)]


def _key(method: str, target: str, body: dict[str, Any]) -> str:
    return f"{method} {target} {json.dumps(body, sort_keys=True)}"


class Replay:
    """A recording that is asked at an address, as `dynadock.embedded.server.Server` is."""

    def __init__(
        self, path: str | os.PathLike[str], address: str, *, allow_remote: bool = False
    ) -> None:
        recording = Recording(read_recording(path))
        room = Room()
        self._door = Door(address, allow_remote=allow_remote)
        self.url = self._door.url
        self._door.open(lambda sock: _Connection(recording, sock, room))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let nobody in any more and end all connections; may be called again."""
        self._door.close()


class _Connection:
    """One client's connection to a recording."""

    def __init__(self, recording: Recording, sock: socket.socket, room: Room) -> None:
        self._recording = recording
        self._sock = sock
        self._incoming = Incoming(sock, Patience(), room)

    def run(self) -> None:
        """Answer all requests that come; never raises."""
        try:
            while self._answer_one():
                pass
            linger(self._sock)
        except Rejected as rejected:
            with suppress(OSError):
                self._send_refusal(rejected.status, rejected.message, "")
                linger(self._sock)
        except OSError:
            pass  # The peer is gone.
        except Exception:  # noqa: BLE001 - one answer's trouble is not the server's
            _log.exception("the recording could not be answered from")
        finally:
            self._sock.close()

    def abandon(self) -> None:
        """Make an end of whatever goes on here."""
        cut(self._sock)

    def _answer_one(self) -> bool:
        """Answer a request; tell whether another may follow."""
        head = self._incoming.begin()
        if head is None:
            return False
        go_on = lambda: self._sock.sendall(CONTINUE)  # noqa: E731
        with self._incoming.body(head, LONGEST_ARCHIVE, go_on) as body:
            found = self._recording.find(head, bytes(body))
        if found is None:
            target = masked_request(head.method, head.target, {}, None).shown_target
            words = f"the recording has no {head.method} {target[:_LONGEST_SHOWN]} with this body"
            self._send_refusal(NOT_RECORDED, words, head.method)
            return head.is_persistent
        return self._give(found, head)

    def _give(self, found: Recorded, head: RequestHead) -> bool:
        body = body_bytes(found.reply)
        if body is None:
            words = "this reply was too long for the recording"
            self._send_refusal(NOT_RECORDED, words, head.method)
            return head.is_persistent
        lasts = head.is_persistent and not _took_over(found)
        self._sock.sendall(_head_of(found, len(body), lasts=lasts))
        if _took_over(found):
            wait_for_reader(self._sock.fileno())
        self._sock.sendall(body)
        return lasts

    def _send_refusal(self, status: int, words: str, method: str) -> None:
        self._sock.sendall(beginning(refusal(status, words), method, {}, can_chunk=False))


def _took_over(found: Recorded) -> bool:
    """Tell whether a reply lasted until its connection's end."""
    if found.status in (NO_CONTENT, NOT_MODIFIED) or found.method == "HEAD":
        return False
    has_length = LENGTHS & {name.lower() for name in found.reply_headers}
    return found.status == SWITCHING_PROTOCOLS or not has_length


def _head_of(found: Recorded, size: int, *, lasts: bool) -> bytes:
    is_upgrade = found.status == SWITCHING_PROTOCOLS
    dropped = LENGTHS if is_upgrade else _OF_THE_CONNECTION
    headers = {
        name: text
        for name, text in found.reply_headers.items()
        if name.lower() not in dropped or found.method == "HEAD"
    }
    has_no_body = found.method == "HEAD" or found.status in (NO_CONTENT, NOT_MODIFIED)
    if not (_took_over(found) or has_no_body):
        headers["Content-Length"] = str(size)
    if not lasts and not is_upgrade:
        headers["Connection"] = "close"
    return reply_head(found.status, headers)
