"""``openapi``: a version's document as OpenAPI 3.1, for other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dynadock.atomic import replacing
from dynadock.errors import DynadockError
from dynadock.explore.openapi import openapi as document_of


@click.command(short_help="Write the document of an API version as OpenAPI 3.1.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "yaml"]),
    help="By default what the file's name ends with, else json.",
)
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Where to write; by default to the terminal.",
)
@click.option("--no-descriptions", is_flag=True, help="Leave out all texts.")
@click.argument("source", metavar="VERSION|FILE")
def openapi(*, form: str | None, path: str | None, no_descriptions: bool, source: str) -> None:
    """Write the document of an API version, or of a file, as OpenAPI 3.1.

    It holds all corrections that are known, and texts about operations, parameters and fields:

        python -m dynadock openapi 1.42 -o engine.yaml
    """
    try:
        document = document_of(source, descriptions=not no_descriptions)
    except DynadockError as error:
        raise click.ClickException(str(error)) from error
    if form is None:
        form = "yaml" if path and path.endswith((".yaml", ".yml")) else "json"
    text = _as_yaml(document) if form == "yaml" else _as_json(document)
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        _write(path, text)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error


def _as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _as_yaml(document: dict[str, Any]) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=100))


def _write(path: str, text: str) -> None:
    target = Path(path)
    if target.exists() and not target.is_file():
        # A device or a pipe is not to be replaced by a file.
        target.write_text(text, encoding="utf-8")
    else:
        with replacing(path) as file:
            file.write(text.encode())
