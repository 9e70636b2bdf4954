"""Commands that compute: sha256sum and its like, base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell.commands.texts import whole
from dynadock.simulation.programs.shell.invocation import read, words_of

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.descriptors import Stream
    from dynadock.simulation.programs.shell.invocation import Invocation
    from dynadock.simulation.programs.shell.jobs import Coroutine


def _digest(invocation: Invocation, stream: Stream) -> Coroutine[str]:
    digest = hashlib.new(invocation.name.removesuffix("sum"), usedforsecurity=False)
    turns = 0
    while block := (yield from read(stream)):
        digest.update(block)
        turns += 1
        if turns % 16 == 0:
            yield invocation.now()
    return digest.hexdigest()


def run_digest(invocation: Invocation) -> Coroutine[int]:
    """Print files' digests; -c checks those that a file lists, -s without a word."""
    options = invocation.options("csw")
    if "c" in options:
        return (yield from _check(invocation, options.operands, is_quiet="s" in options))
    for name, stream in invocation.inputs(options.operands, "can't open"):
        try:
            digest = yield from _digest(invocation, stream)
        except OSError as error:
            invocation.warn(f"can't read '{name}': {words_of(error)}")
            continue
        invocation.print(f"{digest}  {name}")
    return invocation.status


def _check(invocation: Invocation, names: list[str], *, is_quiet: bool) -> Coroutine[int]:
    total = failed = 0
    for _, listed in invocation.inputs(names, "can't open"):
        data = yield from whole(listed)
        for line in data.decode("utf-8", "surrogateescape").splitlines():
            found = re.fullmatch(r"([0-9a-fA-F]+) [ *](.+)", line)
            if not found:
                continue
            total += 1
            try:
                digest = yield from _digest(invocation, invocation.open(found[2]))
            except OSError as error:
                invocation.warn_of(found[2], error, "can't open")
                digest = ""
            is_right = digest == found[1].lower()
            failed += not is_right
            if not is_quiet:
                invocation.print(f"{found[2]}: {'OK' if is_right else 'FAILED'}")
    if failed and not is_quiet:
        invocation.warn(f"WARNING: {failed} of {total} computed checksums did NOT match")
    return 1 if failed else invocation.status


def run_base64(invocation: Invocation) -> Coroutine[int]:
    """Write the input in base64, or with -d read it; -w WIDTH of lines."""
    options = invocation.options("dw:", {"decode": "d"})
    width = int(options.values["w"]) if options.values.get("w", "").isdigit() else 76
    for _, stream in invocation.inputs(options.operands[:1], "can't open"):
        data = yield from whole(stream)
        if "d" in options:
            try:
                invocation.put(base64.b64decode(data))
            except binascii.Error:
                return invocation.warn("truncated input")
            continue
        text = base64.b64encode(data)
        if not width:
            invocation.put(text)
            continue
        invocation.put(b"".join(text[at : at + width] + b"\n" for at in range(0, len(text), width)))
    return invocation.status
