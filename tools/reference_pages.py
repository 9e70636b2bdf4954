"""The guide's reference: pages of operations and definitions, from the data that help shows.

Nothing here is written to disk: `docs_hook` hands the pages to mkdocs when the guide is built.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dynadock.explore.card import card_of
from dynadock.explore.changes import history_of_operation
from dynadock.explore.definition import definition_of
from dynadock.explore.example import example_of
from dynadock.spec.library import bundled_folder, bundled_versions, document_name
from dynadock.spec.loader import load_spec
from dynadock.spec.schema import reference_name
from dynadock.spec.words import word_for_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dynadock.explore.card import Card, Part, Row
    from dynadock.explore.changes import Change
    from dynadock.spec.model import Operation, Spec

FOLDER = "reference"
INDEX = f"{FOLDER}/index.md"
OPERATIONS = "Reference"
DEFINITIONS = "Definitions"
ALL_LEVELS = 20
MANY_FIELDS = 12
"""More fields than that are folded up."""

_MARKED = re.compile(r"([\\`*_{}\[\]|#~])")
_NAME = re.compile(r"\b[A-Z][a-z]+[A-Z]\w+\b")
_SINCE = re.compile(r"since \S+|until \S+|\S+ to \S+")
_MARKS = {"list": "[]", "map": "{}"}


class Page(NamedTuple):
    """A page: its path below the guide's folder, its section and name there, and its Markdown."""

    path: str
    section: str
    title: str
    text: str


@cache
def reference_pages() -> tuple[Page, ...]:
    """Return the reference of the newest bundled version: an index, and two pages for each tag.

    One has the operations, the other (where there are any) the definitions that those lead to and
    no tag before it has, so that each definition stands in one place.
    """
    return tuple(_Reference(_newest()).pages())


@cache
def place_of(operation_id: str) -> str | None:
    """Return the address of an operation of the newest version, None for any other word."""
    spec = _newest()
    if operation_id not in spec:
        return None
    page = _operations_file(spec[operation_id].tag).removesuffix(".md")
    return f"{FOLDER}/{page}.html#{operation_id}"


@cache
def _newest() -> Spec:
    return load_spec(Path(bundled_folder(), document_name(bundled_versions()[-1])))


