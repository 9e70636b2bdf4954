"""What was watched as a page: what a program uses, which versions have it, what deviates."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.contracts import FAILING
from dynadock.pages.document import Section, document
from dynadock.pages.markup import Content, Markup, element, joined
from dynadock.pages.parts import (
    Badge,
    Checks,
    Choice,
    Tile,
    code,
    facts,
    filters,
    fold,
    table,
    tiles,
    times,
    versions_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MOST_ROWS = 1_000
"""Rows of a table; further ones are counted."""

MOST_NAMES = 12
"""Names of a kind that are shown at once."""

_REFUSED, _FAILED = 400, 500


def watch_page(known: Mapping[str, Any]) -> str:
    """Return the page as the text of its file, out of what `Watch.as_dict` gives."""
    sections = [
        Section("summary", "Summary", _summary(known)),
        Section("versions", "Which versions it works with", _versions(known), "Versions"),
        Section("operations", "What it uses", _operations(known), "Operations"),
    ]
    if unrecognised := known.get("unrecognised"):
        sections.append(Section("others", "Requests of no operation", _others(unrecognised)))
    deviations = _rows_of(known.get("deviations"))
    sections.append(Section("deviations", "Deviations", _deviations(deviations)))
    sections.append(Section("exchanges", "Exchanges", _exchanges(known.get("exchanges", ()))))
    lead = f"What a program asked of {known.get('to') or 'an engine'}, and what it was answered."
    return document("A program watched", sections, intro=element("p", lead, class_="lead"))


def _summary(known: Mapping[str, Any]) -> Content:
    usage = _versions_of(known)
    whole = [version for version, missing in usage.items() if not missing]
    severe = [row for row in _rows_of(known.get("deviations")) if row.get("kind") in FAILING]
    operations = {row["operation"] for row in known.get("operations", ())}
    unrecognised = sum(row["count"] for row in known.get("unrecognised", ()))
    numbers = tiles(
        [
            Tile(f"{known.get('requests', 0):,}", "Requests", meaning="that passed"),
            Tile(f"{len(operations):,}", "Operations", meaning="different ones that were used"),
            Tile(
                f"{len(whole):,} of {len(usage):,}",
                "Versions",
                "good" if whole else "",
                "✓" if whole else "",
                "of the API have everything that was used",
            ),
            Tile(
                f"{len(severe):,}",
                "Deviations",
                "warn" if severe else "",
                "!" if severe else "",
                "of kinds that a program may trip over",
            ),
            Tile(f"{unrecognised:,}", "Not recognised", meaning="requests of no operation"),
        ]
    )
    return [numbers, facts(_facts(known))]


def _facts(known: Mapping[str, Any]) -> Iterator[tuple[str, Content]]:
    engine = known.get("engine", {})
    yield "Engine", " ".join(filter(None, (known.get("to"), engine.get("server"))))
    if engine.get("newest"):
        yield "Newest version that it speaks", engine["newest"]
    if known.get("pin"):
        yield "It seemed to speak no newer version than", known["pin"]
    asked = known.get("versions", {})
    if asked:
        named = (f"{version or 'none'} ({times(count)})" for version, count in asked.items())
        yield "Versions that were asked for", ", ".join(named)
    sizes = known.get("bytes", {})
    if sizes:
        sent, received = sizes.get("sent", 0), sizes.get("received", 0)
        yield "Bytes sent and received", f"{sent:,} and {received:,}"
    for name, words in (
        ("broken", "Exchanges that broke off or could not be read"),
        ("left_out", "Exchanges that came too fast to be looked at"),
        ("unreached", "Connections that found no engine"),
    ):
        if known.get(name):
            yield words, f"{known[name]:,}"


# Versions


def _versions_of(known: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
    versions: Mapping[str, Sequence[Any]] = known.get("usage", {}).get("versions", {})
    return versions


def _versions(known: Mapping[str, Any]) -> Content:
    usage = _versions_of(known)
    if not usage:
        return element("p", "Nothing is known of any version.", class_="quiet")
    whole = [version for version, missing in usage.items() if not missing]
    words = f"All that was used is there in API {versions_in_words(whole, [*usage])}."
    rows: list[Sequence[Content]] = []
    for versions, missing in _runs(usage):
        badge = Badge("lacks some", "warn", "!") if missing else Badge("has all", "good", "✓")
        items = [_missing(each) for each in missing]
        inside = element("ul", items[:MOST_ROWS], class_="rows") if items else "Nothing."
        rows.append((versions_in_words(versions, [*usage]), badge.markup(), inside))
    columns = ("Version", "Verdict", "What stands in the way")
    return [
        element("p", words if whole else "No version has everything that was used."),
        table("Versions and what they lack", columns, rows, class_="stack"),
    ]


def _runs(usage: Mapping[str, Sequence[Any]]) -> list[tuple[list[str], Sequence[Any]]]:
    """Put neighbouring versions together that lack the same."""
    runs: list[tuple[list[str], Sequence[Any]]] = []
    for version, missing in usage.items():
        if runs and [*runs[-1][1]] == [*missing]:
            runs[-1][0].append(version)
        else:
            runs.append(([version], missing))
    return runs


def _missing(missing: Any) -> Markup:
    if not isinstance(missing, dict):
        return element("li", code(str(missing)))
    place = str(missing.get("place", ""))
    others = [name for name in missing.get("operations", ()) if not place.startswith(name)]
    where = f" in {', '.join(others)}" if others else ""
    reason = missing.get("reason", "")
    return element("li", code(place), where, f": {reason}" if reason else None)


# Operations


class _Asked(NamedTuple):
    """An operation that was asked, in all versions together."""

    name: str
    versions: Sequence[str]
    requests: int
    statuses: Mapping[str, int]


def _operations(known: Mapping[str, Any]) -> Content:
    asked = [*_asked(known.get("operations", ()))]
    if not asked:
        return element("p", "Nothing was asked.", class_="quiet")
    used = known.get("usage", {}).get("operations", {})
    shown = [
        (
            each.name,
            ", ".join(each.versions),
            f"{each.requests:,}",
            joined((_status(*pair) for pair in each.statuses.items()), " "),
            _uses(used.get(each.name, {})),
        )
        for each in asked[:MOST_ROWS]
    ]
    columns = ("Operation", "Version", "Requests", "Answers", "Parameters and fields")
    attributes: list[dict[str, object]] = [{"data_item": True} for _ in shown]
    form = filters("used", [], placeholder="Operation, parameter or field", noun="operations")
    made = table("Operations", columns, shown, class_="stack", row_attributes=attributes)
    return [form, element("div", made, id="used"), _left_out(len(asked) - MOST_ROWS)]


def _asked(rows: Iterable[Mapping[str, Any]]) -> Iterator[_Asked]:
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(row["operation"], []).append(row)
    for name, some in by_name.items():
        statuses: Counter[str] = Counter()
        for row in some:
            statuses.update(row["statuses"])
        count = sum(row["count"] for row in some)
        yield _Asked(name, [row["version"] for row in some], count, statuses)


def _uses(used: Mapping[str, Any]) -> Content:
    """Return what is used of an operation: names by their kind, and values of documented enums."""
    parts: list[Content] = []
    for title, names in (
        ("Parameters", used.get("parameters", ())),
        ("Fields", used.get("fields", ())),
        ("Always empty", used.get("empty", ())),
        ("Values", _values(used.get("values", {}))),
    ):
        if names:
            parts.append(_named(title, [*map(str, names)]))
    if unknown := used.get("unknown"):
        badges = (Badge(str(name), "warn", "!").markup() for name in unknown)
        parts.append(element("div", "Unknown to the documents: ", joined(badges, " ")))
    if unreadable := used.get("unreadable"):
        parts.append(element("div", f"{unreadable:,} that no engine reads"))
    return parts


def _named(title: str, names: Sequence[str]) -> Markup:
    first = joined(map(code, names[:MOST_NAMES]), ", ")
    if len(names) <= MOST_NAMES:
        return element("div", f"{title}: ", first)
    rest = joined(map(code, names[MOST_NAMES:]), ", ")
    more = fold(f"{len(names) - MOST_NAMES:,} more", rest, class_="minor")
    return element("div", f"{title}: ", first, more)


def _values(values: Mapping[str, Iterable[Any]]) -> list[str]:
    return [f"{place} = {value}" for place, each in values.items() for value in each]


def _status(status: Any, count: int | None = None) -> Markup:
    """Return a reply's status as a badge, with how often it came."""
    text = "no reply" if status is None else str(status)
    number = int(text) if text.isdecimal() else _FAILED
    tone = "bad" if number >= _FAILED else "warn" if number >= _REFUSED else "good"
    return Badge(text if count is None else f"{text} · {times(count)}", tone).markup()


