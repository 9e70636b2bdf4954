"""Notebooks: runs their cells in a kernel of their own, and keeps what they show.

To put real output into one, on the engine at ``DOCKER_HOST``::

    PYTHONPATH=tests .venv/bin/python -m notebooks docs/tour.ipynb

A cell tagged ``varies`` shows something else each time, which is not compared.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

import dynadock
from sessions import (
    HOST_SHOWN,
    STAND_INS,
    Missing,
    agree,
    here,
    is_of_the_guide,
    swept,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIES = "varies"
TEXT = "text/plain"
RICH = "text/html"
_SECONDS = 120
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def read(path: Path) -> Any:
    """Return the notebook at ``path``."""
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    """Return the cells that are run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(notebook: Any, folder: Path) -> Any:
    """Run a copy and return it with what was shown; a cell that raises raises CellExecutionError.

    The kernel works in ``folder``, which is to be the notebook's own: there Jupyter starts kernels.
    Cells that need a registry are left out where there is none.
    """
    fresh = nbformat.from_dict(notebook)
    missing = Missing()
    fresh.cells = [cell for cell in code_cells(fresh) if not missing.stops(cell.source)]
    sources = [cell.source for cell in fresh.cells]
    for cell in fresh.cells:
        cell.source = here(cell.source)
    NotebookClient(
        fresh,
        timeout=_SECONDS,
        kernel_name=_KERNEL["name"],
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
    ).execute()
    for cell, source in zip(fresh.cells, sources, strict=True):
        cell.source = source
        cell.outputs = [_as_notebooks_show(output) for output in _joined(cell.outputs)]
    return fresh


def _joined(outputs: list[Any]) -> Iterator[Any]:
    """Yield outputs, with those of one stream together: how they are cut depends on the time."""
    last = None
    for output in outputs:
        if last is not None and _stream(output) and _stream(output) == _stream(last):
            last.text += output.text
            continue
        if last is not None:
            yield last
        last = output
    if last is not None:
        yield last


def _stream(output: Any) -> str | None:
    """Return which stream an output is a piece of, None for what is none."""
    return output.name if output.output_type == "stream" else None


def _as_notebooks_show(value: Any) -> Any:
    """Return an output with nothing of this machine in it."""
    if isinstance(value, dict):
        return type(value)({name: _as_notebooks_show(each) for name, each in value.items()})
    if not isinstance(value, str):
        return value
    for shown, variable in {**STAND_INS, HOST_SHOWN: "DOCKER_HOST"}.items():
        value = value.replace(os.environ.get(variable) or shown, shown)
    return value


def shown(cell: Any) -> list[tuple[tuple[str, ...], str]]:
    """Return what a cell shows: for each output its kinds, and its text."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append(((output.name,), output.text))
        else:
            data = output.get("data", {})
            found.append((tuple(sorted(data)), data.get(TEXT, "")))
    return found


def differences(notebook: Any, fresh: Any) -> Iterator[str]:
    """Yield what a fresh run of a notebook shows otherwise than the notebook."""
    stored = {cell.id: cell for cell in code_cells(notebook)}
    for cell in fresh.cells:
        if VARIES in cell.metadata.get("tags", ()):
            continue
        before, now = shown(stored[cell.id]), shown(cell)
        kinds_agree = [kinds for kinds, _ in before] == [kinds for kinds, _ in now]
        if not kinds_agree or not all(
            agree(printed, want) for (_, want), (_, printed) in zip(before, now, strict=True)
        ):
            yield f"{cell.source}\n--- stored\n{before}\n--- shown\n{now}"


def write(path: Path) -> None:
    """Run the notebook at ``path`` and put what was shown into it."""
    notebook = read(path)
    fresh = {cell.id: cell for cell in run(notebook, path.parent).cells}
    for count, cell in enumerate(code_cells(notebook), 1):
        if cell.id in fresh:
            cell.outputs = fresh[cell.id].outputs
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    notebook.metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with swept(dynadock.load(), is_of_the_guide):
            write(Path(name).resolve())
