"""Completion for whoever is at a prompt, whichever that is."""

from __future__ import annotations

import sys

from dynadock.errors import Unsupported


def enable_completion() -> None:
    """Let the Tab key complete what stands in calls, at the prompt that this process has.

    Keys of bodies at any depth, fixed values of arguments, versions, operations by name, and the
    fields of a reply that nobody has asked for yet. Nothing is sent for that. In IPython and
    Jupyter it is what ``%load_ext dynadock`` does. Raises Unsupported where Python has no readline,
    as on Windows before 3.13.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        from dynadock.prompt.ipython import add_to

        add_to(shell)
        return
    try:
        import readline
    except ImportError:
        raise Unsupported("there is no readline here, with which lines are completed") from None
    import __main__
    from dynadock.prompt.plain import complete_in

    complete_in(readline, vars(__main__))
    # The prompt that Python has since 3.13 has a readline of its own, and loads it before this.
    own = sys.modules.get("_pyrepl.readline")
    if own is not None:
        complete_in(own, vars(__main__))