def _others(rows: Sequence[Mapping[str, Any]]) -> Content:
    shown = (
        (code(f"{row['method']} {row['path']}"), f"{row['count']:,}", row["why"])
        for row in rows[:MOST_ROWS]
    )
    columns = ("Request", "Times", "Why")
    return [
        table("Requests of no operation", columns, shown, class_="stack"),
        _left_out(len(rows) - MOST_ROWS),
    ]


# Deviations, and exchanges


def _rows_of(deviations: Any) -> Sequence[Mapping[str, Any]]:
    rows = deviations.get("deviations", ()) if isinstance(deviations, dict) else deviations or ()
    return [*rows]


def _deviations(rows: Sequence[Mapping[str, Any]]) -> Content:
    if not rows:
        return element("p", "None: every exchange was as the documents say.")
    ordered = sorted(rows, key=lambda row: row.get("kind") not in FAILING)
    kinds = list(dict.fromkeys(str(row.get("kind", "")) for row in ordered))
    # Where there is nothing else, they are what one wants to see.
    quiet = [kind for kind in kinds if kind not in FAILING] if {*kinds} & {*FAILING} else []
    shown = [
        (
            code(str(row.get("place") or row.get("part", ""))),
            _kind(str(row.get("kind", ""))).markup(),
            ", ".join(_operations_of(row)),
            _said(row),
            f"{row.get('count', 1):,}",
            code(str(row.get("first", ""))),
        )
        for row in ordered[:MOST_ROWS]
    ]
    attributes = [
        {"data_item": True, "data_kind": str(row.get("kind", ""))} for row in ordered[:MOST_ROWS]
    ]
    form = filters(
        "deviating",
        [Checks("kind", "Kinds", [(kind, _kind(kind)) for kind in kinds], quiet)],
        placeholder="Field, operation or words",
        noun="deviations",
    )
    columns = ("Where", "Kind", "Operations", "What", "Times", "First seen in")
    made = table("Deviations", columns, shown, class_="stack", row_attributes=attributes)
    return [form, element("div", made, id="deviating"), _left_out(len(rows) - MOST_ROWS)]


