"""Commands that change files: mkdir, rm, cp, mv, ln, touch, chmod, chown and their like."""

from __future__ import annotations

import errno
import posixpath
import re
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell.commands.texts import count_of
from dynadock.simulation.programs.shell.descriptors import failure
from dynadock.simulation.programs.shell.invocation import Options, UsageError, words_of
from dynadock.simulation.programs.shell.times import moment_of
from dynadock.simulation.programs.shell.users import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.files.nodes import Stat
    from dynadock.simulation.programs.shell.invocation import Invocation
    from dynadock.simulation.programs.shell.jobs import Coroutine

_TURN = 64
_BLOCK = 1024 * 1024


def _last_name(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]


def run_mkdir(invocation: Invocation) -> int:
    """Make folders: -p with those above, -m MODE."""
    options = invocation.options("pm:v", {"parents": "p", "mode": "m"})
    if not options.operands:
        raise UsageError
    mode = 0o777 & ~invocation.shell.umask
    if "m" in options:
        given = changed_mode(options.values["m"], 0o777, is_folder=True)
        if given is None:
            return invocation.warn(f"invalid mode '{options.values['m']}'")
        mode = given
    files = invocation.disk.files
    for name in options.operands:
        try:
            path = invocation.disk.path(name)
            if "p" not in options:
                files.make_folder(path, mode)
            elif invocation.disk.kind(name) != "folder":
                files.make_folder(path, 0o777 & ~invocation.shell.umask, parents=True)
                files.set_mode(path, mode)
        except (OSError, ValueError) as error:
            invocation.warn_of(name, error, "can't create directory")
    return invocation.status


def run_rmdir(invocation: Invocation) -> int:
    """Remove empty folders; -p those above too."""
    options = invocation.options("p", {"parents": "p", "ignore-fail-on-non-empty": "p"})
    if not options.operands:
        raise UsageError
    for operand in options.operands:
        name = operand
        while name and name != "/":
            try:
                _remove_folder(invocation, name)
            except (OSError, ValueError) as error:
                invocation.warn(f"'{name}': {words_of(error)}")
                break
            name = posixpath.dirname(name.rstrip("/")) if "p" in options else ""
    return invocation.status


def _remove_folder(invocation: Invocation, name: str) -> None:
    if invocation.stat(name, follow=False).kind != "folder":
        raise failure(errno.ENOTDIR)
    invocation.disk.files.remove(invocation.disk.path(name))


def run_rm(invocation: Invocation) -> int:
    """Remove files, with -r folders; -f says nothing of what is missing."""
    options = invocation.options("irfR")
    if not options.operands and "f" not in options:
        raise UsageError
    recursive = "r" in options or "R" in options
    files = invocation.disk.files
    for name in options.operands:
        if _last_name(name) in {".", ".."}:
            invocation.warn("can't remove '.' or '..'")
            continue
        try:
            path = invocation.disk.path(name)
            if invocation.stat(name, follow=False).kind != "folder":
                files.remove(path)
            elif recursive:
                files.remove_tree(path)
            else:
                invocation.warn(f"'{name}' is a directory")
        except FileNotFoundError as error:
            if "f" not in options:
                invocation.warn_of(name, error, "can't remove")
        except (OSError, ValueError) as error:
            invocation.warn_of(name, error, "can't remove")
    return invocation.status


def run_unlink(invocation: Invocation) -> int:
    """Remove one file."""
    for name in invocation.arguments:
        try:
            invocation.disk.files.remove(invocation.disk.path(name))
        except (OSError, ValueError) as error:
            invocation.warn_of(name, error, "can't remove file")
    return invocation.status


def _targets(invocation: Invocation, options: Options) -> Iterator[tuple[str, str]]:
    """Yield what each operand becomes: the last one, or a name in it if it is a folder."""
    names = [*options.operands]
    if "t" in options:
        names.append(options.values["t"])
    if len(names) < 2:  # noqa: PLR2004 - a source and a target
        raise UsageError
    *sources, target = names
    is_folder = invocation.disk.kind(target) == "folder" and "T" not in options
    is_folder = is_folder or len(sources) > 1
    for source in sources:
        inside = f"{target.rstrip('/') or ''}/{_last_name(source)}"
        yield source, inside if is_folder else target


def run_cp(invocation: Invocation) -> Coroutine[int]:
    """Copy files, with -r folders; -a and -p keep modes, owners and times; -L, -P, -n, -u."""
    options = invocation.options(
        "arRpPLHfinlsTudt:v", {"archive": "a", "recursive": "r", "no-clobber": "n"}
    )
    copier = _Copier(invocation, options)
    for source, target in _targets(invocation, options):
        try:
            yield from copier.copy(source, target)
        except (OSError, ValueError) as error:
            invocation.warn_of(target, error, "can't create")
    return invocation.status


