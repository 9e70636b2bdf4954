"""Files whose contents a program has in memory: a mapping of names to contents, checked."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from dynadock.archive.names import member_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Content = str | bytes
    Files = Mapping[str, Content | tuple[Content, int]]

USUAL_MODE = 0o644
_MODES = 0o7777
_STICKY = range(0o1000, 0o2000)


class Given(NamedTuple):
    """A file that is packed without being on the disk."""

    name: str
    contents: bytes
    mode: int = USUAL_MODE


def given_files(files: Files, folder: str | None = None) -> list[Given]:
    """Return the files of a mapping, below ``folder``; ValueError names all that cannot be."""
    taken: dict[str, object] = {}
    faults = []
    found = []
    for name, value in files.items():
        try:
            file = Given(_free(member_name(name), taken), *_contents_and_mode(value))
        except ValueError as error:
            faults.append(f"{name!r}: {error}")
        else:
            taken[file.name] = name
            found.append(file)
    faults += _files_that_are_folders(taken)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise ValueError("\n  ".join([f"pack: {count}", *faults]))
    above = "" if folder is None else f"{folder}/"
    return [file._replace(name=above + file.name) for file in found]


def shown(files: Files) -> str:
    """Return a mapping as it is written, its modes in octal digits."""
    return f"{{{', '.join(f'{name!r}: {_written(value)}' for name, value in files.items())}}}"


def _written(value: object) -> str:
    return f"({value[0]!r}, {value[1]:#o})" if isinstance(value, tuple) else repr(value)


def _free(name: str, taken: Mapping[str, object]) -> str:
    if name in taken:
        raise ValueError(f"the same name as {taken[name]!r}")
    return name


def _files_that_are_folders(taken: Mapping[str, object]) -> Iterator[str]:
    for name, given in taken.items():
        for folder in map(str, PurePosixPath(name).parents):
            if folder in taken:
                yield f"{given!r}: it is in a folder, but {taken[folder]!r} is a file"


def _contents_and_mode(value: object) -> tuple[bytes, int]:
    match value:
        case (contents, mode):
            return _encoded(contents), _checked_mode(mode)
        case contents:
            return _encoded(contents), USUAL_MODE


def _encoded(contents: object) -> bytes:
    if isinstance(contents, str):
        try:
            return contents.encode()
        except UnicodeEncodeError:
            raise ValueError("its text has half a surrogate pair in it, and no UTF-8") from None
    if not isinstance(contents, (bytes, bytearray, memoryview)):
        expected = "text or bytes, or a pair of these and a mode such as 0o755"
        raise ValueError(f"expected {expected}, got {type(contents).__name__}")  # noqa: TRY004
    return bytes(contents)


def _checked_mode(mode: object) -> int:
    if not isinstance(mode, int) or isinstance(mode, bool) or not 0 <= mode <= _MODES:
        raise ValueError(f"expected a mode from 0 to 0o7777, got {mode!r}")
    if mode in _STICKY:
        # To files the sticky bit means nothing, and all of these are what 0o755 was to be.
        hint = f"; did you mean 0o{mode}?" if set(str(mode)) <= set("01234567") else ""
        raise ValueError(f"expected a mode without the sticky bit, got {mode:#o}{hint}")
    return mode
