"""What passed as a file: a JSON line for each exchange, without secrets, and read back.

The first line is ``{"format": "dynadock recording 1", …}``. Each other one is an exchange::

    {"method": "POST", "target": "/v1.45/containers/create?name=web",
     "headers": {"Content-Type": "application/json"}, "body": {"json": {"Image": "busybox"}},
     "status": 201, "reply_headers": {…}, "reply": {"json": {"Id": "…", "Warnings": []}}}

A body is ``json`` (a value), ``json_lines`` (several), ``text``, or ``base64``; a reply that was
longer than what is kept is its ``size`` and ``sha256`` alone, and so is any body of a request but
JSON. Of a connection that was handed over, ``reply`` is what the engine sent over it. Secrets are
masked: headers and parameters by their names and by the document, fields of JSON too, and the
values of environment variables. What containers print, and files that are copied out of them, are
kept as they are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.compat.exchanges import LONGEST_KEPT
from dynadock.compat.masking import masked, masked_request
from dynadock.errors import SpecError
from dynadock.record import plain, read_json
from dynadock.spec.files import read_regular
from dynadock.wire.json_values import JsonDecoder
from dynadock.wire.messages import media_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.compat.exchanges import KeptBody, Passed
    from dynadock.spec.model import Operation
    from dynadock.wire.messages import Request

FORMAT = "dynadock recording 1"

LONGEST_FILE = 2**30
"""Bytes of a recording that is read."""

_PRIVATE = 0o600


class Recorder:
    """Writes a recording; its file is for this user alone."""

    def __init__(self, path: str | os.PathLike[str], engine: str) -> None:
        self._file = open(  # noqa: SIM115 - closed by `close`
            path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, _PRIVATE)
        )
        self._write({"format": FORMAT, "engine": engine})

    def write(self, passed: Passed, operation: Operation | None, request: Request) -> None:
        """Write an exchange that came to its end, or took its connection over."""
        if passed.status is None or passed.fault or not passed.is_whole:
            return
        replied = passed.reply_headers
        _, schema, definitions = _schemas(operation)
        sent = passed.request_body
        data = sent.data
        self._write(
            {
                "method": passed.method,
                "target": request.shown_target,
                "headers": request.shown_headers,
                "body": request_body(data, passed.request_headers, operation)
                if data is not None
                else {"size": sent.size, "sha256": sent.digest},
                "status": passed.status,
                "reply_headers": masked_request("", "", replied, None).shown_headers,
                "reply": _reply_body(passed.reply_body, replied, schema, definitions),
            }
        )

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Write no more."""
        self._file.close()


def _schemas(operation: Operation | None) -> tuple[Any, Any, Mapping[str, Any]]:
    """Return the schemas of an operation's body and reply, and the definitions that they name."""
    if operation is None:
        return None, None, {}
    body = None if operation.body is None else operation.body.schema
    return body, operation.reply.schema, operation.spec.definitions


def _reply_body(
    body: KeptBody | None, headers: Mapping[str, str], schema: Any, definitions: Mapping[str, Any]
) -> dict[str, Any]:
    if body is None:
        return {}
    data = body.data
    if data is None:
        return {"size": body.size, "sha256": body.digest}
    if found := _json_or_nothing(data, headers, schema, definitions):
        return found
    if media_type(headers).startswith("text/"):
        with suppress(UnicodeDecodeError):
            return {"text": data.decode()}
    return {"base64": base64.b64encode(data).decode()}


def _json_or_nothing(
    data: bytes, headers: Mapping[str, str], schema: Any, definitions: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a body as its values, its size if it is no JSON though it says so; else nothing."""
    kind = media_type(headers)
    if not data or (kind and not kind.endswith(("json", "json-seq", "jsonl"))):
        return {}
    with suppress(ValueError):
        return {"json": masked(plain(read_json(data)), schema, definitions)}
    if values := _values(data):
        return {"json_lines": [masked(each, schema, definitions) for each in values]}
    return described(data) if kind else {}


def request_body(
    data: bytes, headers: Mapping[str, str], operation: Operation | None
) -> dict[str, Any]:
    """Return a request's body as recordings have it, by which requests are found again."""
    if not data:
        return {}
    schema, _, definitions = _schemas(operation)
    is_kept = len(data) <= LONGEST_KEPT
    found = _json_or_nothing(data, headers, schema, definitions) if is_kept else {}
    return found or described(data)


def described(data: bytes) -> dict[str, Any]:
    """Return what tells a body from others, without it."""
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _values(data: bytes) -> list[Any]:
    """Return the values of a stream of JSON, none if it is something else."""
    decoder = JsonDecoder()
    values = decoder.feed(data)
    with suppress(OSError, ValueError):
        values += decoder.finish()
        return [] if decoder.fault is not None else [plain(each) for each in values]
    return []


def body_bytes(kept: Mapping[str, Any]) -> bytes | None:
    """Return the bytes of a body in a recording, None if it was too long for one."""
    if "json" in kept:
        return json.dumps(kept["json"], separators=(",", ":")).encode() + b"\n"
    if "json_lines" in kept:
        lines = (json.dumps(each, separators=(",", ":")) for each in kept["json_lines"])
        return "".join(f"{line}\r\n" for line in lines).encode()
    if "text" in kept:
        return str(kept["text"]).encode()
    if "base64" in kept:
        return base64.b64decode(kept["base64"])
    return b"" if not kept else None


class Recorded(NamedTuple):
    """One exchange of a recording."""

    method: str
    target: str
    headers: dict[str, str]
    body: dict[str, Any]
    status: int
    reply_headers: dict[str, str]
    reply: dict[str, Any]


def read_recording(path: str | os.PathLike[str]) -> list[Recorded]:
    """Read a recording; SpecError says what is wrong with it, OSError that it cannot be read."""
    lines = read_regular(os.fspath(path), LONGEST_FILE).split(b"\n")
    found: list[Recorded] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = plain(read_json(line))
            if number == 1:
                _check_format(row)
            else:
                found.append(_recorded(row))
        except (ValueError, KeyError, TypeError) as error:
            raise SpecError(
                f"{path}, line {number}: no exchange of a recording ({error})"
            ) from None
    if not lines[0].strip():
        raise SpecError(f"{path} is no recording: it is empty")
    return found


def _check_format(row: Any) -> None:
    if not isinstance(row, dict) or row.get("format") != FORMAT:
        raise ValueError(f"the first line of a recording says {FORMAT!r}")


def _recorded(row: Any) -> Recorded:
    made = Recorded(
        str(row["method"]),
        str(row["target"]),
        {str(name): str(value) for name, value in row["headers"].items()},
        dict(row["body"]),
        int(row["status"]),
        {str(name): str(value) for name, value in row["reply_headers"].items()},
        dict(row["reply"]),
    )
    body_bytes(made.reply)
    return made
