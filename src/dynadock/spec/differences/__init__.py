"""What differs between two versions: rows with place, direction, kind and severity.

`compare` takes two Specs and gives a list of `Difference`. The kinds, and what each means to a
program that was written for the older version, are data: ``specs/severities.yaml``.
"""

from __future__ import annotations

from dynadock.spec.differences.comparison import compare as compare
from dynadock.spec.differences.rows import Difference as Difference
from dynadock.spec.differences.rows import Use as Use
