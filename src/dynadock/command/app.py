"""The group of commands that ``python -m dynadock`` has."""

from __future__ import annotations

import click

from dynadock import __version__
from dynadock.command.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dynadock")
def app() -> None:
    """Work with container engines, and with one that needs no Docker."""


app.add_command(serve)
