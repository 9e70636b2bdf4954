r"""A terminal as a process sees it: lines, echo, and the keys that are signals.

What Linux's line discipline does in its usual mode (termios(3)): what is typed is echoed, and given
to the program line by line; ^C and ^\ are signals, ^D ends the input where a line begins, and the
erase key takes back a character. Output's line ends become CR LF.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.programs.process import Stdin

_SIGNALS = {0x03: "INT", 0x1C: "QUIT"}
_END = 0x04
_LINE_END = 0x0A
_ERASE = (0x08, 0x7F)
_KILL_LINE = 0x15
_FIRST_PRINTABLE = 0x20
_TAB = 0x09

LONGEST_LINE = 4096
"""Bytes of a line that is typed; what is typed beyond is lost (MAX_CANON of Linux)."""


def for_terminal(data: bytes) -> bytes:
    """Return output as a terminal gets it: each LF becomes CR LF."""
    return data.replace(b"\n", b"\r\n")


class Terminal:
    """The terminal of one process: from keys to its input, its echo and its signals."""

    def __init__(
        self, stdin: Stdin, echo: Callable[[bytes], None], signal: Callable[[str], None]
    ) -> None:
        self._stdin = stdin
        self._echo = echo
        self._signal = signal
        self._line = bytearray()

    def type_in(self, data: bytes) -> None:
        """Take what is typed."""
        echo = bytearray()
        for key in data.replace(b"\r", b"\n"):
            if key >= _FIRST_PRINTABLE and key not in _ERASE:
                self._add(key, echo)
            else:
                echo += self._press(key)
        if echo:
            self._echo(bytes(echo))

    def _add(self, key: int, echo: bytearray) -> None:
        if len(self._line) < LONGEST_LINE - 1:
            self._line.append(key)
            echo.append(key)

    def _press(self, key: int) -> bytes:
        """Do what a key means that is no character; return its echo."""
        line = self._line
        if key == _LINE_END:
            self._stdin.feed(bytes(line) + b"\n")
            line.clear()
            return b"\r\n"
        if key in _SIGNALS:
            line.clear()
            self._signal(_SIGNALS[key])
            return b"^" + bytes([key + 0x40])
        if key == _END:
            if line:
                self._stdin.feed(bytes(line))
                line.clear()
            else:
                self._stdin.feed_end()
            return b""
        if key in _ERASE:
            erased = line[-1:]
            del line[-1:]
            return b"\b \b" if erased else b""
        if key == _KILL_LINE:
            count = len(line)
            line.clear()
            return b"\b \b" * count
        line.append(key)
        return bytes([key]) if key == _TAB else b"^" + bytes([key + 0x40])
