"""`python -m dynadock`."""

from __future__ import annotations

from dynadock.command.app import app

app(prog_name="python -m dynadock")