class _Reference:
    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._tags = {tag: [*group] for tag, group in groupby(_by_tag(spec), lambda each: each.tag)}
        self._cards = {name: card_of(spec[name], depth=ALL_LEVELS) for name in spec}
        self._homes = self._definitions_by_tag()
        self._lifetimes = _lifetimes_of_fields(self._cards.values())

    def pages(self) -> Iterator[Page]:
        yield Page(INDEX, OPERATIONS, "All operations", _text(self._index()))
        for tag, operations in self._tags.items():
            path = f"{FOLDER}/{_operations_file(tag)}"
            yield Page(path, OPERATIONS, tag, _text(self._of_tag(operations)))
        for tag in self._tags:
            names = [name for name, home in self._homes.items() if home == tag]
            if names:
                path = f"{FOLDER}/{_definitions_file(tag)}"
                yield Page(path, DEFINITIONS, tag, _text(self._of_definitions(tag, names)))

    def _definitions_by_tag(self) -> dict[str, str]:
        """Return for each definition that an operation leads to the first tag that has it."""
        homes: dict[str, str] = {}
        for tag, operations in self._tags.items():
            for operation in operations:
                for name in _reached(operation):
                    homes.setdefault(name, tag)
        return dict(sorted(homes.items(), key=lambda pair: pair[0].lower()))

    def _index(self) -> Iterator[str]:
        yield f"# All operations of API {self._spec.version}"
        yield (
            "Each operation of the newest bundled document, as `help()` has it. At the prompt,"
            " `client.find(...)` searches the same words in the version that you use."
        )
        for tag, operations in self._tags.items():
            yield f"## {tag}"
            yield "\n".join(
                [
                    "| Operation | What it does |",
                    "|---|---|",
                    *(
                        f"| {self._operation_link(each.operation_id)}"
                        f" | {_plain(self._cards[each.operation_id].summary)} |"
                        for each in operations
                    ),
                ]
            )

    def _of_tag(self, operations: list[Operation]) -> Iterator[str]:
        yield f"# {operations[0].tag}"
        for operation in operations:
            yield from self._operation(operation, self._cards[operation.operation_id])

    def _operation(self, operation: Operation, card: Card) -> Iterator[str]:
        yield f"## {card.operation_id} {{ #{card.operation_id} }}"
        if card.summary:
            yield f"**{_plain(card.summary)}.**"
        yield ", ".join([f"`{card.method} {card.path}`", *map(_plain, card.notes)])
        if card.about:
            yield self._words(card.about)
        yield f"```python\n{example_of(operation)}\n```"
        if card.parameters:
            yield from self._parameters(card.parameters)
        if card.body is not None:
            yield from self._body(card.body)
        yield from self._reply(card.reply)
        if card.errors:
            yield _part("Errors")
            yield ", ".join(f"{code} `{name}`" for code, name in card.errors)
        yield from _changes(operation)

    def _parameters(self, rows: tuple[Row, ...]) -> Iterator[str]:
        yield _part("Parameters")
        yield "\n".join(
            [
                "| Name | Type | Meaning |",
                "|---|---|---|",
                *(
                    f"| `{row.name}` | {_plain(', '.join([row.type, *row.notes]))}"
                    f" | {self._words(row.text)} |"
                    for row in rows
                ),
            ]
        )

    def _body(self, part: Part) -> Iterator[str]:
        yield _part("Body")
        facts = ", ".join([self._type(part.type), *map(_plain, part.notes)])
        yield f"`{part.name}` ({facts}). {self._words(part.text)}".rstrip()
        yield from _folded(self._fields(part.rows))

    def _reply(self, part: Part) -> Iterator[str]:
        yield _part("Reply")
        text = f". {self._words(part.text)}" if part.text else ""
        yield f"{self._type(part.type)}{text}"
        yield from _folded(self._fields(part.rows, whole=True))

    def _of_definitions(self, tag: str, names: list[str]) -> Iterator[str]:
        yield f"# {tag}: definitions"
        yield (
            f"What the [operations]({_operations_file(tag)}) take and give is made of these."
            f' At the prompt, `client.schema("{names[0]}")` shows one.'
        )
        for name in names:
            yield f"## {name} {{ #{name} }}"
            yield from self._definition(name)

    def _definition(self, name: str) -> Iterator[str]:
        schema = self._spec.definitions[name]
        word = word_for_schema(schema, self._spec.definitions)
        if word != "object":
            choices = ", ".join(f"`{each}`" for each in schema.get("enum", ()) if each != "")
            yield self._type(word) + (f", one of {choices}" if choices else "")
        rows = definition_of(self._spec, name).rows(ALL_LEVELS)
        if self._linked(word) is None:
            yield self._fields(row._replace(notes=self._notes(name, row)) for row in rows)

    def _notes(self, definition: str, row: Row) -> tuple[str, ...]:
        """Return a field's notes and, where all bodies that have it agree, since when it is."""
        found = self._lifetimes.get((definition, row.path), set())
        return (*row.notes, *(next(iter(found)) if len(found) == 1 else ()))

    def _fields(self, rows: Iterable[Row], *, whole: bool = False) -> str:
        """Return fields as a tree; what has a section of its own is entered only if ``whole``."""
        lines = []
        for row in rows if whole else self._without_linked(rows):
            facts = ", ".join([self._type(row.type), *map(_plain, row.notes)])
            text = f"<br>{self._words(row.text)}" if row.text else ""
            lines.append(f"{'    ' * row.depth}- `{row.name}` *{facts}*{text}")
        return "\n".join(lines)

    def _without_linked(self, rows: Iterable[Row]) -> Iterator[Row]:
        inside: tuple[str, ...] = ()
        for row in rows:
            if not row.path.startswith(inside) or not inside:
                inside = _below(row.path) if self._linked(row.type) else ()
                yield row

    def _linked(self, word: str) -> str | None:
        """Return the definition with a section of its own that a type's word ends in."""
        name = word.rpartition(" ")[2]
        return name if name in self._homes else None

    def _type(self, word: str) -> str:
        name = self._linked(word)
        if name is None:
            return _plain(word)
        link = f"[{_plain(name)}]({_definitions_file(self._homes[name])}#{name})"
        return _plain(word.removesuffix(name)) + link

    def _words(self, text: str) -> str:
        """Return a text with links to the operations that it names."""
        return _NAME.sub(lambda found: self._operation_link(found[0]), _plain(text))

    def _operation_link(self, name: str) -> str:
        if name not in self._spec:
            return name
        return f"[{name}]({_operations_file(self._spec[name].tag)}#{name})"


