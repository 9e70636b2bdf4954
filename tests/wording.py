"""Checks of ``specs/reference.yaml``: a text for everything, for nothing else, and good ones.

Each check takes what it looks at and yields its faults as lines, so that it can be tried on a
little invented reference as well as on ours.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.explore.card import REPLY_DEPTH
from dynadock.explore.texts import BODY, DEFINITIONS, FIELDS, OPERATIONS, PARAMETERS, REPLY, TAGS
from dynadock.explore.types import word_for_parameter
from dynadock.spec.fields import fields
from dynadock.spec.words import word_for_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dynadock.explore.texts import Texts
    from dynadock.spec.model import Operation, Spec

LEAVES = 20
"""Levels of a body: more than any has."""

SUMMARY = "summary"
"""What says something as a whole: of an operation a part, of a tag all there is."""

RUN = 8
"""Words in a row that no published document may have, too."""

MOST_NAMES = 4
"""Differently named things that one text may be about."""

LIKES = ("like", "body_like", "reply_like")

# What a text may be made of besides names and types and still say nothing.
FILLING = frozenset(
    re.findall(
        r"\w+",
        """
        a all an and any are array as at be boolean by field for from given if in integer is it its
        list map name no not number object of on one or parameter s some string text that the this
        to value values what when where whether which with
        """,
    )
)


class Thing(NamedTuple):
    """Something that has words: where in the reference, its type, and the words of one version."""

    section: str
    owner: str
    key: str
    type: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.section}.{self.owner}.{self.key}"


class Written(NamedTuple):
    """One text of the reference and where it stands."""

    section: str
    owner: str
    key: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.section}.{self.owner}.{self.key}"

    @property
    def name(self) -> str:
        """The last name on the way: the field's, the parameter's, or the operation's."""
        group, _, path = self.key.partition(".")
        if group == PARAMETERS:
            return path
        return path.rpartition(".")[2] or self.owner


def things_of(spec: Spec, texts: Texts) -> Iterator[Thing]:
    """Yield all of a version that there should be words for."""
    known: set[tuple[str, str]] = set()
    for tag in sorted({operation.tag for operation in spec.values()} - {""}):
        yield Thing(TAGS, tag, SUMMARY, "", texts.of_tag(tag))
    for operation in spec.values():
        for thing in _things_of(operation, texts):
            if thing.section == OPERATIONS or (thing.owner, thing.key) not in known:
                known.add((thing.owner, thing.key))
                yield thing


def _things_of(operation: Operation, texts: Texts) -> Iterator[Thing]:
    definitions, own = (
        operation.spec.definitions,
        partial(Thing, OPERATIONS, operation.operation_id),
    )
    for key in (SUMMARY, "about", REPLY):
        yield own(key, "", texts.of_operation(operation, key))
    for each in operation.parameters:
        text = texts.of_parameter(operation, each.name)
        yield own(f"{PARAMETERS}.{each.name}", word_for_parameter(each), text)
    parts = [(REPLY, operation.reply.schema or {}, REPLY_DEPTH)]
    if operation.body is not None:
        yield own(BODY, "", texts.of_operation(operation, BODY))
        parts.append((BODY, operation.body.schema, LEAVES))
    for part, schema, depth in parts:
        for field in fields(schema, definitions, depth=depth):
            word, text = word_for_schema(field.schema, definitions), ""
            home = field.home
            text = texts.of_field(operation, part, home)
            if home.definition:
                yield Thing(DEFINITIONS, home.definition, f"{FIELDS}.{home.path}", word, text)
            else:
                yield own(f"{part}_{FIELDS}.{home.path}", word, text)


def written_in(tree: Mapping[str, Any]) -> Iterator[Written]:
    """Yield every text of a reference; those of ranges of versions one by one."""
    for section, owners in tree.items():
        for owner, node in owners.items():
            for key, entry in _flat(node):
                texts = [entry] if isinstance(entry, str) else [each["text"] for each in entry]
                for text in texts:
                    yield Written(section, owner, key, text)


def _flat(node: Mapping[str, Any] | str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, str):
        yield SUMMARY, node
        return
    for key, entry in node.items():
        if isinstance(entry, dict):
            for name, inner in entry.items():
                yield f"{key}.{name}", inner
        elif key not in LIKES:
            yield key, entry


def missing(things: Iterable[Thing]) -> Iterator[str]:
    """Yield what has no text."""
    yield from (thing.where for thing in things if not thing.text.strip())


def unknown(written: Iterable[Written], things: Iterable[Thing]) -> Iterator[str]:
    """Yield texts about what no version has, and those that no version shows."""
    known, told = set(), set()
    for thing in things:
        known.add(thing.where)
        told.add(thing.text)
    for each in written:
        if each.where not in known:
            yield f"{each.where}: no version has it"
        elif each.text not in told:
            yield f"{each.where}: no version is told {each.text!r}"


def leading_nowhere(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield every ``like`` that leads to what has no words."""
    for section, owners in tree.items():
        for owner, node in owners.items():
            for key in LIKES if isinstance(node, dict) else ():
                target = tree[section if key == "like" else DEFINITIONS]
                names = node.get(key, ())
                for name in [names] if isinstance(names, str) else names:
                    if name not in target:
                        yield f"{section}.{owner}.{key}: {name}"


def empty(written: Iterable[Written], things: Iterable[Thing]) -> Iterator[str]:
    """Yield texts that only repeat what a thing is called, its type, or the way to it.

    Of an operation as a whole a text may say no more than its name says: it puts it into words.
    """
    types: defaultdict[str, set[str]] = defaultdict(set)
    for thing in things:
        types[thing.where].update(words(_parted(thing.type)))
    for each in written:
        if each.key == SUMMARY:
            continue
        known = {*words(_parted(each.key)), *words(each.key), *words(_parted(each.name))}
        known |= {*words(_parted(each.owner)), *types[each.where]}
        known |= {each.owner.lower(), each.name.lower()}
        known |= {f"{word}s" for word in known} | {word.removesuffix("s") for word in known}
        if len({*words(each.text)} - known - FILLING) < 2:
            yield f"{each.where}: {each.text!r}"


def repeated(written: Iterable[Written]) -> Iterator[str]:
    """Yield texts that stand for too many things of different names to tell one from the other."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for each in written:
        names[each.text].add(each.name)
    for text, about in names.items():
        if len(about) > MOST_NAMES:
            yield f"{text!r} is about {', '.join(sorted(about))}"


def copied(written: Iterable[Written], documents: Iterable[str]) -> Iterator[str]:
    """Yield texts that have `RUN` words in a row with a document in common."""
    ours: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for each in written:
        for run in _runs(each.text):
            ours[run].add(each.where)
    shared = {run for document in documents for run in ours.keys() & {*_runs(document)}}
    yield from sorted(f"{where}: {' '.join(run)}" for run in shared for where in ours[run])


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    found = words(text)
    return zip(*(found[start:] for start in range(RUN)), strict=False)


def words(text: str) -> list[str]:
    """Return a text's words and numbers in small letters, whatever stands between them."""
    return re.findall(r"[a-z0-9]+", text.lower())


def _parted(name: str) -> str:
    """Write a name's humps apart: ``HostConfig`` is ``Host Config``."""
    return " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))
