"""The first minutes with dynadock: ask a real engine, through a client built from a document.

Reads only; nothing is created or changed at the engine.
"""

from __future__ import annotations

import sys

from dynadock import DynadockError, EndpointError, ParameterError, TransportError, Unsupported, load
from dynadock.spec.versions import parse_version

HELP = """\
No engine answers: {reason}
Start one (on Debian: sudo apt-get install docker.io), or set DOCKER_HOST=unix:///path/of.sock"""


def main() -> int:
    """Show versions, containers, another API version, a search, and a wrong call."""
    try:
        client = load()
    except (TransportError, EndpointError, Unsupported) as error:
        print(HELP.format(reason=error), file=sys.stderr)
        return 1
    except DynadockError as error:
        print(error, file=sys.stderr)
        return 1

    print(f">>> client = load()\n{client}\n")

    version = client.SystemVersion()
    print(f">>> client.SystemVersion()\nengine {version.Version}, API {version.ApiVersion}\n")

    print(">>> client.ContainerList(all=True)")
    containers = client.ContainerList(all=True)
    print(f"{len(containers)} containers")
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
    print(client.find("volume create")[0], "\n")

    print('>>> client.ContainerList(al=True, limit="ten")')
    try:
        client.ContainerList(al=True, limit="ten")
    except ParameterError as error:
        print(f"ParameterError: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