def _by_tag(spec: Spec) -> list[Operation]:
    return sorted(spec.values(), key=lambda each: (each.tag, each.operation_id))


def _operations_file(tag: str) -> str:
    return f"{tag.lower()}.md"


def _definitions_file(tag: str) -> str:
    return f"{tag.lower()}-definitions.md"


def _reached(operation: Operation) -> Iterator[str]:
    """Yield the definitions that body and reply are made of, also through others."""
    waiting: list[object] = [operation.reply.schema]
    if operation.body is not None:
        waiting.append(operation.body.schema)
    seen = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            name = reference_name(node) if isinstance(node.get("$ref"), str) else None
            if name is not None and name not in seen:
                seen.add(name)
                yield name
                waiting.append(operation.spec.definitions[name])


def _lifetimes_of_fields(cards: Iterable[Card]) -> Mapping[tuple[str, str], set[tuple[str, ...]]]:
    """Return what bodies say of the versions of definitions' fields, by definition and path.

    History is kept for each operation's body; a definition may stand in several of them.
    """
    found: dict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
    for body in (card.body for card in cards if card.body is not None):
        for word, prefix in [(body.type, ""), *((row.type, row.path) for row in body.rows)]:
            *around, name = word.split(" ")
            path = prefix + "".join(_MARKS.get(each, "") for each in around)
            start = f"{path}." if path else ""
            for row in body.rows:
                if row.path.startswith(start):
                    notes = tuple(note for note in row.notes if _SINCE.fullmatch(note))
                    found[name, row.path.removeprefix(start)].add(notes)
    return found


def _below(path: str) -> tuple[str, ...]:
    """Return the beginnings of the paths of the fields below one."""
    return (f"{path}.", f"{path}[", f"{path}{{")


def _changes(operation: Operation) -> Iterator[str]:
    changes = history_of_operation(operation.operation_id)
    if not changes:
        return
    lines = []
    for version, group in groupby(changes, lambda each: each.version):
        words = ", ".join(f"{each.what} `{each.name}`{_became(each)}" for each in group)
        lines.append(f"- {version}: {words}")
    listed = _inside("\n".join(lines))
    yield f'??? note "What changed since {bundled_versions()[0]}"\n\n{listed}'


def _became(change: Change) -> str:
    if change.kind == "arrived":
        return ""
    return " left" if change.kind == "left" else f" ({change.words})"


def _folded(fields: str) -> Iterator[str]:
    count = len(fields.splitlines())
    yield f'??? note "Its {count} fields"\n\n{_inside(fields)}' if count > MANY_FIELDS else fields


def _part(title: str) -> str:
    return f"**{title}**{{ .part }}"


def _inside(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    return _MARKED.sub(r"\\\1", html.escape(text, quote=False))


def _text(blocks: Iterator[str]) -> str:
    return "\n\n".join(filter(None, blocks)) + "\n"
