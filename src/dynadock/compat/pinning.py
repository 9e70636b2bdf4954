"""An engine that speaks no more than a version: what is refused, and what it says of itself.

Docker 20.10, 26.1 and 28.5 refuse a newer version (400) in the same words, after the path: what no
version has is "page not found" (404), whatever the version. What they say of themselves stands in
the replies to ``_ping`` (headers) and ``/version`` (body); clients agree on a version by these.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.call.values import compact_json
from dynadock.compat.dialogue import BODY, END, HEAD, RAW, Dialogue
from dynadock.compat.recognition import is_known_at
from dynadock.errors import MalformedStream
from dynadock.record import read_json
from dynadock.simulation.answers import refusal
from dynadock.simulation.routes import read_target, too_new
from dynadock.simulation.sending import beginning
from dynadock.spec.versions import Version, looks_like_version, parse_version
from dynadock.wire.requests import RequestHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.compat.dialogue import Part
    from dynadock.compat.tapes import Tape

API_VERSION = "Api-Version"
_PLACES = frozenset({"/_ping", "/version"})
_FIELD = "ApiVersion"

LONGEST_REWRITTEN = 2**20
"""Bytes of a reply that is held until it is whole, to be written anew; a longer one is not."""

_HEADER = re.compile(rb"(?im)^(api-version:[ \t]*)([^\r\n]*)")
_LENGTH = re.compile(rb"(?im)^(content-length|transfer-encoding):[^\r\n]*\r\n")
_END_OF_HEAD = b"\r\n\r\n"


class Pin(NamedTuple):
    """The newest version that is spoken, and the newest that there is a document of."""

    version: Version
    newest: Version

    def refusal_of(self, head: RequestHead) -> bytes:
        """Return the reply to a request that such an engine refuses, nothing for another."""
        try:
            place = read_target(head.target)
        except MalformedStream:
            return b""
        if place.path in _PLACES and not self._is_newer(place.version):
            return b""
        if is_known_at(self.version, head.method, place.path):
            if not self._is_newer(place.version):
                return b""
            return self._written(400, too_new(place.version, self.version), head)
        if is_known_at(self.newest, head.method, place.path):
            return self._written(404, "page not found", head)
        return b""

    def _is_newer(self, text: str) -> bool:
        return looks_like_version(text) and parse_version(text) > self.version

    def _written(self, status: int, message: str, head: RequestHead) -> bytes:
        answer = refusal(status, message)
        headers = {API_VERSION: str(self.version), **answer.headers, "Ostype": "linux"}
        more = {} if head.is_persistent and not head.expects_continue else {"Connection": "close"}
        return beginning(answer._replace(headers=headers), head.method, more, can_chunk=True)

    def request(self, head: RequestHead, raw: bytes) -> bytes:
        """Return a request's head, with a path of this version if it names none."""
        with suppress(MalformedStream):
            place = read_target(head.target)
            if not place.version and place.path not in _PLACES and head.target.startswith("/"):
                start = raw.find(b" ") + 1
                return raw[:start] + b"/v%b" % str(self.version).encode() + raw[start:]
        return raw

    def is_rewritten(self, head: RequestHead) -> bool:
        """Tell whether the reply to a request is written anew."""
        with suppress(MalformedStream):
            return read_target(head.target).path in _PLACES
        return False

    def reply(self, head: bytes, raw_body: bytes, body: bytes) -> bytes:
        """Return a reply that says that no newer version is spoken."""
        head = _HEADER.sub(self._in_header, head)
        try:
            value = read_json(body)
        except ValueError:
            return head + raw_body
        if not isinstance(value, dict) or not self._lower(value):
            return head + raw_body
        written = compact_json(value).encode() + b"\n"
        head = _LENGTH.sub(b"", head).removesuffix(b"\r\n")
        return head + b"Content-Length: %d\r\n\r\n" % len(written) + written

    def _in_header(self, found: re.Match[bytes]) -> bytes:
        return found[1] + self._lowered(found[2].decode("latin-1")).encode("latin-1")

    def _lowered(self, text: str) -> str:
        return str(self.version) if self._is_newer(text.strip()) else text

    def _lower(self, value: dict[str, Any]) -> bool:
        """Lower what an engine says that it speaks; tell whether that was anything."""
        components = value.get("Components")
        parts = [value]
        for each in components if isinstance(components, list) else ():
            details = each.get("Details") if isinstance(each, dict) else None
            if isinstance(details, dict):
                parts.append(details)
        found = [part for part in parts if isinstance(part.get(_FIELD), str)]
        for part in found:
            part[_FIELD] = self._lowered(part[_FIELD])
        return bool(found)


