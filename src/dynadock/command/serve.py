"""``serve``: an engine in memory at a socket, for any client, or for one command."""

from __future__ import annotations

import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from dynadock.command.running import (
    leave_signals_to_waiting,
    listening_address,
    or_say,
    read_range,
    run,
    serve_until_told,
)

if TYPE_CHECKING:
    from dynadock.compat.replaying import Replay
    from dynadock.embedded.server import Server
    from dynadock.spec.versions import VersionRange


@click.command(
    context_settings={"allow_interspersed_args": False},
    short_help="Serve an engine that lives in memory.",
)
@click.option(
    "--api",
    "versions",
    callback=read_range,
    metavar="FIRST-LAST",
    help="API versions that the engine speaks, such as 1.30-1.45 or 1.41; all by default.",
)
@listening_address
@click.option("--seed", metavar="TEXT", help="Make ids and names the same each time.")
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse what the API's documents do not know or do not allow, to test a client.",
)
@click.option(
    "--replay",
    "recording",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Answer as a recording of `watch --record` has it, and nothing else (501).",
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Listen at addresses that other machines can reach. Whoever reaches the engine may do"
    " anything with it.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def serve(
    *,
    versions: VersionRange | None,
    address: str | None,
    seed: str | None,
    strict: bool,
    recording: str | None,
    allow_remote: bool,
    command: tuple[str, ...],
) -> None:
    """Serve an engine that lives in memory, for the docker command and any other client.

    It needs no Docker and no rights, knows a small busybox, and forgets everything when it ends.
    Without COMMAND it prints the line that makes clients find it, and serves until Ctrl-C. With
    COMMAND it runs that with DOCKER_HOST set, and ends with its exit code:

        python -m dynadock serve -- docker run busybox echo hello
    """
    if recording is not None and (versions or seed or strict):
        raise click.UsageError("--replay answers as it was recorded: no --api, --seed, --strict")
    if not command:
        leave_signals_to_waiting()

    def server(where: str) -> Replay | Server:
        if recording is not None:
            from dynadock.compat.replaying import Replay

            return Replay(recording, where, allow_remote=allow_remote)
        from dynadock.embedded.server import Server
        from dynadock.simulation.engine import SimulatedEngine

        engine = SimulatedEngine(versions=versions, seed=seed, strict=strict)
        return Server(engine, where, allow_remote=allow_remote)

    with TemporaryDirectory(prefix="dynadock-") as folder:
        where = address or f"unix://{folder}/engine.sock"
        with or_say(lambda: server(where)) as serving:
            if command:
                sys.exit(run(command, serving.url))
            serve_until_told(serving.url)
