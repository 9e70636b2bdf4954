"""Sessions in Markdown: reads the blocks of a page, runs them, and compares what they print.

CONTRIBUTING.md ("The guide") says how a page is written. To put real output into one, on the engine
at ``DOCKER_HOST``, or on an embedded one if that is what the page is written on::

    PYTHONPATH=tests .venv/bin/python -m sessions docs/containers.md
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import sys
import tempfile
import warnings
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import dynadock
from dynadock.embedded import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOP = Path(__file__).parents[1]
STAND_INS = {
    "localhost:5000": "DYNADOCK_TEST_REGISTRY",
    "localhost:5001": "DYNADOCK_TEST_REGISTRY_AUTH",
}
"""What pages show of the surroundings, and the variable that says what there is in its place."""
LOGIN = "DYNADOCK_TEST_REGISTRY_LOGIN"
LOGIN_SHOWN = "tester:s3cret"
HOST_SHOWN = "unix:///var/run/docker.sock"
AT_HAND = ("examples", "specs")
"""What pages may read by a relative path: folders of the checkout."""

ANYTHING = "…"
_FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})\s*([\w-]*)(.*)$")
_NOT_RUN = re.compile(r"^<!-- not run: (\S.*\S) -->$")
_REAL = re.compile(r"^<!-- real engine: (\S.*\S) -->$")
_ENGINE = re.compile(r"<!-- engine: (docker|podman|embedded) -->\n")
_OUTPUT = "text"
_RUN = ("pycon", "python")

EMBEDDED = "embedded"
ALIKE = "1.24-1.45"
"""What an embedded engine speaks in the place of the one that most pages were written on."""

# What differs from one engine, or one run, to the next: both sides are compared with these words
# in its place. The first that fits counts.
CHANGING = (
    (r"\b[0-9a-f]{64}\b", "ID"),
    (r"\b[0-9a-f]{6,64}…", "ID"),
    (r"\b(?=[a-f]*\d)[0-9a-f]{12}\b", "ID"),
    (r"(unix|tcp|embedded)://[^\s:,>)'\"]+(:\d+)?", "HOST"),
    (r"\b(Docker|Podman)/\S+ \(\w+\)", "ENGINE"),
    (r"'\d+\.\d+\.\d+(\+[\w.]+)?'", "RELEASE"),
    (r"(API|there are) \d\.\d+ to \d\.\d+", "VERSIONS"),
    (r"API \d\.\d+ at HOST", "API NEWEST at HOST"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "TIME"),
    (r"\b\d{4}-\d\d-\d\d\b", "DAY"),
    (r"\b\d\d:\d\d:\d\d\b", "CLOCK"),
    (r"\bin \d+\.\d\ds\b", "in SECONDS"),
    (r"\b(\d+|[Aa]n?|About an?|Less than an?) (second|minute|hour|day|week|month)s?\b", "AGE"),
    (r"\b1[6-9]\d{8}(\d{9})?\b", "EPOCH"),
    (r"\b\d+(\.\d+)? ?[kKMG]i?B\b", "SIZE"),
    (r"\b(Pid['\"]?[:=] ?)\d+", r"\1PID"),
    (r"\b(10|172|192)(\.\d+){3}\b", "ADDRESS"),
    (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC"),
    (r"\s+", " "),
)
_CHANGING = [(re.compile(pattern), word) for pattern, word in CHANGING]


class Block(NamedTuple):
    """A fenced block: its language, its lines, the number of the first.

    ``why_not`` says why it is not run, ``why_real`` why it is run on a real engine alone.
    """

    language: str
    lines: list[str]
    first: int
    why_not: str | None
    why_real: str | None


class Statement(NamedTuple):
    """Something to run, its line in the page, and what it shows, from one line to before another.

    ``fenced`` is true if what it shows stands in a block of its own, ``is_real`` if it is run on a
    real engine alone.
    """

    source: str
    mode: str
    line: int
    want: str
    start: int
    end: int
    fenced: bool
    is_real: bool


class PageError(Exception):
    """A page is not written in the form that can be checked."""


def engine_of(text: str) -> str:
    """Return the kind of engine that a page was written on: its first line tells of others."""
    told = _ENGINE.match(text)
    return told[1] if told else "docker"


def engines_of(text: str) -> list[str]:
    """Return the kinds of engines that a page is run on: Docker's pages on an embedded one too.

    A page whose first line says why it takes a real engine is an exception.
    """
    kind = engine_of(text)
    first = text.partition("\n")[0]
    return [kind] if kind != "docker" or _REAL.match(first) else [kind, EMBEDDED]


def only_real(text: str) -> list[str]:
    """Return why a page, or each of these of its blocks, is not run on an embedded engine."""
    whole = _REAL.match(text.partition("\n")[0])
    if whole:
        return [whole[1]]
    return [block.why_real for block in blocks_of(text) if block.why_real is not None]


def blocks_of(text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    lines = text.splitlines()
    found: list[Block] = []
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        number += 1
        if fence is None:
            continue
        indent, ticks, language, rest = fence.groups()
        if indent or rest.strip():
            raise PageError(f"line {number}: a fence stands at the margin, with a language alone")
        end = lines.index(ticks, number) if ticks in lines[number:] else len(lines)
        inside = lines[number:end]
        above = next((line for line in reversed(lines[: number - 1]) if line), "")
        reasons = (_reason(_NOT_RUN, above), _reason(_REAL, above))
        found.append(Block(language, inside, number, *reasons))
        number += len(inside) + 1
    return found


def _reason(pattern: re.Pattern[str], above: str) -> str | None:
    marked = pattern.match(above)
    return marked[1] if marked else None


def unexplained_blocks(text: str) -> list[int]:
    """Return the lines of the blocks that are neither run nor output, and do not say why."""
    blocks = blocks_of(text)
    return [
        block.first
        for before, block in zip([None, *blocks], blocks, strict=False)
        if block.why_not is None and block.language not in _RUN and not _shows(before, block)
    ]


def _shows(before: Block | None, block: Block | None) -> bool:
    """Tell if a block shows what the one before it prints."""
    return (
        before is not None
        and block is not None
        and (before.language, block.language) == ("python", _OUTPUT)
        and before.why_not is None
        and block.why_not is None
    )


def statements_of(text: str) -> list[Statement]:
    """Return all that is to be run in a page, in its order."""
    blocks = blocks_of(text)
    found: list[Statement] = []
    for block, after in zip(blocks, [*blocks[1:], None], strict=False):
        if block.why_not is not None:
            continue
        if block.language == "pycon":
            found += _typed(block)
        elif block.language == "python":
            found.append(_whole(block, after))
    return found


def _typed(block: Block) -> Iterator[Statement]:
    prompts = [at for at, line in enumerate(block.lines) if line.startswith(">>> ")]
    if prompts[:1] != [0]:
        raise PageError(f"line {block.first}: a pycon block begins with '>>> '")
    for at, end in zip(prompts, [*prompts[1:], len(block.lines)], strict=True):
        more = list(takewhile(_is_continued, block.lines[at + 1 : end]))
        start = at + 1 + len(more)
        source = [block.lines[at].removeprefix(">>> "), *(line[4:] for line in more)]
        yield Statement(
            "\n".join(source) + "\n",
            "single",
            block.first + at + 1,
            "\n".join(block.lines[start:end]),
            block.first + start,
            block.first + end,
            fenced=False,
            is_real=block.why_real is not None,
        )


def _is_continued(line: str) -> bool:
    return line == "..." or line.startswith("... ")


def _whole(block: Block, after: Block | None) -> Statement:
    start = end = block.first + len(block.lines) + 1
    source = "\n" * block.first + "\n".join(block.lines) + "\n"
    want = ""
    if after is not None and _shows(block, after):
        start, end = after.first - 1, after.first + len(after.lines) + 1
        want = "\n".join(after.lines)
    is_real = block.why_real is not None
    return Statement(
        source, "exec", block.first + 1, want, start, end, fenced=True, is_real=is_real
    )


def steadied(text: str) -> str:
    """Return a text with words in the place of what differs from run to run."""
    for changing, word in _CHANGING:
        text = changing.sub(word, text)
    return text.strip()


def agree(shown: str, want: str) -> bool:
    """Tell if what was printed is what the page shows, where ``…`` stands for anything."""
    parts = [re.escape(part) for part in steadied(want).split(ANYTHING)]
    return re.fullmatch(".*?".join(parts), steadied(shown)) is not None


def outcome(statement: Statement, page: str, names: dict[str, object]) -> str:
    """Return what a session prints after a statement: output, the value, warnings, the error.

    Of an error there is the last line alone, with the name of its class and no traceback.
    """
    printed = io.StringIO()
    code = compile(statement.source, page, statement.mode, dont_inherit=True)
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            exec(code, names)
        except Exception as error:  # noqa: BLE001 - whatever it is, the page has to show it
            print(f"{type(error).__name__}: {error}")
    told = "".join(f"{each.category.__name__}: {each.message}\n" for each in warned)
    return printed.getvalue() + told


def here(text: str) -> str:
    """Write the registries and the account that there are for those that pages show."""
    for shown, variable in STAND_INS.items():
        text = text.replace(shown, os.environ.get(variable, shown))
    pairs = zip(LOGIN_SHOWN.split(":"), os.environ.get(LOGIN, LOGIN_SHOWN).split(":"), strict=True)
    for shown, known in pairs:
        text = text.replace(f'"{shown}"', f'"{known}"')
    return text


class Missing:
    """Finds statements that cannot be run: calls to a missing registry, and what builds on them."""

    def __init__(self) -> None:
        self._never_made: set[str] = set()

    def stops(self, source: str, *, absent: bool | None = None) -> bool:
        """Tell if a statement has to be left out.

        It has if what it asks is ``absent``: by default, a registry that is not there.
        """
        names = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Name)]
        if absent is None:
            asked = [variable for shown, variable in STAND_INS.items() if shown in source]
            absent = any(variable not in os.environ for variable in asked)
        if not absent and self._never_made.isdisjoint(name.id for name in names):
            return False
        self._never_made |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        return True


def run(path: Path, kind: str) -> Iterator[tuple[Statement, str]]:
    """Run a page in a folder of its own, in one namespace; yield statements and what they print.

    On an embedded engine, what takes a real one is left out.
    """
    names: dict[str, object] = {"__name__": "__main__"}
    missing = Missing()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name in AT_HAND:
            Path(name).symlink_to(TOP / name)
        for statement in statements_of(path.read_text(encoding="utf-8")):
            absent = statement.is_real if kind == EMBEDDED else None
            if not missing.stops(statement.source, absent=absent):
                source = here(statement.source)
                yield statement, outcome(statement._replace(source=source), path.name, names)


def check(path: Path, kind: str) -> None:
    """Run a page, and fail with all places where it prints something else than it shows."""
    faults = [
        f"{path.name}:{statement.line}: {statement.source.strip()}\n"
        f"--- shown\n{statement.want}\n--- printed\n{shown}"
        for statement, shown in run(path, kind)
        if not agree(shown, here(statement.want))
    ]
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


@contextlib.contextmanager
def swept(client: dynadock.Client, is_ours: Callable[[str], bool]) -> Iterator[None]:
    """Remove at the end what has come up in an engine since the beginning and has such a name."""
    before = set(_things(client))
    try:
        yield
    finally:
        for operation, name in _things(client):
            if (operation, name) not in before and is_ours(name.rpartition("/")[2]):
                force = {} if operation == "NetworkDelete" else {"force": True}
                with contextlib.suppress(dynadock.APIError):
                    client.operations[operation](name, **force)


def _things(client: dynadock.Client) -> Iterator[tuple[str, str]]:
    """Yield what there is, as the operations that remove it and its names."""
    for container in client.ContainerList(all=True):
        yield from (("ContainerDelete", name.lstrip("/")) for name in container.Names or ())
    for image in client.ImageList():
        yield from (("ImageDelete", tag) for tag in image.RepoTags or ())
    yield from (("NetworkDelete", network.Name) for network in client.NetworkList())
    yield from (("VolumeDelete", volume.Name) for volume in client.VolumeList().Volumes or ())


def is_of_the_guide(name: str) -> bool:
    """Tell if a page of the guide made what has this name."""
    return name.startswith("guide-")


@contextlib.contextmanager
def embedded_engine() -> Iterator[Engine]:
    """Return an embedded engine for a page, which speaks what the pages' own engine does."""
    with Engine(api=ALIKE, name="guide") as engine:
        yield engine


def write(path: Path, kind: str) -> None:
    """Put what was printed into a page, wherever it shows something else."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for statement, shown in reversed(list(run(path, kind))):
        if agree(shown, here(statement.want)):
            continue
        printed = _as_pages_show(shown).rstrip().splitlines()
        if statement.fenced and printed:
            printed = [f"```{_OUTPUT}", *printed, "```"]
            printed = printed if statement.want else ["", *printed]
        lines[statement.start : statement.end] = [line.rstrip() for line in printed]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _as_pages_show(text: str) -> str:
    for shown, variable in {**STAND_INS, HOST_SHOWN: "DOCKER_HOST"}.items():
        text = text.replace(os.environ.get(variable) or shown, shown)
    return text


def _update(path: Path) -> None:
    is_asked_for = os.environ.get("DOCKER_HOST", "").startswith(f"{EMBEDDED}:")
    if is_asked_for or engine_of(path.read_text(encoding="utf-8")) == EMBEDDED:
        with embedded_engine() as engine, pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", engine.address)
            write(path, EMBEDDED)
    else:
        with swept(dynadock.load(), is_of_the_guide):
            write(path, "docker")


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        _update(page.resolve())