class Gate:
    """Stands `Between` a client and an engine that is to speak no newer version than a pin's.

    ``to_client`` and ``to_engine`` send. Whatever is not refused or written anew passes as it came;
    so does a connection that is no HTTP, or no longer.
    """

    def __init__(
        self,
        pin: Pin,
        tape: Tape,
        to_client: Callable[[bytes], None],
        to_engine: Callable[[bytes], None],
    ) -> None:
        self._pin = pin
        self._tape = tape
        self._to_client = to_client
        self._to_engine = to_engine
        self._dialogue = Dialogue()
        # The state is for one thread at a time. Sending takes the other lock, first: what one
        # thread has let through must not be overtaken by what another lets through behind it.
        self._state = Lock()
        self._order = Lock()
        self._is_refused = False
        self._close_later: Callable[[], None] | None = None
        self._rewriting = False
        self._head = bytearray()
        self._raw_body = bytearray()
        self._body = bytearray()

    def sent(self, data: bytes, _to_engine: Callable[[bytes], None]) -> None:
        """Pass on what the client sent, refuse it, or hold it until a reply has ended."""
        self._tape.put(True, data)
        self._let_through(partial(self._dialogue.sent, data))

    def _let_through(self, take: Callable[[], list[Part]]) -> None:
        with self._order:
            with self._state:
                there, back = self._decide(take())
            if back:
                self._tape.put(False, back)
                self._to_client(back)
            if there:
                self._to_engine(there)

    def _decide(self, parts: list[Part]) -> tuple[bytes, bytes]:
        """Return what goes to the engine, and what goes back to the client."""
        there, back = bytearray(), bytearray()
        while parts:
            for part in parts:
                if part.kind == HEAD and isinstance(part.head, RequestHead):
                    refused = self._pin.refusal_of(part.head)
                    self._is_refused = bool(refused)
                    self._rewriting = not refused and self._pin.is_rewritten(part.head)
                    back += refused
                    there += b"" if refused else self._pin.request(part.head, part.raw)
                elif part.kind == RAW or not self._is_refused:
                    there += part.raw
            parts = []
            if self._is_refused:
                self._dialogue.answer_ourselves()
                parts = self._dialogue.resume()
        return bytes(there), bytes(back)

    def received(self, data: bytes, to_client: Callable[[bytes], None]) -> None:
        """Pass on what the engine sent, a reply that is written anew once it is whole."""
        dialogue = self._dialogue
        while True:
            with self._state:
                out = b"".join(map(self._reply, dialogue.received(data)))
            if out:
                self._tape.received(out, to_client)
            with self._state:
                # Where something is held, the other thread sends nothing, and can be waited for.
                has_held = dialogue.can_resume and dialogue.is_holding
                if not has_held:
                    dialogue.resume()
                is_more = dialogue.is_more
            if has_held:
                self._let_through(dialogue.resume)
                self._close_if_all_passed()
            if not is_more:
                return
            data = b""

    def _reply(self, part: Part) -> bytes:
        """Return what the client gets of a part of a reply now."""
        if not self._rewriting:
            return part.raw
        if part.kind == HEAD:
            self._head += part.raw
            return b""
        if part.kind == BODY and len(self._raw_body) + len(part.raw) <= LONGEST_REWRITTEN:
            self._raw_body += part.raw
            self._body += part.body
            return b""
        if part.kind == END:
            written = self._pin.reply(bytes(self._head), bytes(self._raw_body), bytes(self._body))
            self._forget()
            return written
        return self._forget() + part.raw

    def _forget(self) -> bytes:
        """Write no reply anew; return what was held of it."""
        held = bytes(self._head + self._raw_body)
        self._rewriting = False
        for each in (self._head, self._raw_body, self._body):
            each.clear()
        return held

    def end_of_sent(self, close: Callable[[], None]) -> None:
        """Pass on that the client sends no more, behind what is still held."""
        self._tape.put(True, b"")
        with self._state:
            if self._dialogue.is_holding:
                self._close_later = close
                return
        self._send_the_rest(close)

    def _send_the_rest(self, close: Callable[[], None]) -> None:
        """Pass on what began like a request, and that nothing more comes."""
        with suppress(OSError):
            self._let_through(self._dialogue.end_of_sent)
        close()

    def _close_if_all_passed(self) -> None:
        with self._state:
            close = None if self._dialogue.is_holding else self._close_later
            if close is not None:
                self._close_later = None
        if close is not None:
            self._send_the_rest(close)

    def end_of_received(self, close: Callable[[], None]) -> None:
        """Pass on that the engine sends no more, behind what is still held of its reply."""
        with self._state:
            out = self._forget()
        if out:
            self._tape.put(False, out)
            with suppress(OSError):
                self._to_client(out)
        self._tape.put(False, b"")
        with self._state:
            close_later, self._close_later = self._close_later, None
        if close_later is not None:
            close_later()
        close()
