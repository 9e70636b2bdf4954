"""A pseudo-terminal to write to, and what was written to it."""

from __future__ import annotations

import io
import os
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ESCAPE = re.compile("\x1b\\[[0-9;?]*[A-Za-z]")
"""What moves the cursor, or colours."""


class Terminal:
    """A pseudo-terminal: what is written to ``file`` is in ``text`` in the end."""

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        self.file = os.fdopen(slave, "w", encoding="utf-8")
        self._seen = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        # Linux says so with EIO when the last writer is gone.
        with io.FileIO(self._master, "r") as master:
            try:
                while piece := master.read(4096):
                    self._seen += piece
            except OSError:
                pass

    def close(self) -> None:
        self.file.close()
        self._reader.join()

    @property
    def text(self) -> str:
        return self._seen.decode().replace("\r\n", "\n")


@contextmanager
def terminal() -> Iterator[Terminal]:
    shown = Terminal()
    try:
        yield shown
    finally:
        shown.close()
