"""The first minutes with dynadock, on a real engine or, where none answers, on the embedded one.

On a real engine it only reads; nothing is created or changed there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dynadock import (
    DynadockError,
    EndpointError,
    ParameterError,
    TransportError,
    Unsupported,
    execute,
    load,
)
from dynadock.spec.versions import parse_version

if TYPE_CHECKING:
    from dynadock import Client

NO_ENGINE = """\
No engine answers: {reason}

So this is the embedded engine: it runs in this process, and simulates containers.
For a real one, start it (on Debian: sudo apt-get install docker.io) or set
DOCKER_HOST=unix:///path/of.sock, and run this again. docs/embedded.md tells more of this one.
"""


def main() -> int:
    """Show versions, containers, another API version, a search, and a wrong call."""
    try:
        client = load()
    except (TransportError, EndpointError, Unsupported) as error:
        print(NO_ENGINE.format(reason=error))
        client = load(host="embedded://")
        print(f'>>> client = load(host="embedded://")\n{client}\n')
        run_a_container(client)
    except DynadockError as error:
        print(error, file=sys.stderr)
        return 1
    else:
        print(f">>> client = load()\n{client}\n")
    look_around(client)
    return 0


def run_a_container(client: Client) -> None:
    """Create and start a container, read what it writes, and run something else in it."""
    script = "echo it runs; sleep 600"
    print(f'>>> client.ContainerCreate(name="web", Image="busybox", Cmd=["sh", "-c", {script!r}])')
    print(client.ContainerCreate(name="web", Image="busybox", Cmd=["sh", "-c", script]))
    print('>>> client.ContainerStart("web")')
    client.ContainerStart("web")
    print('>>> client.ContainerLogs("web", stdout=True).text()')
    print(repr(client.ContainerLogs("web", stdout=True).text()))
    print('>>> execute(client, "web", ["wc", "-c"], stdin=b"12345")')
    print(execute(client, "web", ["wc", "-c"], stdin=b"12345"), "\n")


def look_around(client: Client) -> None:
    """Read what an engine says of itself, and call it in a wrong way."""
    version = client.SystemVersion()
    print(f">>> client.SystemVersion()\nengine {version.Version}, API {version.ApiVersion}\n")

    print(">>> client.ContainerList(all=True)")
    containers = client.ContainerList(all=True)
    print(f"{len(containers)} of them")
    for container in containers:
        print(f"{container.Id[:12]}  {container.Image:20}  {container.State:10}  {container.Names}")
    print()

    oldest = version.get("MinAPIVersion", client.version)
    older = client.at(max(oldest, "1.30", key=parse_version))
    print(
        f'>>> client.at("{older.version}").ContainerList()   # {len(older.operations)} operations'
    )
    print(f"{len(older.ContainerList())} running\n")

    print('>>> client.find("volume create")')
    print(client.find("volume create")[:2], "\n")

    print('>>> client.ContainerList(al=True, limit="ten")')
    try:
        client.ContainerList(al=True, limit="ten")
    except ParameterError as error:
        print(f"ParameterError: {error}")


if __name__ == "__main__":
    sys.exit(main())
