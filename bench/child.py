"""Fresh processes, each with the caches that a measurement wants."""

from __future__ import annotations

import os
import subprocess
import sys

from daemon import socket_path

# The kernel's own VmHWM (the peak so far) and VmRSS (now): ru_maxrss is at least what the parent
# held when it forked.
RESIDENT = """
def resident(kind):
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith(kind)).split()[1]) * 1024
"""


def run(program: str, cache: str) -> list[str]:
    """Run a Python program and return the words that it prints.

    ``cache`` is dynadock's folder of compiled documents. Python's own cache of compiled modules is
    in use, as after any installation: a first run fills it, and is not to be counted.
    """
    environment = {
        **os.environ,
        "DOCKER_HOST": f"unix://{socket_path()}",
        "DYNADOCK_CACHE": cache,
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", program]
    finished = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return finished.stdout.decode().split()
