"""What may be shown of an error: all that hangs on it, and the local variables of our lines."""

from __future__ import annotations

import traceback
from pathlib import Path

from rich.pretty import pretty_repr

import dynadock
from secret_values import is_told_by

PACKAGE = str(Path(dynadock.__file__).parent)


def shown_by(error):
    """Yield it all as texts, as pytest's ``-l`` and rich's ``show_locals`` write them."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename.startswith(PACKAGE):
                for name, value in frame.f_locals.items():
                    yield f"{frame.f_code.co_name}: {name}={value!r}"
                    yield f"{frame.f_code.co_name}: {name}={pretty_repr(value, max_string=20)}"
        error = error.__cause__ or error.__context__


def check_hidden(error):
    """Assert that nothing of it tells a secret."""
    assert [text for text in shown_by(error) if is_told_by(text)] == []
