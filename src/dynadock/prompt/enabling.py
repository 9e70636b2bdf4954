"""Completion at a prompt: IPython's, Jupyter's or Python's own."""

from __future__ import annotations

import sys
from typing import Any

from dynadock.errors import Unsupported


def enable_completion() -> None:
    """Let the Tab key complete what is written inside calls, at this process's prompt.

    It completes keys of bodies at any depth, fixed values of arguments, versions, names of
    operations, and the fields of replies that were not requested yet. Nothing is sent for that. In
    IPython and Jupyter, it does what ``%load_ext dynadock`` does. Raises Unsupported if Python has
    no readline, as on Windows before 3.13.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        from dynadock.prompt.ipython import add_to

        add_to(shell)
        return
    import __main__
    from dynadock.prompt.plain import complete_in

    readlines = _readlines()
    if not readlines:
        raise Unsupported("there is no readline here, with which lines are completed")
    for readline in readlines:
        complete_in(readline, vars(__main__))


def _readlines() -> list[Any]:
    """Return what may read this process's lines: Python has a prompt of its own since 3.13."""
    try:
        import readline
    except ImportError:
        found: list[Any] = []
    else:
        found = [readline]
    # Which of the two is in use nobody tells; the new one is loaded where it may be.
    own = sys.modules.get("_pyrepl.readline")
    return found if own is None else [*found, own]
