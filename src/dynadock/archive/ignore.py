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
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ITEM = r"(?:\\.|[^\\\]\-])"
_RANGE = re.compile(rf"(?P<low>{_ITEM})(?:-(?P<high>{_ITEM}))?", re.DOTALL)
_TOKEN = re.compile(
    rf"(?P<any>\*\*/?)|(?P<star>\*)|(?P<one>\?)|\\(?P<escaped>.)"
    rf"|\[(?P<outside>\^?+)(?P<class>(?:{_ITEM}(?:-{_ITEM})?)+)\]|(?P<plain>.)",
    re.DOTALL,
)
_SPECIAL = re.compile(r"[*?\[\]\\]")


class _Pattern(NamedTuple):
    """One compiled pattern; ``text`` is what follows the ``!`` of an exception."""

    text: str
    is_exception: bool
    matches: Callable[[str], re.Match[str] | None]


class Verdict(NamedTuple):
    """Whether a path is excluded, and which patterns say so of it or of a folder above it."""

    excluded: bool
    hits: tuple[bool, ...]


def read_ignore(text: str) -> list[str]:
    """Return the patterns of a ``.dockerignore`` file, cleaned, exceptions with their ``!``.

    ValueError names the line and the pattern that is malformed.
    """
    patterns = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        pattern = _pattern_of(line)
        if not pattern:
            continue
        try:
            _compiled(pattern)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        patterns.append(pattern)
    return patterns


class Ignore:
    """What ``patterns``, as ``read_ignore`` gives them, exclude; ValueError names a malformed one.

    Paths are relative to the build context, their segments joined by ``/``. That a path is a folder
    changes nothing: ``logs/`` is ``logs``, and excludes a file of that name too.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._patterns = tuple(_compiled(pattern) for pattern in patterns)
        self.at_the_top = Verdict(excluded=False, hits=(False,) * len(self._patterns))

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
        excluded = False
        hits = []
        for pattern, hit_above in zip(self._patterns, above.hits, strict=True):
            # Only a pattern that could change the verdict is compared. One that was not compared is
            # no hit for paths below either: of "*", "!x/y", "x", the docker command sends x/y.
            compared = pattern.is_exception is excluded
            hit = hit_above or (compared and pattern.matches(path) is not None)
            if hit:
                excluded = not pattern.is_exception
            hits.append(hit)
        return Verdict(excluded, tuple(hits))

    def may_hold_exceptions(self, folder: str) -> bool:
        """Tell whether a walk has to enter ``folder`` though it is excluded."""
        start = f"{folder}/"
        return any(
            pattern.is_exception and f"{pattern.text}/".startswith(start)
            for pattern in self._patterns
        )


def _pattern_of(line: str) -> str:
    """Return the pattern on a line, "" if there is none."""
    pattern = line.strip()
    if line.startswith("#") or not pattern:
        return ""
    sign = "!" if pattern.startswith("!") else ""
    path = pattern.removeprefix("!").strip()
    # An "!" behind a leading slash counts: "/!x" is an exception to the docker command too.
    return (sign + (path and _cleaned(path))).strip()


def _cleaned(path: str) -> str:
    if os.name == "nt":
        path = path.replace("\\", "/")
    # normpath keeps two leading slashes, and none may stay; "/" alone matches nothing.
    return posixpath.normpath(path).lstrip("/") or "/"


def _compiled(pattern: str) -> _Pattern:
    # The docker command reads "!/" as "!", too.
    text = pattern.removeprefix("!")
    is_exception = text != pattern
    if is_exception and text in ("", "/"):
        raise ValueError(f"malformed pattern {pattern!r}: nothing follows the '!'")
    try:
        regex = re.compile(_regex_of(text), re.DOTALL)
    except ValueError as error:
        raise ValueError(f"malformed pattern {pattern!r}: {error}") from None
    return _Pattern(text, is_exception, regex.fullmatch)


def _regex_of(text: str) -> str:
    if text.startswith("**") and text[2:3] != "/" and not _SPECIAL.search(text, 2):
        return f".*{re.escape(text[2:])}"
    return "".join(_regex_of_token(token) for token in _TOKEN.finditer(text))


def _regex_of_token(token: re.Match[str]) -> str:
    if token["any"]:
        return ".*" if token.end() == len(token.string) else "(?:.*/)?"
    if token["star"]:
        return "[^/]*"
    if token["one"]:
        return "[^/]"
    if token["class"]:
        ranges = "".join(_regex_of_range(found) for found in _RANGE.finditer(token["class"]))
        return f"[{token['outside']}{ranges}]"
    if token["plain"] == "[":
        raise ValueError("'[' begins no class of characters such as [a-z]")
    if token["plain"] == "\\":
        raise ValueError(r"nothing follows the '\'")
    return re.escape(token["escaped"] or token["plain"])


def _regex_of_range(found: re.Match[str]) -> str:
    low = found["low"][-1]
    high = (found["high"] or low)[-1]
    if low > high:
        raise ValueError(f"the range {found.group()} is empty")
    return f"{re.escape(low)}-{re.escape(high)}"
