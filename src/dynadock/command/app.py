"""The group of commands that ``python -m dynadock`` has."""

from __future__ import annotations

import click

from dynadock import __version__
from dynadock.command.diff import diff
from dynadock.command.openapi import openapi
from dynadock.command.serve import serve
from dynadock.command.watch import watch


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dynadock")
def app() -> None:
    """Work with container engines, and with one that needs no Docker."""


app.add_command(openapi)
app.add_command(diff)
app.add_command(serve)
app.add_command(watch)
