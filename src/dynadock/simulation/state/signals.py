"""Linux's signals: their names and numbers, and what engines take for one."""

from __future__ import annotations

import re

_FIRST_REAL_TIME = 34
_LAST_REAL_TIME = 64
_MIDDLE = 49

SIGNALS = {
    "HUP": 1,
    "INT": 2,
    "QUIT": 3,
    "ILL": 4,
    "TRAP": 5,
    "ABRT": 6,
    "BUS": 7,
    "FPE": 8,
    "KILL": 9,
    "USR1": 10,
    "SEGV": 11,
    "USR2": 12,
    "PIPE": 13,
    "ALRM": 14,
    "TERM": 15,
    "STKFLT": 16,
    "CHLD": 17,
    "CONT": 18,
    "STOP": 19,
    "TSTP": 20,
    "TTIN": 21,
    "TTOU": 22,
    "URG": 23,
    "XCPU": 24,
    "XFSZ": 25,
    "VTALRM": 26,
    "PROF": 27,
    "WINCH": 28,
    "IO": 29,
    "PWR": 30,
    "SYS": 31,
    "RTMIN": _FIRST_REAL_TIME,
    **{
        f"RTMIN+{each - _FIRST_REAL_TIME}": each
        for each in range(_FIRST_REAL_TIME + 1, _MIDDLE + 1)
    },
    **{f"RTMAX-{_LAST_REAL_TIME - each}": each for each in range(_MIDDLE + 1, _LAST_REAL_TIME)},
    "RTMAX": _LAST_REAL_TIME,
}
"""Linux's signals by their names without SIG."""

_NAMES = {number: name for name, number in SIGNALS.items()}
_OTHER_NAMES = {"CLD": "CHLD", "IOT": "ABRT", "POLL": "IO"}
_NUMBER = re.compile("[+-]?[0-9]{1,18}")

IGNORED = frozenset({"CHLD", "CONT", "URG", "WINCH"})
"""Signals that do nothing to a process that does not handle them (signal(7)); a stop is one of the
few that is not played: containers are paused instead."""

FIRST_OF_SIGNALS = 128
"""What is added to a signal's number for the exit code of whom it ends."""


def signal_named(text: str) -> str | None:
    """Return the name without SIG of a signal that is named with or without it, or by number."""
    if _NUMBER.fullmatch(text):
        return _NAMES.get(int(text))
    name = text.upper().removeprefix("SIG")
    name = _OTHER_NAMES.get(name, name)
    return name if name in SIGNALS else None


def is_signal(text: str) -> bool:
    """Tell whether engines take a text for a signal: any number but 0, even if none has it."""
    if _NUMBER.fullmatch(text):
        return int(text) != 0
    return signal_named(text) is not None
