"""Commands that show what files there are: ls, find, stat, du, df."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.simulation.programs.shell import patterns
from dynadock.simulation.programs.shell.invocation import UsageError, words_of
from dynadock.simulation.programs.shell.times import NANOSECOND, listed_time, time_text
from dynadock.simulation.programs.shell.users import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.files.nodes import Stat
    from dynadock.simulation.programs.shell.invocation import Invocation, Options
    from dynadock.simulation.programs.shell.jobs import Coroutine

_TYPES = {"file": "-", "folder": "d", "link": "l", "device": "c", "fifo": "p"}
_KINDS = {
    "file": "regular file",
    "folder": "directory",
    "link": "symbolic link",
    "device": "character special file",
    "fifo": "fifo",
}
_MARKS = {"folder": "/", "link": "@", "fifo": "|"}
_BLOCK = 4096
_TURN = 64


def mode_text(stat: Stat) -> str:
    """Return a mode as ``-rwxr-xr-x``."""
    bits = "".join(
        letter if stat.mode & (1 << (8 - at)) else "-" for at, letter in enumerate("rwxrwxrwx")
    )
    found = [*bits]
    for bit, at, letter in ((0o4000, 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t")):
        if stat.mode & bit:
            found[at] = letter if found[at] == "x" else letter.upper()
    return _TYPES.get(stat.kind, "-") + "".join(found)


def human(size: int) -> str:
    """Return a size as ``1.5K``."""
    if size < 1024:  # noqa: PLR2004 - a kibibyte
        return str(size)
    number, units = size / 1024, "KMGTP"
    while number >= 1024 and len(units) > 1:  # noqa: PLR2004
        number, units = number / 1024, units[1:]
    return f"{number:.1f}{units[0]}"


def _blocks(stat: Stat) -> int:
    """Return how many kibibytes a file takes."""
    if stat.kind in {"link", "device", "fifo"}:
        return 0
    return -(-stat.size // _BLOCK) * 4


class _Row(NamedTuple):
    shown: str
    path: str
    stat: Stat


def run_ls(invocation: Invocation) -> Coroutine[int]:
    """List files: -l, -a, -A, -1, -d, -R, -h, -t, -S, -r, -F, -p, -n, -i, -s, -C, -L."""
    options = invocation.options(
        "1AaCxdLHRFplinshrSXvctukgGw:q", {"all": "a", "color": "q", "full-time": "q"}
    )
    listing = _Listing(invocation, options)
    names = options.operands or ["."]
    files, folders = [], []
    for name in names:
        try:
            follow = "L" in options or not ("l" in options or "d" in options or "F" in options)
            row = listing.row(name, name, follow=follow)
        except (OSError, ValueError) as error:
            invocation.warn_of(name, error)
            continue
        if row.stat.kind == "folder" and "d" not in options:
            folders.append(name)
        else:
            files.append(row)
    if files:
        listing.show(listing.ordered(files))
    heads = len(names) > 1 or "R" in options
    is_first = not files
    ordered = [row.shown for row in listing.ordered([listing.row(n, n) for n in folders])]
    waiting = ordered[::-1]
    while waiting:
        name = waiting.pop()
        try:
            rows = listing.ordered(listing.inside(name))
        except OSError as error:
            invocation.warn_of(name, error)
            continue
        if heads:
            invocation.print(("" if is_first else "\n") + f"{name}:")
        is_first = False
        if "l" in options or "s" in options:
            invocation.print(f"total {sum(_blocks(row.stat) for row in rows)}")
        listing.show(rows)
        if "R" in options:
            below = [row.shown for row in rows if row.stat.kind == "folder"]
            waiting += [
                f"{name.rstrip('/')}/{each}" for each in below[::-1] if each not in {".", ".."}
            ]
        yield from invocation.flush()
        yield invocation.now()
    return invocation.status


class _Listing:
    def __init__(self, invocation: Invocation, options: Options) -> None:
        self._invocation = invocation
        self._options = options

    def row(self, shown: str, path: str, *, follow: bool = False) -> _Row:
        try:
            stat = self._invocation.stat(path, follow=follow)
        except FileNotFoundError:
            if not follow:
                raise
            stat = self._invocation.stat(path, follow=False)
        return _Row(shown, path, stat)

    def inside(self, folder: str) -> list[_Row]:
        names = self._invocation.disk.files.names(self._invocation.disk.path(folder))
        if "a" in self._options:
            names = [".", "..", *names]
        elif "A" not in self._options:
            names = [name for name in names if not name.startswith(".")]
        return [self.row(name, f"{folder.rstrip('/')}/{name}") for name in names]

    def ordered(self, rows: list[_Row]) -> list[_Row]:
        rows = sorted(rows, key=lambda row: row.shown.encode("utf-8", "surrogateescape"))
        if "S" in self._options:
            rows.sort(key=lambda row: -row.stat.size)
        elif "t" in self._options:
            rows.sort(key=lambda row: -row.stat.mtime)
        return rows[::-1] if "r" in self._options else rows

    def show(self, rows: list[_Row]) -> None:
        if "l" in self._options or "n" in self._options or "g" in self._options:
            for row in rows:
                self._invocation.print(self._long(row))
            return
        texts = [self._before(row) + row.shown + self._mark(row) for row in rows]
        stream = self._invocation.descriptors.get(1)
        in_columns = "C" in self._options or "x" in self._options
        is_terminal = stream is not None and stream.is_terminal and "1" not in self._options
        if texts and (in_columns or is_terminal):
            self._columns(texts)
        else:
            for text in texts:
                self._invocation.print(text)

    def _columns(self, texts: list[str]) -> None:
        width = self._invocation.shell.process.columns or 80
        column = max(map(len, texts)) + 2
        count = max(width // column, 1)
        height = -(-len(texts) // count)
        for at in range(height):
            row = texts[at::height]
            self._invocation.print("".join(f"{text:<{column}}" for text in row[:-1]) + row[-1])

    def _before(self, row: _Row) -> str:
        found = ""
        if "i" in self._options:
            found += f"{_inode(row.path):7d} "
        if "s" in self._options:
            found += f"{_blocks(row.stat):6d} "
        return found

    def _mark(self, row: _Row) -> str:
        if "F" in self._options:
            is_program = row.stat.kind == "file" and row.stat.mode & 0o111
            return "*" if is_program else _MARKS.get(row.stat.kind, "")
        return "/" if "p" in self._options and row.stat.kind == "folder" else ""

    def _long(self, row: _Row) -> str:
        files = self._invocation.disk.files
        stat = row.stat
        user: str | int | None = None
        group: str | int | None = None
        if "n" not in self._options:
            user = name_of(files, "/etc/passwd", stat.uid)
            group = name_of(files, "/etc/group", stat.gid)
        size = human(stat.size) if "h" in self._options else str(stat.size)
        if stat.kind == "device":
            size = f"{stat.device[0]:4d},{stat.device[1]:4d}"
        arrow = f" -> {stat.target}" if stat.kind == "link" else ""
        owner = f"{user or stat.uid!s:<8} {group or stat.gid!s:<8}"
        return (
            f"{self._before(row)}{mode_text(stat)} {row.stat.links:4d} {owner} "
            f"{size:>9} {listed_time(stat.mtime, self._invocation.now())} {row.shown}{arrow}"
            f"{'' if arrow else self._mark(row)}"
        )


def _inode(path: str) -> int:
    """Return a number that is the same for the same path."""
    number = 0
    for char in path:
        number = (number * 31 + ord(char)) % 9_999_991
    return number + 1


def run_stat(invocation: Invocation) -> int:
    """Show what is known of files: -c FORMAT, -L follows links, -t."""
    options = invocation.options("c:Lft")
    if not options.operands:
        raise UsageError
    for name in options.operands:
        try:
            stat = invocation.stat(name, follow="L" in options)
        except (OSError, ValueError) as error:
            invocation.warn_of(name, error, "can't stat")
            continue
        shown = options.values.get("c")
        invocation.print(_stat_text(invocation, name, stat, shown) if shown is not None
                         else _whole_stat(invocation, name, stat))  # fmt: skip
    return invocation.status


def _stat_text(invocation: Invocation, name: str, stat: Stat, shown: str) -> str:
    files = invocation.disk.files
    when = time_text("%Y-%m-%d %H:%M:%S.%N +0000", stat.mtime)
    seconds = str(stat.mtime // NANOSECOND)
    kind = _KINDS.get(stat.kind, stat.kind)
    if stat.kind == "file" and not stat.size:
        kind = "regular empty file"
    letters = {
        "n": name,
        "N": f"'{name}' -> '{stat.target}'" if stat.target else name,
        "s": str(stat.size),
        "a": f"{stat.mode:o}",
        "A": mode_text(stat),
        "F": kind,
        "u": str(stat.uid),
        "U": name_of(files, "/etc/passwd", stat.uid) or "UNKNOWN",
        "g": str(stat.gid),
        "G": name_of(files, "/etc/group", stat.gid) or "UNKNOWN",
        "h": str(stat.links),
        "i": str(_inode(name)),
        "b": str(_blocks(stat) * 2),
        "B": "512",
        "o": str(_BLOCK),
        "f": f"{_mode_number(stat):x}",
        "%": "%",
        **dict.fromkeys("xyz", when),
        **dict.fromkeys("XYZ", seconds),
    }
    return re.sub("%(.)", lambda found: letters.get(found[1], "?"), shown)


def _mode_number(stat: Stat) -> int:
    kinds = {"file": 0o100000, "folder": 0o40000, "link": 0o120000, "device": 0o20000}
    return kinds.get(stat.kind, 0o10000) | stat.mode


def _whole_stat(invocation: Invocation, name: str, stat: Stat) -> str:
    def part(shown: str) -> str:
        return _stat_text(invocation, name, stat, shown)

    user = f"({stat.uid:5d}/{part('%U'):>8})"
    group = f"({stat.gid:5d}/{part('%G'):>8})"
    return "\n".join(
        (
            f"  File: {part('%N')}",
            part(f"  Size: {stat.size:<10}\tBlocks: {_blocks(stat) * 2:<10} IO Block: %o   %F"),
            f"Device: 40h/64d\tInode: {part('%i'):<10}  Links: {stat.links}",
            f"Access: ({stat.mode:04o}/{mode_text(stat)})  Uid: {user}   Gid: {group}",
            part("Access: %x\nModify: %y\nChange: %z"),
        )
    )


def run_du(invocation: Invocation) -> Coroutine[int]:
    """Show how much folders take: -s only their sums, -h, -a files too, -k, -m, -d DEPTH, -c."""
    options = invocation.options("aHLsxhmkcd:lb")
    depth = int(options.values["d"]) if options.values.get("d", "").isdigit() else 1 << 20
    total = 0
    for name in options.operands or ["."]:
        sizes: dict[str, int] = {}
        waiting = [(name, 0, False)]
        try:
            invocation.stat(name, follow=False)
        except (OSError, ValueError) as error:
            invocation.warn_of(name, error)
            continue
        steps = 0
        while waiting:
            path, level, is_done = waiting.pop()
            stat = invocation.stat(path, follow=False)
            steps += 1
            if stat.kind == "folder" and not is_done:
                waiting.append((path, level, True))
                inside = invocation.disk.files.names(invocation.disk.path(path))
                waiting += [(f"{path.rstrip('/')}/{e}", level + 1, False) for e in inside[::-1]]
                continue
            size = _blocks(stat) + sizes.pop(path, 0)
            parent = path.rpartition("/")[0] or ("/" if path.startswith("/") else path)
            if level:
                sizes[parent] = sizes.get(parent, 0) + size
            else:
                total += size
            shows = level <= depth and (stat.kind == "folder" or "a" in options)
            if level == 0 or (shows and "s" not in options):
                invocation.print(f"{_kilobytes(size, options.letters)}\t{path}")
            if steps % _TURN == 0:
                yield invocation.now()
    if "c" in options:
        invocation.print(f"{_kilobytes(total, options.letters)}\ttotal")
    return invocation.status


def _kilobytes(size: int, letters: str) -> str:
    if "h" in letters:
        return human(size * 1024) if size else "0"
    return str(-(-size // 1024) if "m" in letters else size)


def run_df(invocation: Invocation) -> int:
    """Show how much room there is."""
    options = invocation.options("Pkmhai")
    for name in options.operands:
        try:
            invocation.stat(name)
        except (OSError, ValueError):
            invocation.warn(f"{name}: can't find mount point")
    total = 512 * 1024
    used = invocation.disk.files.size() // 1024
    title = "Size" if "h" in options else "1K-blocks"
    numbers = [total, used, max(total - used, 0)]
    texts = [human(number * 1024) if "h" in options else str(number) for number in numbers]
    width = 9
    invocation.print(
        f"{'Filesystem':<20} {title:>{width}} {'Used':>9} {'Available':>9} Use% Mounted on"
    )
    percent = f"{-(-used * 100 // total)}%"
    if not options.operands or not invocation.status:
        invocation.print(
            f"{'overlay':<20} {texts[0]:>{width}} {texts[1]:>9} {texts[2]:>9} {percent:>4} /"
        )
    return invocation.status


# find


class _Found(NamedTuple):
    path: str
    name: str
    depth: int
    stat: Stat


class _Quit(Exception):
    pass


def run_find(invocation: Invocation) -> Coroutine[int]:
    """Find files: -name, -path, -type, -size, -mtime, -empty, -maxdepth, -exec, -delete, …."""
    words = [*invocation.arguments]
    while words and words[0] in {"-H", "-L", "-P"}:
        words.pop(0)
    roots = []
    while words and not words[0].startswith("-") and words[0] not in {"!", "("}:
        roots.append(words.pop(0))
    expression = _Expression(invocation, words)
    condition = expression.parse()
    try:
        for root in roots or ["."]:
            yield from _walk(invocation, root, expression, condition)
    except _Quit:
        pass
    yield from expression.finish()
    return invocation.status


def _walk(
    invocation: Invocation,
    root: str,
    expression: _Expression,
    condition: Callable[[_Found], Coroutine[bool]],
) -> Coroutine[None]:
    waiting: list[tuple[str, int, bool]] = [(root, 0, False)]
    steps = 0
    while waiting:
        path, depth, is_done = waiting.pop()
        try:
            stat = invocation.stat(path, follow=False)
        except (OSError, ValueError) as error:
            if depth == 0:
                invocation.warn_of(path, error)
            continue
        name = path.rstrip("/").rpartition("/")[2] or path
        found = _Found(path, name, depth, stat)
        is_folder = stat.kind == "folder" and depth < expression.maxdepth
        expression.prunes = False
        if not (is_folder and expression.depth_first and not is_done):
            if depth >= expression.mindepth and (expression.depth_first or not is_done):
                yield from condition(found)
        else:
            waiting.append((path, depth, True))
        if is_folder and not is_done and not expression.prunes:
            inside = invocation.disk.files.names(invocation.disk.path(path))
            waiting += [(f"{path.rstrip('/')}/{e}", depth + 1, False) for e in inside[::-1]]
        steps += 1
        if invocation.is_due or steps % _TURN == 0:
            yield from invocation.flush()
            yield invocation.now()


class _Expression:
    """What is asked of each file, as functions made of the words."""

    def __init__(self, invocation: Invocation, words: list[str]) -> None:
        self._invocation = invocation
        self._words = words[::-1]
        self.maxdepth = 1 << 30
        self.mindepth = 0
        self.depth_first = False
        self.prunes = False
        self._acts = False
        self._batches: list[tuple[list[str], list[str]]] = []
        self._nesting = 0

    def parse(self) -> Callable[[_Found], Coroutine[bool]]:
        condition = self._any() if self._words else None
        if self._words:
            raise UsageError(f"unrecognized: {self._words[-1]}")
        if condition is None:
            return self._printing(_always)
        return condition if self._acts else self._printing(condition)

    def _printing(
        self, condition: Callable[[_Found], Coroutine[bool]]
    ) -> Callable[[_Found], Coroutine[bool]]:
        def run(found: _Found) -> Coroutine[bool]:
            holds = yield from condition(found)
            if holds:
                self._invocation.print(found.path)
            return holds

        return run

    def finish(self) -> Coroutine[None]:
        for command, paths in self._batches:
            if paths:
                status = yield from self._invocation.execute([*command, *paths])
                if status:
                    self._invocation.status = 1

    def _any(self) -> Callable[[_Found], Coroutine[bool]]:
        self._nesting += 1
        if self._nesting > 50:  # noqa: PLR2004 - brackets inside each other
            raise UsageError("too many brackets")
        terms = [self._all()]
        while self._words and self._words[-1] in {"-o", "-or"}:
            self._words.pop()
            terms.append(self._all())
        self._nesting -= 1

        def run(found: _Found) -> Coroutine[bool]:
            for term in terms:
                if (yield from term(found)):
                    return True
            return False

        return run

    def _all(self) -> Callable[[_Found], Coroutine[bool]]:
        terms = []
        while self._words and self._words[-1] not in {"-o", "-or", ")"}:
            if self._words[-1] in {"-a", "-and"}:
                self._words.pop()
                continue
            terms.append(self._not())

        def run(found: _Found) -> Coroutine[bool]:
            for term in terms:
                if not (yield from term(found)):
                    return False
            return True

        return run

    def _not(self) -> Callable[[_Found], Coroutine[bool]]:
        negated = False
        while self._words and self._words[-1] in {"!", "-not"}:
            self._words.pop()
            negated = not negated
        if not self._words:
            raise UsageError("bad arg '!'")
        term = self._primary(self._words.pop())
        if not negated:
            return term

        def run(found: _Found) -> Coroutine[bool]:
            holds = yield from term(found)
            return not holds

        return run

    def _argument(self, name: str) -> str:
        if not self._words:
            raise UsageError(f"{name} requires an argument")
        return self._words.pop()

    def _primary(self, name: str) -> Callable[[_Found], Coroutine[bool]]:
        if name == "(":
            inner = self._any()
            if not self._words or self._words.pop() != ")":
                raise UsageError("unpaired '('")
            return inner
        if name in {"-exec", "-ok"}:
            return self._exec()
        if name in {"-maxdepth", "-mindepth"}:
            text = self._argument(name)
            if not text.isdigit():
                raise UsageError(f"invalid number '{text}'", with_usage=False)
            setattr(self, name[1:], int(text[:9]))
            return _always
        if name in {"-depth", "-delete"}:
            self.depth_first = True
        if name in {"-print", "-print0", "-delete", "-quit"}:
            self._acts = True
        actions: dict[str, Callable[[_Found], bool]] = {
            "-print": lambda found: self._print(found, "\n"),
            "-print0": lambda found: self._print(found, "\0"),
            "-delete": self._delete,
            "-prune": lambda _: self._prune(),
            "-quit": lambda _: self._quit(),
            "-empty": self._is_empty,
            "-executable": lambda found: found.stat.mode & 0o111 != 0,
            "-true": lambda _: True,
            "-false": lambda _: False,
            "-xdev": lambda _: True,
            "-follow": lambda _: True,
            "-depth": lambda _: True,
        }
        if name in actions:
            return _plain(actions[name])
        if name not in _TESTS:
            raise UsageError(f"unrecognized: {name}")
        return _plain(_TESTS[name](self._argument(name), self._invocation))

    def _print(self, found: _Found, end: str) -> bool:
        self._invocation.print(found.path, end=end)
        return True

    def _delete(self, found: _Found) -> bool:
        try:
            self._invocation.disk.files.remove(self._invocation.disk.path(found.path))
        except OSError as error:
            self._invocation.warn_of(found.path, error)
            return False
        return True

    def _prune(self) -> bool:
        self.prunes = True
        return True

    def _quit(self) -> bool:
        raise _Quit

    def _is_empty(self, found: _Found) -> bool:
        if found.stat.kind == "folder":
            return not self._invocation.disk.files.names(self._invocation.disk.path(found.path))
        return found.stat.kind == "file" and found.stat.size == 0

    def _exec(self) -> Callable[[_Found], Coroutine[bool]]:
        self._acts = True
        command: list[str] = []
        while self._words and self._words[-1] != ";":
            if self._words[-1] == "+" and command[-1:] == ["{}"]:
                break
            command.append(self._words.pop())
        if not self._words or not command:
            raise UsageError("-exec requires an argument", with_usage=False)
        if self._words.pop() == "+":
            paths: list[str] = []
            self._batches.append((command[:-1], paths))

            def keep(found: _Found) -> bool:
                paths.append(found.path)
                return True

            return _plain(keep)

        def run(found: _Found) -> Coroutine[bool]:
            words = [word.replace("{}", found.path) for word in command]
            status = yield from self._invocation.execute(words)
            return status == 0

        return run


def _always(_found: _Found) -> Coroutine[bool]:
    yield from ()
    return True


def _plain(test: Callable[[_Found], bool]) -> Callable[[_Found], Coroutine[bool]]:
    def run(found: _Found) -> Coroutine[bool]:
        yield from ()
        return test(found)

    return run


def _compared(text: str, unit: int = 1) -> Callable[[int], bool]:
    """Return a test of ``+N``, ``-N`` or ``N``."""
    digits = text.lstrip("+-")
    if not digits.isdigit():
        raise UsageError(f"invalid number '{text}'", with_usage=False)
    number = int(digits[:15]) * unit
    if text.startswith("+"):
        return lambda value: value > number
    if text.startswith("-"):
        return lambda value: value < number
    return lambda value: value == number


def _type_test(text: str, _invocation: Invocation) -> Callable[[_Found], bool]:
    kinds = {"f": "file", "d": "folder", "l": "link", "c": "device", "p": "fifo"}
    return lambda found: found.stat.kind == kinds.get(text, "")


def _size_test(text: str, _invocation: Invocation) -> Callable[[_Found], bool]:
    units = {"c": 1, "w": 2, "b": 512, "k": 1024, "M": 1 << 20, "G": 1 << 30}
    unit = units.get(text[-1:], 512)
    compare = _compared(text.rstrip("cwbkMG"))
    return lambda found: compare(-(-found.stat.size // unit))


def _time_test(unit: int) -> Callable[[str, Invocation], Callable[[_Found], bool]]:
    def test(text: str, invocation: Invocation) -> Callable[[_Found], bool]:
        compare = _compared(text)
        return lambda found: compare((invocation.now() - found.stat.mtime) // NANOSECOND // unit)

    return test


def _name_test(text: str, _invocation: Invocation) -> Callable[[_Found], bool]:
    return lambda found: patterns.is_match(text, found.name)


def _iname_test(text: str, _invocation: Invocation) -> Callable[[_Found], bool]:
    return lambda found: patterns.is_match(text.lower(), found.name.lower())


def _path_test(text: str, _invocation: Invocation) -> Callable[[_Found], bool]:
    return lambda found: patterns.is_match(text, found.path)


def _newer_test(text: str, invocation: Invocation) -> Callable[[_Found], bool]:
    try:
        moment = invocation.stat(text).mtime
    except OSError as error:
        raise UsageError(f"{text}: {words_of(error)}", with_usage=False) from None
    return lambda found: found.stat.mtime > moment


def _perm_test(text: str, _invocation: Invocation) -> Callable[[_Found], bool]:
    digits = text.lstrip("-+/")
    if not re.fullmatch("[0-7]{1,4}", digits):
        raise UsageError(f"invalid mode '{text}'", with_usage=False)
    mode = int(digits, 8)
    if text.startswith("-"):
        return lambda found: found.stat.mode & mode == mode
    if text[:1] in {"+", "/"}:
        return lambda found: found.stat.mode & mode != 0
    return lambda found: found.stat.mode == mode


def _user_test(text: str, invocation: Invocation) -> Callable[[_Found], bool]:
    return lambda found: (
        text
        in {
            str(found.stat.uid),
            name_of(invocation.disk.files, "/etc/passwd", found.stat.uid),
        }
    )


_TESTS: dict[str, Callable[[str, Invocation], Callable[[_Found], bool]]] = {
    "-name": _name_test,
    "-iname": _iname_test,
    "-path": _path_test,
    "-wholename": _path_test,
    "-type": _type_test,
    "-size": _size_test,
    "-mtime": _time_test(86400),
    "-mmin": _time_test(60),
    "-newer": _newer_test,
    "-perm": _perm_test,
    "-user": _user_test,
}
