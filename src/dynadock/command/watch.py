"""``watch``: a proxy between any client and an engine, and what it has seen."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dynadock.atomic import replacing
from dynadock.command.running import (
    leave_signals_to_waiting,
    listening_address,
    or_say,
    read_range,
    run,
    serve_until_told,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.compat.watch import Certificates, Watch
    from dynadock.spec.versions import VersionRange

_SWITCHES = 0.0005
"""Seconds after which a thread lets another run: passing bytes on must not wait for reading."""

_FORMS: dict[str, Callable[[Watch], str]] = {
    ".html": lambda watch: watch.html(),
    ".json": lambda watch: json.dumps(watch.as_dict(), indent=1) + "\n",
    ".txt": lambda watch: watch.report() + "\n",
}


def _report_path(_ctx: click.Context, _param: click.Parameter, path: str | None) -> str | None:
    """Refuse a report of a form that there is not."""
    if path is not None and Path(path).suffix not in _FORMS:
        raise click.BadParameter(f"{path}: its name ends in .html, .json or .txt")
    return path


@click.command(
    context_settings={"allow_interspersed_args": False},
    short_help="Stand between any client and an engine, and tell what passes.",
)
@listening_address
@click.option(
    "--to",
    metavar="ADDRESS",
    help="The engine, embedded:// for one in memory. By default that of the environment.",
)
@click.option(
    "--api",
    "versions",
    callback=read_range,
    metavar="FIRST-LAST",
    help="API versions that the report is about, such as 1.30-1.45; all by default.",
)
@click.option(
    "--pin",
    metavar="VERSION",
    help="Have the engine seem to speak no newer version than this.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Keep the exchanges, secrets masked; `serve --replay` answers them again.",
)
@click.option(
    "--report",
    "path",
    callback=_report_path,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the report to a file, .html, .json or .txt, rather than print it.",
)
@click.option("--tlscert", type=click.Path(), metavar="FILE", help="Our certificate, for TLS.")
@click.option("--tlskey", type=click.Path(), metavar="FILE", help="Its key.")
@click.option(
    "--tlscacert",
    type=click.Path(),
    metavar="FILE",
    help="Who signs the certificates that clients need then.",
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Listen at addresses that other machines can reach. Whoever reaches it may do anything"
    " with the engine.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def watch(
    *,
    address: str | None,
    to: str | None,
    versions: VersionRange | None,
    pin: str | None,
    record: str | None,
    path: str | None,
    tlscert: str | None,
    tlskey: str | None,
    tlscacert: str | None,
    allow_remote: bool,
    command: tuple[str, ...],
) -> None:
    """Stand between any client and an engine, pass everything through, and tell what passed.

    The report says what the client uses, which versions of the API have all of that, and where the
    engine answers otherwise than its document says. Without COMMAND it is made at Ctrl-C. With
    COMMAND that is run with DOCKER_HOST set, and the report goes to stderr behind its output; the
    exit code is the command's:

        python -m dynadock watch --to embedded:// -- docker run busybox echo hello
    """
    from dynadock.compat import watch as home

    certificates = _certificates(tlscert, tlskey, tlscacert)
    if not command:
        leave_signals_to_waiting()
    sys.setswitchinterval(_SWITCHES)
    code = 0
    with or_say(
        lambda: home.watch(
            to,
            address,
            api=None if versions is None else str(versions),
            pin=pin,
            record=record,
            certificates=certificates,
            allow_remote=allow_remote,
        )
    ) as watching:
        if command:
            code = run(command, watching.url, keeps_tls=certificates is not None)
        else:
            serve_until_told(watching.url)
    _tell(watching, path, to_stderr=bool(command))
    sys.exit(code)


def _certificates(
    certificate: str | None, key: str | None, authorities: str | None
) -> Certificates | None:
    from dynadock.compat.watch import Certificates

    if certificate is None and key is None and authorities is None:
        return None
    if certificate is None or key is None:
        raise click.UsageError("TLS takes both --tlscert and --tlskey")
    return Certificates(certificate, key, authorities or "")


def _tell(watching: Watch, path: str | None, *, to_stderr: bool) -> None:
    if path is None:
        click.echo(watching.report(), err=to_stderr)
        return
    text = _FORMS[Path(path).suffix](watching)
    try:
        with replacing(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