class _Copier:
    def __init__(self, invocation: Invocation, options: Options) -> None:
        self._invocation = invocation
        self._files = invocation.disk.files
        self._recursive = bool({"r", "R", "a"} & set(options.letters))
        self._keeps = bool({"p", "a"} & set(options.letters))
        follows = "L" in options or "H" in options
        self._keeps_links = not follows and (
            self._recursive or bool({"d", "P", "a"} & set(options.letters))
        )
        self._never_replaces = "n" in options
        self._only_newer = "u" in options
        self._steps = 0

    def copy(self, source: str, target: str) -> Coroutine[None]:
        waiting = [(source, target)]
        while waiting:
            name, into = waiting.pop()
            self._steps += 1
            if self._steps % _TURN == 0:
                yield self._invocation.now()
            try:
                stat = self._invocation.stat(name, follow=not self._keeps_links)
            except (OSError, ValueError) as error:
                self._invocation.warn_of(name, error, "can't stat")
                continue
            if stat.kind == "folder":
                if not self._recursive:
                    self._invocation.warn(f"omitting directory '{name}'")
                    continue
                waiting += self._folder(name, into, stat)
            else:
                yield from self._file(name, into, stat)

    def _folder(self, name: str, into: str, stat: Stat) -> list[tuple[str, str]]:
        disk = self._invocation.disk
        real = self._files.resolve(disk.path(name))
        target = posixpath.normpath(disk.path(into))
        if target == real or target.startswith(real.rstrip("/") + "/"):
            raise OSError(errno.EINVAL, "recursion detected, omitting directory")
        inside = [
            (f"{name.rstrip('/')}/{each}", f"{into.rstrip('/')}/{each}")
            for each in self._files.names(real)[::-1]
        ]
        if disk.kind(into) != "folder":
            self._files.make_folder(disk.path(into), stat.mode & ~self._invocation.shell.umask)
        self._keep(into, stat)
        return inside

    def _file(self, name: str, into: str, stat: Stat) -> Coroutine[None]:
        disk = self._invocation.disk
        path, target = disk.path(name), disk.path(into)
        if disk.kind(into, follow=False):
            if self._files.resolve(path) == self._files.resolve(target, last=True):
                self._invocation.warn(f"'{name}' and '{into}' are the same file")
                return
            if self._never_replaces:
                return
            if self._only_newer and self._invocation.stat(into).mtime >= stat.mtime:
                return
        if stat.kind == "link":
            if disk.kind(into, follow=False):
                self._files.remove(target)
            self._files.make_link(stat.target, target)
            return
        mode = (stat.mode if self._keeps else stat.mode & 0o777) & ~(
            0 if self._keeps else self._invocation.shell.umask
        )
        self._files.write(target, b"", mode=mode)
        at = 0
        while block := self._files.read_at(path, at, _BLOCK):
            self._files.write(target, block, append=True)
            at += len(block)
            yield self._invocation.now()
        self._keep(into, stat)

    def _keep(self, into: str, stat: Stat) -> None:
        if self._keeps:
            path = self._invocation.disk.path(into)
            self._files.set_owner(path, stat.uid, stat.gid)
            self._files.set_mode(path, stat.mode)
            self._files.touch(path, stat.mtime)


def run_mv(invocation: Invocation) -> Coroutine[int]:
    """Rename or move files and folders."""
    options = invocation.options("finTt:v")
    files = invocation.disk.files
    for source, target in _targets(invocation, options):
        try:
            path = invocation.disk.path(source)
            files.stat(path, follow=False)
            if "n" in options and invocation.disk.kind(target, follow=False):
                continue
            files.rename(path, invocation.disk.path(target))
        except (OSError, ValueError) as error:
            if getattr(error, "errno", 0) == errno.EXDEV:
                yield from _move_across(invocation, source, target)
                continue
            invocation.warn_of(source, error, "can't rename")
    return invocation.status


def _move_across(invocation: Invocation, source: str, target: str) -> Coroutine[None]:
    try:
        yield from _Copier(invocation, Options("a", {}, {}, [])).copy(source, target)
        invocation.disk.files.remove_tree(invocation.disk.path(source))
    except (OSError, ValueError) as error:
        invocation.warn_of(source, error, "can't rename")


