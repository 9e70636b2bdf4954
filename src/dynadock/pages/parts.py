"""What pages are put together from: tables, badges, tiles, bars, filters."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from dynadock.pages.markup import Content, Markup, element, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Badge(NamedTuple):
    """A word that stands out: ``tone`` is one of the palette's, or empty; ``sign`` comes first.

    So that nothing is said by colour alone, the word is always there.
    """

    word: str
    tone: str = ""
    sign: str = ""

    def markup(self) -> Markup:
        """Return it as a small label."""
        sign = element("span", self.sign, aria_hidden="true") if self.sign else None
        return element("span", sign, self.word, class_=f"badge {self.tone}".rstrip())


class Tile(NamedTuple):
    """A number that is to be seen first, with what it counts."""

    number: Content
    label: str
    tone: str = ""
    sign: str = ""
    meaning: str = ""


class Part(NamedTuple):
    """A part of a bar: how many, of what, in which tone."""

    size: int
    label: str
    tone: str


class Choice(NamedTuple):
    """A select of a filter: items have ``data-NAME`` with the values that it stands for."""

    name: str
    label: str
    values: Sequence[tuple[str, str]]
    everything: str = "all"


class Checks(NamedTuple):
    """Boxes of a filter: values with what is shown; all but ``off`` are ticked at first."""

    name: str
    label: str
    values: Sequence[tuple[str, Badge]]
    off: Sequence[str] = ()


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Content]],
    *,
    class_: str = "",
    shown: bool = False,
    row_attributes: Sequence[Mapping[str, object]] = (),
) -> Markup:
    """Return a table whose rows have their first cell for a heading.

    The caption is for who cannot see the table's surroundings, unless ``shown``.
    """
    head = element("tr", (element("th", each, scope="col") for each in columns))
    lines = []
    for number, (first, *others) in enumerate(rows):
        attributes = dict(row_attributes[number]) if row_attributes else {}
        cells = (
            element("td", other, data_label=label)
            for label, other in zip(columns[1:], others, strict=True)
        )
        lines.append(element("tr", element("th", first, scope="row"), cells, **attributes))
    made = element(
        "table",
        element("caption", caption, class_=None if shown else "unseen"),
        element("thead", head),
        element("tbody", joined(lines, "\n")),
        class_=class_ or None,
    )
    return scrolled(made, caption)


def scrolled(content: Content, label: str, *, class_: str = "scroll") -> Markup:
    """Return what scrolls by itself where it is too wide, by the keyboard too."""
    return element("div", content, class_=class_, role="region", aria_label=label, tabindex="0")


def tiles(items: Iterable[Tile]) -> Markup:
    """Return numbers beside each other, as a list of terms."""
    return element("dl", map(_tile, items), class_="tiles")


def _tile(tile: Tile) -> Markup:
    sign = element("span", tile.sign, class_=f"sign {tile.tone}", aria_hidden="true")
    return element(
        "div",
        element("dt", sign if tile.sign else None, tile.label),
        element("dd", tile.number, class_="number"),
        element("dd", tile.meaning, class_="meaning") if tile.meaning else None,
        class_="tile",
    )


_BAR = 1000


def bar(parts: Iterable[Part], label: str) -> Markup:
    """Return a bar of parts; who cannot see it is told the numbers."""
    shown = [each for each in parts if each.size]
    total = sum(each.size for each in shown)
    words = ", ".join(f"{each.size} {each.label}" for each in shown) or "nothing"
    shapes, start = [], 0.0
    for each in shown:
        width = _BAR * each.size / total
        shapes.append(
            element(
                "rect",
                x=f"{start:.4g}",
                width=f"{width:.4g}",
                height=10,
                class_=f"fill {each.tone}",
            )
        )
        start += width
    return element(
        "svg",
        element("title", f"{label}: {words}"),
        shapes,
        class_="bar",
        role="img",
        viewBox=f"0 0 {_BAR} 10",
        preserveAspectRatio="none",
        aria_label=f"{label}: {words}",
    )


def facts(rows: Iterable[tuple[str, Content]]) -> Markup:
    """Return terms with what they are."""
    return element(
        "dl",
        (element("div", element("dt", term), element("dd", value)) for term, value in rows),
        class_="facts",
    )


def fold(
    summary: Content, content: Content, *, open_: bool = False, **attributes: object
) -> Markup:
    """Return what opens when it is asked for."""
    return element("details", element("summary", summary), content, open=open_, **attributes)


def code(text: Content) -> Markup:
    """Return what a computer reads."""
    return element("code", text)


def times(count: int) -> str:
    """Return how often something came, shortly."""
    return f"{count:,} \N{MULTIPLICATION SIGN}"


def moment_in_words(text: str) -> str:
    """Return an ISO 8601 moment as a reader wants it; any other text as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = f" {moment.tzname()}" if moment.tzinfo else ""
    return f"{moment.day} {moment:%B} {moment.year}, {moment:%H:%M}{zone}"


def versions_in_words(versions: Sequence[str], known: Sequence[str]) -> str:
    """Return versions as ranges of neighbours: ``1.30-1.37, 1.41``.

    ``known`` are all versions there are, oldest first; neighbours stand side by side in it.
    """
    places = sorted(known.index(each) for each in versions)
    ranges: list[list[int]] = []
    for place in places:
        if ranges and place == ranges[-1][-1] + 1:
            ranges[-1].append(place)
        else:
            ranges.append([place])
    return ", ".join(
        known[each[0]] if len(each) == 1 else f"{known[each[0]]}\N{EN DASH}{known[each[-1]]}"
        for each in ranges
    )


def filters(
    target: str,
    controls: Iterable[Choice | Checks],
    *,
    placeholder: str,
    noun: str,
) -> Markup:
    """Return a form that hides what one does not want to see; only the script shows it.

    ``target`` is the id of what holds the items, each of which has ``data-item``; ``noun`` is what
    they are called.
    """
    search = f"{target}-text"
    return element(
        "form",
        element(
            "div",
            element("label", "Search", for_=search, class_="unseen"),
            element(
                "input",
                type="search",
                id=search,
                name="text",
                placeholder=placeholder,
                autocomplete="off",
                spellcheck="false",
            ),
            class_="field grow",
        ),
        (_choice(target, each) if isinstance(each, Choice) else _checks(each) for each in controls),
        element("button", "Show all", type="reset"),
        element("output", for_=search, class_="shown", role="status"),
        class_="filters",
        role="search",
        aria_label=f"Filter {noun}",
        data_filters=target,
        data_noun=noun,
        hidden=True,
    )


def _choice(target: str, choice: Choice) -> Markup:
    name = f"{target}-{choice.name}"
    options = [element("option", choice.everything, value="")]
    options += [element("option", word, value=value) for value, word in choice.values]
    return element(
        "div",
        element("label", choice.label, for_=name),
        element("select", options, id=name, name=choice.name),
        class_="field",
    )


def _checks(checks: Checks) -> Markup:
    boxes = (
        element(
            "label",
            element(
                "input",
                type="checkbox",
                name=checks.name,
                value=value,
                checked=value not in checks.off,
            ),
            badge.markup(),
            class_="check",
        )
        for value, badge in checks.values
    )
    return element(
        "fieldset",
        element("legend", checks.label, class_="unseen"),
        boxes,
        class_="checks",
    )
