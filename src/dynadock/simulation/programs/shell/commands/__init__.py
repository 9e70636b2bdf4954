"""The commands of busybox: which there are, and the module that each is in.

A module is loaded when one of its commands first runs, since few programs need more than one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.invocation import CommandFunction

_MODULES = {
    "plain": "echo printf true false test [ [[ yes sleep usleep seq expr sh ash busybox",
    "texts": "cat less more head tail wc tac rev nl tee dd cmp",
    "fields": "cut tr sort uniq paste fold",
    "searching": "grep egrep fgrep",
    "sed": "sed",
    "awk": "awk",
    "archives": "tar gzip gunzip zcat",
    "naming": "basename dirname readlink realpath",
    "changing": ("mkdir rmdir rm unlink cp mv ln touch chmod chown chgrp mktemp truncate"),
    "folders": "ls find stat du df",
    "digests": "md5sum sha1sum sha256sum sha512sum base64",
    "network": "nc wget ping ping6 nslookup telnet httpd ftpget ip ifconfig route netstat",
    "system": (
        "whoami id groups hostname pwd uname nproc env printenv date kill killall pidof ps which "
        "time timeout nohup nice setsid stdbuf xargs tty stty clear reset sync uptime"
    ),
}

APPLETS = {name: module for module, names in _MODULES.items() for name in names.split()}
"""Each command, and the module with the function ``run_NAME``."""

_ALIASES = {
    "[": "test",
    "[[": "test",
    "ash": "sh",
    "less": "cat",
    "more": "cat",
    **dict.fromkeys(("egrep", "fgrep"), "grep"),
    **dict.fromkeys(("md5sum", "sha1sum", "sha256sum", "sha512sum"), "digest"),
    **dict.fromkeys(_MODULES["network"].split(), "network"),
}
"""Commands of one function, which looks at the name that it has been called by."""


def is_applet(name: str) -> bool:
    """Tell whether busybox has a command of this name."""
    return name in APPLETS


def command_of(name: str) -> CommandFunction:
    """Return what a command does."""
    module = import_module(f"{__name__}.{APPLETS[name]}")
    function: CommandFunction = getattr(module, f"run_{_ALIASES.get(name, name)}")
    return function