def run_ln(invocation: Invocation) -> int:
    """Link files: -s symbolically, -f in the place of others, -n not into linked folders."""
    options = invocation.options("sfnbtvTS:", {"symbolic": "s", "force": "f"})
    names = [*options.operands]
    if len(names) < (2 if "s" in options else 1):
        raise UsageError
    files = invocation.disk.files
    if len(names) == 1:
        names.append(_last_name(names[0]))
    *sources, target = names
    is_folder = invocation.disk.kind(target, follow="n" not in options) == "folder"
    for source in sources:
        into = f"{target.rstrip('/')}/{_last_name(source)}" if is_folder else target
        try:
            path = invocation.disk.path(into)
            if "s" not in options:
                files.stat(invocation.disk.path(source), follow=False)
            if "f" in options and invocation.disk.kind(into, follow=False):
                files.remove(path)
            if "s" in options:
                files.make_link(source, path)
            else:
                files.make_hard_link(invocation.disk.path(source), path)
        except FileNotFoundError as error:
            invocation.warn_of(source if "s" not in options else into, error)
        except (OSError, ValueError) as error:
            invocation.warn_of(into, error)
    return invocation.status


def run_touch(invocation: Invocation) -> int:
    """Set files' times, to -d DATE, to those of -r FILE, else to now; -c makes none."""
    options = invocation.options("chamd:t:r:", {"no-create": "c", "date": "d", "reference": "r"})
    if not options.operands:
        raise UsageError
    moment: int | None = None
    if "d" in options:
        moment = moment_of(options.values["d"], invocation.now())
        if moment is None:
            return invocation.warn(f"invalid date '{options.values['d']}'")
    elif "r" in options:
        moment = invocation.stat(options.values["r"]).mtime
    files = invocation.disk.files
    for name in options.operands:
        try:
            path = invocation.disk.path(name)
            is_there = invocation.disk.exists(name)
            if not is_there and "c" in options:
                continue
            files.touch(path, moment)
            if not is_there:
                files.set_mode(path, 0o666 & ~invocation.shell.umask)
        except (OSError, ValueError) as error:
            invocation.warn_of(name, error)
    return invocation.status


_CLAUSE = re.compile(r"([ugoa]*)((?:[-+=][rwxXst]*|[-+=][ugo])+)")
_SHIFTS = {"u": 6, "g": 3, "o": 0}


def changed_mode(text: str, mode: int, *, is_folder: bool) -> int | None:
    """Return the permissions that ``u+x,go=`` or ``644`` make of a mode; None if it is neither."""
    if re.fullmatch(r"[0-7]{1,4}", text):
        return int(text, 8)
    for clause in text.split(","):
        found = _CLAUSE.fullmatch(clause)
        if not found:
            return None
        for operator, letters in re.findall(r"([-+=])([rwxXstugo]*)", found[2]):
            mode = _with_clause(mode, found[1], operator, letters, is_folder=is_folder)
    return mode


def _with_clause(mode: int, who: str, operator: str, letters: str, *, is_folder: bool) -> int:
    bits = 0
    for letter in letters:
        if letter in _SHIFTS:
            bits |= (mode >> _SHIFTS[letter]) & 7
        elif letter == "X":
            bits |= 1 if is_folder or mode & 0o111 else 0
        else:
            bits |= {"r": 4, "w": 2, "x": 1}.get(letter, 0)
    whole = 0
    mask = 0
    for each in "ugo" if not who or "a" in who else who:
        whole |= bits << _SHIFTS[each]
        mask |= 7 << _SHIFTS[each]
        if "s" in letters and each in "ug":
            whole |= 0o4000 if each == "u" else 0o2000
    if "t" in letters:
        whole |= 0o1000
    if not who:
        whole &= ~0o022 if operator == "+" and "w" in letters else ~0
    if operator == "+":
        return mode | whole
    if operator == "-":
        return mode & ~whole
    return (mode & ~mask) | whole


def _tree(invocation: Invocation, name: str, *, recursive: bool) -> Iterator[str]:
    """Yield a name and, if asked, all below it; links are not followed."""
    waiting = [name]
    while waiting:
        each = waiting.pop()
        yield each
        if recursive and invocation.disk.kind(each, follow=False) == "folder":
            inside = invocation.disk.files.names(invocation.disk.path(each))
            waiting += [f"{each.rstrip('/')}/{below}" for below in inside[::-1]]


