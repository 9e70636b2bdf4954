"""How a script's commands end other than by their last one."""

from __future__ import annotations


class Failure(Exception):
    """What ends a shell that runs a script, in its words; at a prompt it ends the line."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


class Leave(Exception):
    """``exit``."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Return(Exception):
    """``return`` from a function or a file."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Jump(Exception):
    """``break`` or ``continue``, out of so many loops."""

    def __init__(self, levels: int, *, again: bool) -> None:
        super().__init__(levels)
        self.levels = levels
        self.again = again


class Interrupted(Exception):
    """Somebody pressed Ctrl-C at a prompt."""
