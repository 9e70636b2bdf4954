"""Commands about paths: basename, dirname, readlink, realpath."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell.invocation import UsageError

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.invocation import Invocation


def run_basename(invocation: Invocation) -> int:
    """Print a path's last name without a suffix."""
    options = invocation.options("as:")
    operands = options.operands
    if not operands or (len(operands) > 2 and "a" not in options and "s" not in options):  # noqa: PLR2004
        raise UsageError
    suffix = options.values.get("s", "")
    names = operands
    if "a" not in options and "s" not in options:
        names = operands[:1]
        suffix = operands[1] if len(operands) > 1 else ""
    for name in names:
        last = name.rstrip("/").rpartition("/")[2] or ("/" if name.startswith("/") else "")
        invocation.print(last.removesuffix(suffix) if last != suffix else last)
    return 0


def run_dirname(invocation: Invocation) -> int:
    """Print a path without its last name."""
    if len(invocation.arguments) != 1:
        raise UsageError
    name = invocation.arguments[0]
    bare = name.rstrip("/")
    head = bare.rpartition("/")[0].rstrip("/")
    if not head:
        head = "/" if name.startswith("/") else "."
    invocation.print(head)
    return 0


def run_readlink(invocation: Invocation) -> int:
    """Print where a link points; -f the real path."""
    options = invocation.options("fnvse", {"canonicalize": "f"})
    if len(options.operands) != 1:
        raise UsageError
    name = options.operands[0]
    end = "" if "n" in options else "\n"
    files = invocation.disk.files
    try:
        if "f" in options:
            shown = _real(invocation, name)
        else:
            shown = files.stat(invocation.disk.path(name), follow=False).target
    except OSError:
        return 1
    if not shown:
        return 1
    invocation.print(shown, end=end)
    return 0


def _real(invocation: Invocation, name: str) -> str:
    """Return the real path of something of which only the last name may be missing."""
    files = invocation.disk.files
    path = invocation.disk.path(name)
    try:
        return files.resolve(path)
    except FileNotFoundError:
        head, _, last = path.rstrip("/").rpartition("/")
        return f"{files.resolve(head or '/').rstrip('/')}/{last}"


def run_realpath(invocation: Invocation) -> int:
    """Print real paths."""
    if not invocation.arguments:
        raise UsageError
    for name in invocation.options("").operands:
        try:
            real = invocation.disk.files.resolve(invocation.disk.path(name))
            invocation.stat(name)
        except OSError as error:
            invocation.warn_of(name, error)
        else:
            invocation.print(real)
    return invocation.status
