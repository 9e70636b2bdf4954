"""A managed plugin that does nothing: a program that listens at a socket until it is stopped.

Engines enable a plugin once something accepts connections at its socket. The images at hand have no
program for that, so it is written out here as the machine code of a static Linux executable.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from engine.things import tar_of

ARCHITECTURE = "x86_64"
SOCKET = "idle.sock"

_ADDRESS = 0x400000
_HEADERS = 64 + 56

_CODE = bytes.fromhex(
    "bf01000000"  # mov edi, AF_UNIX
    "be01000000"  # mov esi, SOCK_STREAM
    "31d2"  # xor edx, edx
    "b8290000000f05"  # socket
    "89c7"  # mov edi, eax
    "488d3559000000"  # lea rsi, [address]
    "ba6e000000"  # mov edx, 110
    "b8310000000f05"  # bind
    "be08000000"  # mov esi, 8
    "b8320000000f05"  # listen
    "31ff"  # xor edi, edi (SIG_BLOCK)
    "488d3530000000"  # lea rsi, [signals]
    "31d2"  # xor edx, edx
    "41ba08000000"  # mov r10d, 8
    "b80e0000000f05"  # rt_sigprocmask
    "488d3d1a000000"  # lea rdi, [signals]
    "31f6"  # xor esi, esi
    "31d2"  # xor edx, edx
    "41ba08000000"  # mov r10d, 8
    "b8800000000f05"  # rt_sigtimedwait
    "31ff"  # xor edi, edi
    "b83c0000000f05"  # exit
    "0040000000000000"  # signals: SIGTERM
    "0100"  # address: AF_UNIX, and the path behind it
)


def program() -> bytes:
    """Return the executable."""
    path = f"/run/docker/plugins/{SOCKET}".encode()
    code = _CODE + path.ljust(108, b"\0")
    size = _HEADERS + len(code)
    identity = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    entry = _ADDRESS + _HEADERS
    file_header = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, 0x1000)
    return identity + file_header + load + code


def archive(mark: str) -> bytes:
    """Return what PluginCreate takes: a tar archive of the plugin's config and files.

    ``mark`` makes it unlike any other: engines refuse content that they have seen before.
    """
    config: dict[str, Any] = {
        "Description": mark,
        "Interface": {"Types": ["dynadock.idle/1.0"], "Socket": SOCKET},
        "Entrypoint": ["/idle"],
        "Network": {"Type": "none"},
        "Env": [{"Name": "COLOUR", "Settable": ["value"], "Value": "red"}],
        "Linux": {"Capabilities": ["CAP_SYS_ADMIN"]},
    }
    files = {
        "config.json": json.dumps(config).encode(),
        "rootfs/idle": program(),
        "rootfs/mark": mark.encode(),
    }
    return tar_of(files, mode=0o755)