def run_chmod(invocation: Invocation) -> Coroutine[int]:
    """Change permissions, with -R of all below."""
    words = invocation.arguments
    flags = "".join(word[1:] for word in words if re.fullmatch("-[Rcvf]+", word))
    operands = [word for word in words if not re.fullmatch("-[Rcvf]+", word) and word != "--"]
    if len(operands) < 2:  # noqa: PLR2004 - a mode and a file
        raise UsageError
    mode, *names = operands
    if changed_mode(mode, 0, is_folder=False) is None:
        return invocation.warn(f"invalid mode '{mode}'")
    for name in names:
        for count, each in enumerate(_tree(invocation, name, recursive="R" in flags)):
            try:
                stat = invocation.stat(each)
                changed = changed_mode(mode, stat.mode, is_folder=stat.kind == "folder")
                assert changed is not None
                invocation.disk.files.set_mode(invocation.disk.path(each), changed)
            except (OSError, ValueError) as error:
                if "f" not in flags:
                    invocation.warn_of(each, error)
                invocation.status = 1
            if count % _TURN == _TURN - 1:
                yield invocation.now()
    return invocation.status


def run_chown(invocation: Invocation) -> Coroutine[int]:
    """Change owners, ``USER:GROUP``, with -R of all below."""
    return _chown(invocation)


def run_chgrp(invocation: Invocation) -> Coroutine[int]:
    """Change groups, with -R of all below."""
    return _chown(invocation, group_only=True)


def _chown(invocation: Invocation, *, group_only: bool = False) -> Coroutine[int]:
    options = invocation.options("RhLHPcvf")
    if len(options.operands) < 2:  # noqa: PLR2004 - an owner and a file
        raise UsageError
    owner, *names = options.operands
    user, colon, group = owner.partition(":")
    if group_only:
        user, group = "", owner
    files = invocation.disk.files
    uid = number_of(files, "/etc/passwd", user) if user else -1
    gid = number_of(files, "/etc/group", group) if group else -1
    if uid is None or gid is None:
        if colon and group and user:
            return invocation.warn(f"unknown user/group {owner}")
        return invocation.warn(f"unknown {'user' if uid is None else 'group'} {user or group}")
    for name in names:
        for count, each in enumerate(_tree(invocation, name, recursive="R" in options)):
            try:
                files.set_owner(invocation.disk.path(each), uid, gid, follow="h" not in options)
            except (OSError, ValueError) as error:
                invocation.warn_of(each, error)
            if count % _TURN == _TURN - 1:
                yield invocation.now()
    return invocation.status


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def run_mktemp(invocation: Invocation) -> int:
    """Make a file (-d a folder) with a new name and print it; -u makes none, -p FOLDER, -t."""
    options = invocation.options("dqtup:")
    folder = options.values.get("p") or invocation.environment.get("TMPDIR") or "/tmp"  # noqa: S108 - of the container
    template = options.operands[0] if options.operands else posixpath.join(folder, "tmp.XXXXXX")
    if options.operands and ("t" in options or "p" in options):
        template = f"{folder}/{template}"
    if not template.endswith("XXXXXX"):
        return invocation.warn("(null): Invalid argument")
    number = invocation.now() // 1000
    for attempt in range(1000):
        name = template[:-6] + _random_name(number + attempt * 7919)
        if invocation.disk.kind(name, follow=False):
            continue
        try:
            path = invocation.disk.path(name)
            if "u" not in options and "d" in options:
                invocation.disk.files.make_folder(path, 0o700)
            elif "u" not in options:
                invocation.disk.files.write(path, b"", mode=0o600)
        except OSError as error:
            return invocation.warn(f"(null): {words_of(error)}")
        invocation.print(name)
        return 0
    return invocation.warn("(null): File exists")


def _random_name(number: int) -> str:
    number = number * 6364136223846793005 + 1442695040888963407
    found = []
    for _ in range(6):
        number, rest = divmod(number, len(_LETTERS))
        found.append(_LETTERS[rest])
    return "".join(found)


def run_truncate(invocation: Invocation) -> int:
    """Make files shorter or longer: -s SIZE, -c makes none."""
    options = invocation.options("cs:")
    size = count_of(options.values.get("s", ""))
    if size is None or not options.operands:
        raise UsageError
    files = invocation.disk.files
    for name in options.operands:
        try:
            path = invocation.disk.path(name)
            if not invocation.disk.exists(name):
                if "c" in options:
                    continue
                files.write(path, b"", mode=0o666 & ~invocation.shell.umask)
            present = files.stat(path).size
            if size <= present:
                files.write(path, files.read_at(path, 0, size))
            else:
                files.write(path, bytes(min(size - present, 1 << 30)), append=True)
        except (OSError, ValueError) as error:
            invocation.warn_of(name, error, "can't open")
    return invocation.status
