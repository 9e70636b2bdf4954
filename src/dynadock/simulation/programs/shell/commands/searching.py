"""The command grep."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell import regex
from dynadock.simulation.programs.shell.commands.texts import count_of, whole
from dynadock.simulation.programs.shell.invocation import Lines, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.programs.shell.descriptors import Stream
    from dynadock.simulation.programs.shell.invocation import Invocation, Options
    from dynadock.simulation.programs.shell.jobs import Coroutine

_LETTERS = "HhnlLoqvsrRiwFEzxcm:A:B:C:e:f:"


def run_grep(invocation: Invocation) -> Coroutine[int]:
    """Print the lines of files that match: 0 if some do, 1 if none does, 2 if something failed."""
    options = invocation.options(_LETTERS, {"color": "s"}, status=2)
    operands = [*options.operands]
    texts = [*options.lists.get("e", [])]
    for name in options.lists.get("f", []):
        data = yield from whole(invocation.open(name))
        texts.append(data.decode("utf-8", "surrogateescape").removesuffix("\n"))
    if not texts and "f" not in options:
        if not operands:
            raise UsageError(status=2)
        texts.append(operands.pop(0))
    try:
        search = _Search(invocation, options, "\n".join(texts).split("\n"))
    except regex.RegexFailure as wrong:
        return invocation.warn(f"bad regex '{texts[0]}': {wrong}", 2)
    return (yield from search.run(operands))


class _Search:
    def __init__(self, invocation: Invocation, options: Options, texts: list[str]) -> None:
        self._invocation = invocation
        self._options = options
        extended = "E" in options or invocation.name == "egrep"
        fixed = "F" in options or invocation.name == "fgrep"
        compiled = [
            regex.compiled(text, extended=extended, ignore_case="i" in options, fixed=fixed)
            for text in texts
        ]
        if "x" in options or "w" in options:
            edge = (rb"\A(?:", rb")\Z") if "x" in options else (rb"(?<!\w)(?:", rb")(?!\w)")
            compiled = [
                re.compile(edge[0] + each.pattern + edge[1], each.flags) for each in compiled
            ]
        self._patterns = compiled
        self._most = count_of(options.values.get("m", "")) if "m" in options else None
        around = options.values.get("C", "0")
        self._before = count_of(options.values.get("B", around)) or 0
        self._after = count_of(options.values.get("A", around)) or 0
        self._shows_names = False
        self._has_found = False

    def run(self, operands: list[str]) -> Coroutine[int]:
        options = self._options
        recursive = "r" in options or "R" in options
        names = operands or (["."] if recursive else ["-"])
        self._shows_names = "H" in options or ((len(names) > 1 or recursive) and "h" not in options)
        failed = False
        for name in self._all(names) if recursive else iter(names):
            try:
                stream = self._invocation.open(name)
                found = yield from self._file(name, stream)
            except BrokenPipeError:
                raise
            except OSError as error:
                failed = True
                if "s" not in options:
                    self._invocation.warn_of(name, error)
                continue
            if found and "q" in options:
                return 0
        return 2 if failed else 0 if self._has_found else 1

    def _all(self, names: list[str]) -> Iterator[str]:
        disk = self._invocation.disk
        waiting = names[::-1]
        while waiting:
            name = waiting.pop()
            if disk.kind(name, follow=False) == "folder" or (
                name in names and disk.kind(name) == "folder"
            ):
                inside = disk.files.names(disk.path(name))
                waiting += [f"{name.rstrip('/')}/{each}" for each in inside[::-1]]
            else:
                yield name

    def _file(self, name: str, stream: Stream) -> Coroutine[bool]:
        options = self._options
        shown = "(standard input)" if name == "-" else name
        count = number = after = 0
        before: deque[tuple[int, bytes]] = deque(maxlen=self._before)
        last = 0
        lines = Lines(stream)
        is_quiet = bool({"q", "l", "L", "c"} & set(options.letters))
        while some := (yield from lines.next()):
            for line in some:
                number += 1
                text = line.removesuffix(b"\n")
                if self._matches(text):
                    count += 1
                    self._has_found = True
                    if not is_quiet:
                        if (
                            (self._before or self._after)
                            and last
                            and number - len(before) > last + 1
                        ):
                            self._invocation.print("--")
                        for at, each in before:
                            self._show(shown, at, each, "-")
                        self._show(shown, number, text, ":")
                        before.clear()
                        last = number
                    after = self._after
                    if {"q", "l", "L"} & set(options.letters) or count == self._most:
                        break
                elif after and not is_quiet:
                    after -= 1
                    last = number
                    self._show(shown, number, text, "-")
                else:
                    before.append((number, text))
            if (count and {"q", "l", "L"} & set(options.letters)) or (
                self._most is not None and count >= self._most
            ):
                break
            yield from self._invocation.flush()
            yield self._invocation.now()
        self._summary(shown, count)
        return count > 0

    def _matches(self, text: bytes) -> bool:
        found = any(pattern.search(text) for pattern in self._patterns)
        return found != ("v" in self._options)

    def _show(self, name: str, number: int, text: bytes, mark: str) -> None:
        prefix = f"{name}{mark}" if self._shows_names else ""
        if "n" in self._options:
            prefix += f"{number}{mark}"
        head = prefix.encode("utf-8", "surrogateescape")
        if "o" in self._options and mark == ":":
            if "v" not in self._options:
                for found in _parts(self._patterns, text):
                    self._invocation.put(head + found + b"\n")
            return
        self._invocation.put(head + text + b"\n")

    def _summary(self, name: str, count: int) -> None:
        if "q" in self._options:
            return
        if "l" in self._options or "L" in self._options:
            if (count > 0) == ("l" in self._options):
                self._invocation.print(name)
        elif "c" in self._options:
            self._invocation.print(f"{name}:{count}" if self._shows_names else str(count))


def _parts(patterns: list[re.Pattern[bytes]], text: bytes) -> Iterator[bytes]:
    if len(patterns) == 1:
        yield from (found[0] for found in patterns[0].finditer(text) if found[0])
        return
    at = 0
    while at < len(text):
        starts = [found for pattern in patterns if (found := pattern.search(text, at)) and found[0]]
        if not starts:
            return
        best = min(starts, key=lambda found: (found.start(), -found.end()))
        yield best[0]
        at = best.end()
