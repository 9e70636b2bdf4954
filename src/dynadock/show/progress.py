"""Progress of pulls, pushes and builds on a terminal, while it happens."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, TextIO

    from rich.console import Console
    from rich.progress import Progress, TaskID


class Board(Protocol):
    """Shows the values of a progress stream, one after the other."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def note(self, value: Any) -> None:
        """Show what a value says."""


def board(file: TextIO | None = None) -> Board:
    """Return what shows progress on ``file``, stdout by default.

    On a terminal or in a notebook there are bars for layers if rich is installed (the extra
    ``rich``; in a notebook ipywidgets, too), else lines. To any other file nothing is written.
    """
    is_in_notebook = file is None and _is_in_notebook()
    file = sys.stdout if file is None else file
    if not is_in_notebook and not file.isatty():
        return Quiet()
    try:
        # rich is an extra.
        from rich.console import Console
    except ImportError:
        return Lines(file)
    if is_in_notebook and find_spec("ipywidgets") is None:
        return Lines(file)
    return Bars(Console(file=file))


def _is_in_notebook() -> bool:
    """Tell whether this process is a notebook's kernel, without importing IPython."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def note(self, value: Any) -> None:
        """Show nothing of a value."""


class Lines(Quiet):
    """Writes a line for each value, but none for how far a layer is."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def note(self, value: Any) -> None:
        """Write a value's text, if it has one and no amounts."""
        text = said(value)
        if text and not _amounts(value):
            layer = _layer(value)
            line = f"{layer}: {text}" if layer else text
            self._file.write(line if line.endswith("\n") else f"{line}\n")
            self._file.flush()


class Bars:
    """Shows a bar for each layer, drawn by rich, and above the bars lines about the whole."""

    def __init__(self, console: Console) -> None:
        # rich is an extra.
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
        )

        self._progress: Progress = Progress(
            TextColumn("{task.fields[layer]}"),
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._progress.stop()

    def note(self, value: Any) -> None:
        """Show a value: in its layer's bar, or as a line above the bars if it has no layer."""
        text, layer = said(value), _layer(value)
        if not text:
            return
        if not layer:
            self._progress.console.print(text.rstrip("\n"), markup=False, highlight=False)
            return
        if layer not in self._tasks:
            self._tasks[layer] = self._progress.add_task(text, total=None, layer=layer)
        current, total = _amounts(value) or (None, None)
        task = self._tasks[layer]
        if current is None:
            done = self._progress.tasks[self._progress.task_ids.index(task)].total or 1
            self._progress.update(task, description=text, completed=done, total=done)
        else:
            self._progress.update(task, description=text, completed=current, total=total)


def said(value: Any) -> str:
    """Return the text of a progress stream's value: a build's output, or a pull's status."""
    if not isinstance(value, dict):
        return str(value)
    text = value.get("stream") or value.get("status") or ""
    return text if isinstance(text, str) else str(text)


def _layer(value: Any) -> str:
    """Return the layer that a status is about, nothing if it is about the whole."""
    layer = value.get("id") if isinstance(value, dict) and "status" in value else None
    return layer if isinstance(layer, str) else ""


def _amounts(value: Any) -> tuple[int, int | None] | None:
    """Return how many bytes of a layer are done and how many it has, None where not reported."""
    detail = value.get("progressDetail") if isinstance(value, dict) else None
    if not isinstance(detail, dict) or not isinstance(detail.get("current"), int):
        return None
    total = detail.get("total")
    return detail["current"], total if isinstance(total, int) and total > 0 else None
