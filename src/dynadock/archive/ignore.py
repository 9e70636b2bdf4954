r"""The rules of ``.dockerignore``: which paths of a build context are excluded.

The rules are those of the docker command, compared with what its release 28.2 sends (with the
builder that takes a tar archive, ``DOCKER_BUILDKIT=0``):

- A line is a pattern, an exception if it begins with ``!``. Lines that begin with ``#`` and blank
  ones are ignored, and so are white space around a pattern, a leading and a trailing ``/``, and
  empty and ``.`` segments; ``..`` removes the segment before it.
- ``*`` stands for any text without ``/``, ``?`` for a character other than ``/``, ``[a-z]`` for a
  character of the class, ``[^a-z]`` for one outside it (``/`` too), ``\`` takes the next
  character as it is: Go's ``filepath.Match``.
- ``**`` stands for any text: ``**/x`` is an ``x`` at any depth, ``a/**`` all that is in ``a``.
- The last pattern that matches a path, or a folder above it, decides.
- An excluded folder is entered only where the text of an exception begins with the folder's own
  path; a ``**`` at its beginning does not count as that. So ``*`` and ``!**/x`` give an ``x`` at
  the top alone. (BuildKit's own transfer of folders, which is no tar archive, does enter it.)

The docker command deviates from ``filepath.Match`` for some characters: a ``*`` or ``?`` inside of
a class, ``\d``, a ``^`` beside a ``*``. Here these stand for themselves, as ``filepath.Match`` has
it. And a malformed pattern is always an error, even if no path has to be compared with it.
"""

from __future__ import annotations

import os
import posixpath
from bisect import bisect_left
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from dynadock.archive.patterns import Patterns, check, is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dynadock.archive.patterns import State

LONGEST_LINE = 65_535
"""Bytes of a line; the docker command, which reads lines with Go's bufio.Scanner, takes no more."""


class Verdict(NamedTuple):
    """Whether a path is excluded, and what is needed to decide about what is in it."""

    excluded: bool
    hits: frozenset[int]
    """Groups of patterns that say so of the path or of a folder above it."""
    path: str
    state: State


def read_ignore(text: str) -> list[str]:
    """Return the patterns of a ``.dockerignore`` file, cleaned, exceptions with their ``!``.

    ValueError names the line and the pattern that is malformed.
    """
    patterns = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        try:
            pattern = _pattern_of(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        if pattern:
            patterns.append(pattern)
    return patterns


class Ignore:
    """What ``patterns``, as ``read_ignore`` gives them, exclude; ValueError names a malformed one.

    Paths are relative to the build context, their segments joined by ``/``. That a path is a folder
    changes nothing: ``logs/`` is ``logs``, and excludes a file of that name too.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._are_exceptions: list[bool] = []
        self._plain: dict[str, list[int]] = {}
        self._exceptions: list[str] = []
        wild: list[list[str]] = []
        # Patterns of one kind in a row are a group: which of them matches makes no difference.
        for is_exception, group in groupby(patterns, _is_exception):
            number = len(wild)
            self._are_exceptions.append(is_exception)
            texts = dict.fromkeys(_checked(pattern) for pattern in group)
            wild.append([text for text in texts if not is_plain(text)])
            for text in texts:
                if is_plain(text):
                    self._plain.setdefault(text, []).append(number)
            if is_exception:
                self._exceptions += [f"{text}/" for text in texts]
        self._exceptions.sort()
        self._wild = Patterns(wild)
        self.at_the_top = Verdict(False, frozenset(), "", self._wild.start)

    def excludes(self, path: str) -> bool:
        """Tell whether ``path`` is excluded, by itself or with a folder that is not entered."""
        verdict = self.at_the_top
        place = ""
        for segment in path.split("/"):
            if verdict.excluded and not self.may_hold_exceptions(place):
                return True
            place = f"{place}/{segment}" if place else segment
            verdict = self.judge(place, verdict)
        return verdict.excluded

    def judge(self, path: str, above: Verdict) -> Verdict:
        """Decide about ``path``, given the verdict on its folder: ``at_the_top`` where it has none.

        For walks: each path is matched once, not once more for each folder above it.
        """
        state = self._wild.after(above.state, path[len(above.path) :])
        matched = {*state.matched, *self._plain.get(path, ())}
        excluded = False
        hits = set()
        for group in sorted(matched | above.hits):
            is_exception = self._are_exceptions[group]
            # Only a pattern that could change the verdict is compared. One that was not compared is
            # no hit for paths below either: of "*", "!x/y", "x", the docker command sends x/y.
            if group in above.hits or is_exception is excluded:
                hits.add(group)
            excluded = not is_exception
        return Verdict(excluded, frozenset(hits), path, state)

    def may_hold_exceptions(self, folder: str) -> bool:
        """Tell whether a walk has to enter ``folder`` though it is excluded."""
        start = f"{folder}/"
        first = bisect_left(self._exceptions, start)
        return any(text.startswith(start) for text in self._exceptions[first : first + 1])


def _pattern_of(line: str) -> str:
    """Return the pattern on a line, "" if there is none; ValueError if it is malformed."""
    if len(line) > LONGEST_LINE or len(line.encode("utf-8", "surrogateescape")) > LONGEST_LINE:
        raise ValueError(f"longer than {LONGEST_LINE} bytes, the docker command's longest line")
    pattern = line.strip()
    if line.startswith("#") or not pattern:
        return ""
    sign = "!" if pattern.startswith("!") else ""
    path = pattern.removeprefix("!").strip()
    # An "!" behind a leading slash counts: "/!x" is an exception to the docker command too.
    pattern = (sign + (path and _cleaned(path))).strip()
    if pattern:
        _checked(pattern)
    return pattern


def _cleaned(path: str) -> str:
    if os.name == "nt":
        path = path.replace("\\", "/")
    # normpath keeps two leading slashes, and none may stay; "/" alone matches nothing.
    return posixpath.normpath(path).lstrip("/") or "/"


def _is_exception(pattern: str) -> bool:
    return pattern.startswith("!")


def _checked(pattern: str) -> str:
    """Return what follows the ``!`` of an exception; ValueError if the pattern is malformed."""
    # The docker command reads "!/" as "!", too.
    text = pattern.removeprefix("!")
    if text != pattern and text in ("", "/"):
        raise ValueError(f"malformed pattern {pattern!r}: nothing follows the '!'")
    try:
        check(text)
    except ValueError as error:
        raise ValueError(f"malformed pattern {pattern!r}: {error}") from None
    return text
