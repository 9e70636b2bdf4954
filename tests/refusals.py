"""What engines refuse before they look for anything, as data: requests, statuses and words.

``tests/cases/refused/requests.json`` is what Docker 26.1 answers at API 1.45. Its words are
compared without the names of Go's types and of fields of its structs, which are its own.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

CASES = json.loads(
    (Path(__file__).parent / "cases" / "refused" / "requests.json").read_text(encoding="utf-8")
)
VERSION = "1.45"

_NAMES_OF_GO = re.compile(r"(?<=into Go) .*")
_BYTE = re.compile(r"(?<=illegal base64 data) at input byte \d+")


def name_of(case: dict[str, Any]) -> str:
    return f"{case['method']} {case['target']} {case.get('body', '')}"


def headers_of(case: dict[str, Any]) -> dict[str, str]:
    return {"Content-Type": case["type"]} if case.get("type") else {}


def compared(words: str) -> str:
    """Return the part of an answer's words that is compared."""
    return _BYTE.sub("", _NAMES_OF_GO.sub("", words))
