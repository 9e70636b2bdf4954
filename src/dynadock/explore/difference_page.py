"""What differs between two versions as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.explore.difference_rows import BADGES, in_words
from dynadock.explore.difference_views import MEANINGS, groups_of, name_of, sign_of, title_of
from dynadock.pages.document import Section, document
from dynadock.pages.markup import Content, Markup, element, joined
from dynadock.pages.parts import Checks, Choice, Tile, code, filters, table, tiles
from dynadock.spec.differences.rows import BOTH, REPLY, REQUEST
from dynadock.spec.differences.severities import SEVERITIES

if TYPE_CHECKING:
    from dynadock.explore.difference_views import Group
    from dynadock.explore.differences import Differences
    from dynadock.spec.differences.rows import Difference

_SIGNS = {
    "+": ("new", "good", "+"),
    "-": ("gone", "bad", "\N{MINUS SIGN}"),
    "~": ("changed", "", "~"),
}
"""What the signs of rows mean, with their tones and how they are written."""


def page(differences: Differences) -> str:
    """Return the page as the text of its file: all rows by severity, with filters."""
    sections = [Section("summary", "Summary", _summary(differences))]
    for severity in SEVERITIES:
        rows = differences.only(severity)
        if rows:
            groups = joined((_group(each, differences) for each in groups_of(rows)), "\n")
            meaning = element("p", f"{MEANINGS[severity].capitalize()}.", class_="quiet")
            sections.append(Section(severity, severity.capitalize(), [meaning, groups]))
    return document(title_of(differences), sections, intro=element("p", _lead(), class_="lead"))


def _lead() -> str:
    return (
        "What changed in the documents of the Engine API, for a program that was written for the"
        " older one. What several operations share is told once."
    )


def _summary(differences: Differences) -> Content:
    counts = tiles(
        Tile(
            f"{count:,}",
            severity.capitalize(),
            BADGES[severity].tone,
            BADGES[severity].sign,
            MEANINGS[severity],
        )
        for severity, count in differences.counts.items()
    )
    if not differences:
        return [counts, element("p", "There is no difference.")]
    operations = sorted({name for row in differences for name in row.operations})
    form = filters(
        "main",
        [
            Choice("operation", "Operation", [(name, name) for name in operations]),
            Choice("direction", "Direction", [(REQUEST, "request"), (REPLY, "reply")], "both"),
            Checks("severity", "Severities", [(name, BADGES[name]) for name in SEVERITIES]),
        ],
        placeholder="Operation, definition, field or words",
        noun="differences",
    )
    return [counts, form]


def _group(group: Group, differences: Differences) -> Markup:
    rows: list[list[Content]] = [
        [_name(row), _words(row, differences), in_words(row.direction)] for row in group.rows
    ]
    attributes = [_filtered(row) for row in group.rows]
    columns = ("Where", "What became of it", "Direction")
    title = group.name or "Elsewhere"
    shown = table(title, columns, rows, class_="stack bare three", row_attributes=attributes)
    heading = element("h3", code(title))
    where = element("p", f"{group.where[:1].upper()}{group.where[1:]}.", class_="quiet")
    return element(
        "div", heading, where if group.where else None, shown, class_="group", data_holds=True
    )


def _filtered(row: Difference) -> dict[str, object]:
    directions = (REQUEST, REPLY) if row.direction == BOTH else (row.direction,)
    return {
        "data_item": True,
        "data_severity": row.severity,
        "data_direction": " ".join(directions),
        "data_operation": " ".join(row.operations),
        "data_words": f"{row.place} {' '.join(row.operations)}",
    }


def _name(row: Difference) -> Content:
    meaning, tone, sign = _SIGNS[sign_of(row)]
    mark = element(
        "span",
        element("span", sign, aria_hidden="true"),
        element("span", f"{meaning}: ", class_="unseen"),
        class_=f"mark {tone}".rstrip(),
    )
    return [mark, code(name_of(row) or row.place)]


def _words(row: Difference, differences: Differences) -> Content:
    text = differences.text_about(row)
    return [row.words, element("div", text, class_="quiet") if text else None]
