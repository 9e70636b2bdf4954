"""``diff``: what differs between two versions of the API."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dynadock.errors import DynadockError
from dynadock.explore.difference_views import WIDEST
from dynadock.explore.differences import diff as differences_of
from dynadock.spec.differences.severities import BREAKING, SEVERITIES

if TYPE_CHECKING:
    from dynadock.explore.differences import Differences

_COLORS = {"breaking": "red", "risky": "yellow", "harmless": "green"}
_FORMATS = ("text", "markdown", "json", "html")


@click.command(short_help="Show what differs between two versions of the API.")
@click.argument("old")
@click.argument("new")
@click.argument("name", required=False)
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), default="text", help="Text by default."
)
@click.option("-o", "--output", metavar="FILE", help="Write to a file.")
@click.option("--raw", is_flag=True, help="Compare the documents without our corrections.")
@click.option("--only", type=click.Choice(SEVERITIES), help="Show those of one severity.")
@click.option(
    "--exit-code",
    is_flag=True,
    help="End with 1 if there is a breaking difference; with --only, if there is one of those.",
)
def diff(
    *,
    old: str,
    new: str,
    name: str | None,
    form: str,
    output: str | None,
    raw: bool,
    only: str | None,
    exit_code: bool,
) -> None:
    """Show what differs between two versions of the API, from OLD to NEW.

    Each is a version, such as 1.40, or a document's file. NAME narrows it down to an operation
    (ContainerCreate), a definition (HostConfig) or a field of one (HostConfig.Memory).

        python -m dynadock diff 1.40 1.42 ContainerCreate
    """
    try:
        found = differences_of(old, new, raw=raw)
        found = found.of(name) if name else found
    except DynadockError as error:
        raise click.ClickException(str(error)) from error
    shown = found.only(only) if only else found
    text = _written(shown, form, is_file=output is not None)
    if output is not None:
        try:
            Path(output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    else:
        click.echo(text, nl=not text.endswith("\n"))
    if exit_code and found.only(only or BREAKING):
        sys.exit(1)


def _written(differences: Differences, form: str, *, is_file: bool) -> str:
    if form == "markdown":
        return differences.markdown()
    if form == "json":
        return differences.json() + "\n"
    if form == "html":
        return differences.html()
    text = differences.text(WIDEST if is_file else None)
    return f"{text}\n" if is_file else "\n".join(map(_colored, text.split("\n")))


def _colored(line: str) -> str:
    """Give the headings of severities a color, which click shows on terminals alone."""
    severity = line.partition(":")[0].lower()
    color = _COLORS.get(severity)
    return click.style(line, fg=color, bold=True) if color else line
