"""Escapes and formats, as ``echo -e``, ``printf`` and other commands know them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|(0?[0-7]{1,3})|(.))", re.DOTALL)
_FORMAT = re.compile(r"%(?:%|([-+ #0]*)(\*|\d{0,7})(?:\.(\*|\d{0,7}))?[hlLqjzt]*(.))", re.DOTALL)
_WIDEST = 64 * 1024


class Stopped(Exception):
    r"""``\c``: nothing more is printed."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def unescaped(text: str, *, zero_octal: bool = False) -> str:
    r"""Return a text with ``\n``, ``\x41``, ``\101`` and so on replaced.

    With ``zero_octal`` a number may have a zero in front of its three digits.

    Raises:
        Stopped: There is a ``\c``.

    """
    if "\\" not in text:
        return text
    found: list[str] = []
    position = 0
    for escape in _ESCAPE.finditer(text):
        found.append(text[position : escape.start()])
        position = escape.end()
        if escape[1]:
            found.append(_byte(int(escape[1], 16)))
        elif escape[2]:
            digits = escape[2] if zero_octal or len(escape[2]) <= 3 else escape[2][:3]  # noqa: PLR2004
            found += [_byte(int(digits, 8) & 255), escape[2][len(digits) :]]
        elif escape[3] == "c":
            raise Stopped("".join(found))
        else:
            found.append(_SIMPLE.get(escape[3], "\\" + escape[3]))
    found.append(text[position:])
    return _rejoined("".join(found))


def _byte(number: int) -> str:
    return chr(number) if number < 128 else chr(0xDC00 + number)  # noqa: PLR2004 - as decoding does


def _rejoined(text: str) -> str:
    """Return the text with bytes put together to characters where they are some."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def formatted(text: str, arguments: list[str], complain: Callable[[str], object]) -> str:
    r"""Return what ``printf`` prints for one use of a format, and take its arguments away.

    Raises:
        Stopped: There is a ``\c``.

    """
    found: list[str] = []
    position = 0
    for directive in _FORMAT.finditer(text):
        found.append(_unescaped_after(text[position : directive.start()], found))
        position = directive.end()
        if directive[0] == "%%":
            found.append("%")
            continue
        try:
            found.append(_one(directive, arguments, complain))
        except Stopped as stopped:
            raise Stopped("".join(found) + stopped.text) from None
        except _InvalidFormat:
            complain(f"{directive[0]}: invalid format")
            raise Stopped("".join(found)) from None
    rest = text[position:]
    if re.search(r"%[^%]*$", rest):
        complain(f"{rest}: invalid format")
        raise Stopped("".join(found))
    found.append(_unescaped_after(rest, found))
    return "".join(found)


class _InvalidFormat(Exception):
    pass


def _unescaped_after(text: str, before: list[str]) -> str:
    try:
        return unescaped(text)
    except Stopped as stopped:
        raise Stopped("".join(before) + stopped.text) from None


def _next(arguments: list[str]) -> str:
    return arguments.pop(0) if arguments else ""


def _one(directive: re.Match[str], arguments: list[str], complain: Callable[[str], object]) -> str:
    flags, width, precision, kind = directive[1], directive[2], directive[3], directive[4]
    if width == "*":
        width = str(_integer(_next(arguments), complain))
        if width.startswith("-"):
            flags, width = flags + "-", width[1:]
    if precision == "*":
        precision = str(max(_integer(_next(arguments), complain), 0))
    columns = min(int(width or 0), _WIDEST)
    places = None if precision is None else min(int(precision or 0), _WIDEST)
    if kind == "c":
        return _padded(_next(arguments)[:1] or "\0", flags, columns)
    if kind in "sb":
        value = _next(arguments)
        if kind == "b":
            value = unescaped(value, zero_octal=True)
        return _padded(value if places is None else value[:places], flags, columns)
    if kind in "diouxX":
        return _whole(kind, flags, columns, places, _integer(_next(arguments), complain))
    if kind in "feEgGF":
        number = _real(_next(arguments), complain)
        shown = f"%{flags}{columns or ''}.{6 if places is None else places}{kind}"
        return shown % number
    raise _InvalidFormat


def _padded(text: str, flags: str, columns: int) -> str:
    return text.ljust(columns) if "-" in flags else text.rjust(columns)


def _whole(kind: str, flags: str, columns: int, places: int | None, number: int) -> str:
    if kind in "ouxX" and number < 0:
        number += 1 << 64
    base = {"o": "o", "x": "x", "X": "X"}.get(kind, "d")
    digits = f"{abs(number):{base}}"
    if places is not None:
        digits = digits.rjust(places, "0")
    sign = "-" if number < 0 else "+" if "+" in flags else " " if " " in flags else ""
    if "#" in flags and number:
        sign += {"x": "0x", "X": "0X", "o": "0"}.get(kind, "")
    if "0" in flags and "-" not in flags and places is None:
        digits = digits.rjust(columns - len(sign), "0")
    return _padded(sign + digits, flags, columns)


def _integer(text: str, complain: Callable[[str], object]) -> int:
    if text[:1] in {"'", '"'}:
        return ord(text[1]) if len(text) > 1 else 0
    stripped = text.strip()
    if re.fullmatch(r"[-+]?0[xX][0-9a-fA-F]{1,16}", stripped):
        return int(stripped, 16)
    if re.fullmatch(r"[-+]?0[0-7]{1,22}", stripped):
        return int(stripped, 8)
    if re.fullmatch(r"[-+]?\d{1,19}", stripped):
        return int(stripped)
    if text:
        complain(f"invalid number '{text}'")
    return 0


def _real(text: str, complain: Callable[[str], object]) -> float:
    if not text:
        return 0.0
    try:
        return float(text[:300])
    except ValueError:
        complain(f"invalid number '{text}'")
        return 0.0