def _kind(kind: str) -> Badge:
    return Badge(kind, "warn", "!") if kind in FAILING else Badge(kind)


def _operations_of(row: Mapping[str, Any]) -> Iterable[str]:
    operations = row.get("operations") or [row.get("operation_id", "")]
    return map(str, operations)


def _said(row: Mapping[str, Any]) -> str:
    if row.get("since"):
        return f"The document has no such field yet; it arrived in {row['since']}."
    expected = f"Expected {row['expected']}, got" if row.get("expected") else "Got"
    allowed = f" It is allowed: {row['allowed']}" if row.get("allowed") else ""
    return f"{expected} {row.get('got') or 'nothing'}.{allowed}"


def _exchanges(rows: Sequence[Mapping[str, Any]]) -> Content:
    if not rows:
        return element("p", "None.", class_="quiet")
    newest = [*rows][-MOST_ROWS:]
    shown = [
        (
            code(f"{row['method']} {row['target']}"),
            _status(row["status"]),
            row.get("operation_id", ""),
            "" if row.get("milliseconds") is None else f"{row['milliseconds']:,.1f} ms",
            f"{row.get('sent', 0):,} / {row.get('received', 0):,}",
            _remark(row),
        )
        for row in newest
    ]
    operations = sorted({str(row.get("operation_id", "")) for row in newest} - {""})
    attributes = [
        {"data_item": True, "data_operation": str(row.get("operation_id", ""))} for row in newest
    ]
    form = filters(
        "exchanged",
        [Choice("operation", "Operation", [(name, name) for name in operations])],
        placeholder="Method, path or status",
        noun="exchanges",
    )
    columns = ("Request", "Answer", "Operation", "Time", "Bytes out / in", "Remarks")
    made = table("Exchanges", columns, shown, class_="stack", row_attributes=attributes)
    inside = [form, element("div", made, id="exchanged")]
    title = f"The newest {len(newest):,}" if len(rows) > len(newest) else f"All {len(newest):,}"
    return fold(title, inside, class_="minor", open_=True)


def _remark(row: Mapping[str, Any]) -> str:
    upgraded = "the connection was taken over" if row.get("took_over") else ""
    return "; ".join(filter(None, (upgraded, row.get("fault", ""))))


def _left_out(count: int) -> Content:
    return element("p", f"And {count:,} more.", class_="quiet") if count > 0 else None
