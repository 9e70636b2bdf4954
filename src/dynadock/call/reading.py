"""From a request's query, headers and path to arguments: the reverse of `bind` and `encode`.

Engines take more than clients should send, and so does this. What a caller may rely on is checked
by `strict_faults`, through the checks that a client makes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dynadock.call.arguments import SEPARATORS, checked, encoding_of
from dynadock.call.path import checked_segment
from dynadock.call.percent import first_bad_escape, unquote
from dynadock.call.values import Mismatch, Refused, plain_text
from dynadock.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.spec.model import Operation, Parameter

_WHOLE_NUMBERS = ("integer", "seconds")
_ERROR = 500


def read_arguments(
    operation: Operation, query: str, headers: Mapping[str, str], segments: Mapping[str, str]
) -> dict[str, Any]:
    """Return what an engine reads in a request, by the wire's names.

    ``query`` is what stands behind ``?``, as it came; ``headers`` takes names in any case;
    ``segments`` are the path's, decoded. A parameter that is missing or empty has the document's
    default, or is left out; empty text is one only of strings without a default. Of a name that
    came more than once the first counts, but in arrays that are sent so. Unknown names are dropped.

    Values: text; integers; booleans, which everything is but ``0``, ``no``, ``false``, ``none`` and
    nothing; timestamps as integer nanoseconds; filters as a dict of lists, whichever of both forms
    came; JSON, in base64 or not, as what it holds. Raises Refused in the engine's words: 400 for
    filters, JSON and required integers, 500 for other integers and for timestamps (Docker 26.1).
    """
    arguments = dict(_defaults_of(operation))
    texts = texts_in(query) if query else {}
    for name, parameter in operation.in_query.items():
        _receive(parameter, texts.get(name, ()), arguments)
    for name, parameter in operation.in_headers.items():
        text = headers.get(name)
        _receive(parameter, () if text is None else (text,), arguments)
    arguments.update(segments)
    return arguments


def texts_in(query: str) -> dict[str, list[str]]:
    """Return the texts of a query by name, decoded; Refused for what Go does not take for one."""
    texts: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if not pair:
            continue
        if ";" in pair:
            raise Refused("invalid semicolon separator in query")
        name, _, text = pair.partition("=")
        texts.setdefault(_decoded(name), []).append(_decoded(text))
    return texts


def _decoded(text: str) -> str:
    if text.isalnum():
        return text
    if bad := first_bad_escape(text):
        raise Refused(f'invalid URL escape "{bad}"')
    return unquote(text.replace("+", " "))


def _receive(parameter: Parameter, texts: Any, arguments: dict[str, Any]) -> None:
    """Put what came for a parameter among the arguments."""
    if parameter.items is not None:
        if texts:
            members = _members(parameter, texts)
            arguments[parameter.name] = [_received(parameter.items, each) for each in members]
        return
    text = texts[0] if texts else ""
    if text:
        arguments[parameter.name] = _received(parameter, text)
    elif texts and parameter.encoding == "boolean":
        arguments[parameter.name] = False
    elif texts and parameter.encoding == "string":
        arguments.setdefault(parameter.name, text)
    elif parameter.required and parameter.encoding in _WHOLE_NUMBERS:
        # The one thing that engines say of all that is missing.
        _received(parameter, text)


def _members(parameter: Parameter, texts: list[str]) -> list[str]:
    """Return the texts of an array's members: each one that came, or the parts of the first."""
    if parameter.collection == "multi":
        return texts
    return texts[0].split(SEPARATORS.get(parameter.collection, ",")) if texts[0] else []


def _received(parameter: Parameter, text: str) -> Any:
    try:
        value = encoding_of(parameter).receive(text)
    except Refused as refused:
        return _unreadable(parameter, text, refused)
    if parameter.content:
        from dynadock.call.received import read_content

        return read_content(parameter, value)
    return value


def _unreadable(parameter: Parameter, text: str, refused: Refused) -> Any:
    """Return what engines take for what they cannot read, or raise Refused as they say it."""
    rule = parameter.unreadable
    if "value" in rule:
        return rule["value"]
    if rule:
        words = str(rule["words"]).replace("{0}", refused.message).replace("{1}", text)
        raise Refused(words, rule["status"]) from None
    is_number = parameter.encoding in (*_WHOLE_NUMBERS, "number", "timestamp")
    status = _ERROR if is_number and not parameter.required else refused.status
    raise Refused(refused.message, status) from None


@lru_cache(maxsize=1024)
def _defaults_of(operation: Operation) -> Mapping[str, Any]:
    """Return what the document says that an engine assumes, by the wire's names."""
    defaults: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.items is None and parameter.default not in (None, ""):
            defaults[parameter.name] = _received(parameter, plain_text(parameter.default))
    return defaults


def strict_faults(
    operation: Operation, query: str, headers: Mapping[str, str], segments: Mapping[str, str]
) -> list[Fault]:
    """Return what the document does not know of a request's parameters, or does not allow.

    The checks are those of a client. Headers that are no parameters are no faults: every client
    sends some. Raises Refused where not even an engine reads the query.
    """
    texts = texts_in(query) if query else {}
    known = operation.in_query
    faults = [_unknown(operation, name) for name in texts if name not in known]
    for parameter in operation.parameters:
        came = _texts_for(parameter, texts, headers, segments)
        faults += _faults_of(parameter, came, operation)
    return faults


def _unknown(operation: Operation, name: str) -> Fault:
    from dynadock.call.hints import hint_for_argument

    problem = f"unknown parameter{hint_for_argument(operation, name)}"
    return Fault(name, problem, "query", "unknown")


def _texts_for(
    parameter: Parameter,
    texts: Mapping[str, list[str]],
    headers: Mapping[str, str],
    segments: Mapping[str, str],
) -> list[str]:
    if parameter.location == "query":
        return texts.get(parameter.name, [])
    found = (headers if parameter.location == "header" else segments).get(parameter.name)
    return [] if found is None else [found]


def _faults_of(parameter: Parameter, texts: list[str], operation: Operation) -> Iterator[Fault]:
    name, location = parameter.name, parameter.location
    if not texts:
        if parameter.required:
            yield Fault(name, f"missing; expected {parameter.type}", location, "missing")
        return
    if len(texts) > 1 and parameter.collection != "multi":
        yield Fault(name, "given twice", location)
    try:
        if location == "path":
            checked_segment(texts[0])
        elif parameter.items is not None:
            items = parameter.items
            yield from _checked(
                parameter, [_stated(items, t) for t in _members(parameter, texts)], operation
            )
        elif texts[0] or parameter.required:
            yield from _checked(parameter, _stated(parameter, texts[0]), operation)
    except Mismatch as mismatch:
        problem = mismatch.discreet if parameter.secret else mismatch.problem
        yield Fault(name + mismatch.place, problem, location)


def _checked(parameter: Parameter, value: Any, operation: Operation) -> Iterator[Fault]:
    if parameter.has_content:
        from dynadock.call.content import Content

        found = Content(operation, parameter, value, "error").faults
        yield from found
        if found:
            return
    checked(parameter, value)


def _stated(parameter: Parameter, text: str) -> Any:
    """Return the value that a text states as clients write it, else the text, which is no value."""
    row = encoding_of(parameter)
    if parameter.encoding == "boolean":
        return {"1": True, "0": False}.get(text, row.read(text))
    if parameter.encoding in (*_WHOLE_NUMBERS, "number", "count"):
        try:
            return row.receive(text)
        except Refused:
            return text
    return text
