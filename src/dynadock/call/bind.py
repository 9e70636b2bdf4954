"""From a call's arguments to the values of its parameters and body; all faults at once."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from io import TextIOBase
from os import PathLike
from typing import TYPE_CHECKING, Any

from dynadock.call.arguments import check_texts, checked, loose, plain
from dynadock.call.path import checked_segment, fill, other_operation_at
from dynadock.call.values import Mismatch, shown, utf8_text
from dynadock.errors import Fault, ValidationError
from dynadock.secret import is_secret_name
from dynadock.spec.names import closest
from dynadock.wire.fields import WITHOUT_CONTROLS, has_controls
from dynadock.wire.uploads import why_not_sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.options import Options
    from dynadock.spec.model import Body, Operation, Parameter

ABSENT: Any = object()
"""Stands for a body that was not given."""


class Bound:
    """The arguments of one call in their places, checked and as plain Python has them.

    ``segments`` are those of the path, ``query`` and ``headers`` the others, by the wire's names
    and in the order in which they are sent: each in the normal form of its encoding (see
    `dynadock.call.encodings`), a list of such for an array, or `Loose` for what is sent unchecked.
    ``body`` is what JSON can hold, a stream of bytes, or `ABSENT`. ``given`` are the parameters
    that the caller gave a value. `value` reads any of these.
    """

    __slots__ = ("body", "given", "headers", "operation", "query", "segments")

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.segments: dict[str, str] = {}
        self.query: dict[str, Any] = {}
        self.headers: dict[str, Any] = {}
        self.body: Any = ABSENT
        self.given: set[Parameter] = set()

    @property
    def arguments(self) -> dict[str, Any]:
        """What is sent for parameters, by the wire's names, without the body."""
        sent = {**self.query, **self.headers, **self.segments}
        return {name: plain(value) for name, value in sent.items()}

    def value(self, name: str) -> Any:
        """Return what is sent for a parameter, by either name, else at a place of the body.

        The latter is ``A.B.C`` for a field below others. None is nothing; what was sent unchecked
        is read as what its parameter takes, where that is possible.
        """
        parameter = self.operation.by_name.get(name)
        if parameter is not None:
            sent = self._sent_in(parameter.location)
            if parameter.name in sent:
                return plain(sent[parameter.name])
        found = self.body
        for step in name.split("."):
            found = _member(found, step)
        if found is None and parameter is None and name in self.query:
            return plain(self.query[name])
        return found

    def _sent_in(self, location: str) -> dict[str, Any]:
        if location == "path":
            return self.segments
        return self.query if location == "query" else self.headers


def bind(
    operation: Operation, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options
) -> Bound:
    """Put a call's arguments in their places and check them.

    ``args`` are path parameters; ``kwargs`` parameters by either name, the body under its own name
    or ``body``, or its topmost fields; None leaves an argument out, known or not. Raises
    ParameterError or BodyError with every fault that there is.
    """
    if not (args or kwargs or options.query or operation.needs_arguments):
        return Bound(operation)
    binder = _Binder(operation, options)
    binder.place_all(args, kwargs)
    return binder.finish()


class _Binder:
    """Gathers one call's values and faults.

    ``strange`` has the places in ``faults`` of arguments that are unknown, and faults for that.
    """

    def __init__(self, operation: Operation, options: Options) -> None:
        self.operation = operation
        self.options = options
        self.bound = Bound(operation)
        self.faults: list[Fault] = []
        self.fields: dict[str, Any] = {}
        self.unknown: dict[str, Any] = {}
        self.strange: dict[str, int] = {}
        self.warnings: list[str] = []

    def place_all(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Put all arguments where they belong."""
        for name, value in self._named(args, kwargs):
            self.place(name, value)

    def _named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
        """Give positional arguments their names."""
        if not args:
            return kwargs.items()
        positional = self.operation.positional
        if len(args) > len(positional):
            names = ", ".join(each.python_name for each in positional) or "none"
            # Values are not shown: one may be a body, with a secret in it.
            kinds = ", ".join(type(value).__name__ for value in args[len(positional) :])
            body = self.operation.body
            name = "body" if body is None or self.operation.is_body("body") else body.python_name
            hint = "" if body is None else f"; did you mean {name}=…?"
            problem = f"only path parameters ({names}) go without a name, got {kinds} more{hint}"
            self._fault("arguments", problem)
        pairs = [(p.python_name, value) for p, value in zip(positional, args, strict=False)]
        return [*pairs, *kwargs.items()]

    def place(self, name: str, value: Any) -> None:
        """Put one argument where it belongs."""
        parameter = self.operation.by_name.get(name)
        if parameter is not None:
            self._place_parameter(parameter, value)
            return
        body = self.operation.body
        if self.operation.is_body(name):
            self._place_body(name, value)
        elif body is not None and body.kind == "object" and name in body.properties:
            if value is not None:
                self.fields[name] = value
        else:
            self._place_unknown(name, value)

    def _place_parameter(self, parameter: Parameter, value: Any) -> None:
        if value is None:
            return
        given = self.bound.given
        if parameter in given:
            self._fault(parameter.python_name, "given twice", parameter.location)
            return
        given.add(parameter)
        self._send(parameter, value)

    def _send(self, parameter: Parameter, value: Any) -> None:
        """Keep a value for a parameter, or note why it cannot be sent."""
        if self.options.validate and parameter.has_content:
            known = len(self.faults)
            value = self._with_content(parameter, value)
            if isinstance(value, str) and len(self.faults) > known:
                # A text is kept as it is, so that its encoding would find the same once more.
                return
        try:
            if parameter.location == "path":
                self.bound.segments[parameter.name] = checked_segment(value)
            elif parameter.location == "query":
                self.bound.query[parameter.name] = self._checked(parameter, value, utf8_text)
            else:
                self.bound.headers[parameter.name] = self._checked(parameter, value, _header_text)
        except Mismatch as mismatch:
            place = parameter.python_name + mismatch.place
            problem = mismatch.discreet if parameter.secret else mismatch.problem
            self._fault(place, problem, parameter.location)

    def _with_content(self, parameter: Parameter, value: Any) -> Any:
        """Note what is wrong inside a value that is written as JSON, and make it plain."""
        from dynadock.call.content import Content

        content = Content(self.operation, parameter, value, self.options.unknown)
        self._note(content.faults)
        return content.value

    def _checked(self, parameter: Parameter, value: Any, check: Callable[[str], object]) -> Any:
        try:
            normal = checked(parameter, value)
        except Mismatch:
            if self.options.validate:
                raise
            normal = loose(value, parameter)
        check_texts(normal, check)
        return normal

    def _place_body(self, name: str, value: Any) -> None:
        if value is None:
            return
        if self.bound.body is not ABSENT:
            self._fault(name, "the body is given twice", "body")
        self.bound.body = value

    def _place_unknown(self, name: str, value: Any) -> None:
        if value is None and self.options.validate:
            # As inside a body: it asks for nothing, whichever versions know the name.
            return
        if self.options.unknown == "error" and self.options.validate:
            problem = f"unknown parameter{self._hint(name)}"
            self.strange[name] = len(self.faults)
            self.faults.append(Fault(name, problem, kind="unknown"))
        else:
            # It goes to the body, or to the query if a later argument turns out to be the body.
            self.unknown[name] = value

    def _send_unknown(self, name: str) -> None:
        value, body = self.unknown[name], self.operation.body
        in_body = body is not None and body.kind == "object" and self.bound.body is ABSENT
        if value is None and not in_body:
            return
        if self.options.unknown == "warn" and not (in_body and self.options.validate):
            # The check of the body warns of those that become its fields.
            self.warnings.append(f"{name}: unknown parameter{self._hint(name)}")
        if in_body:
            self.fields[name] = value
        else:
            self._place_loose(name, value)

    def _add_query(self) -> None:
        """Add the options' query, which wins over what the arguments made."""
        extra = self.options.query
        for name in extra:
            self.bound.query.pop(name, None)
        for name, value in extra.items():
            if value is not None:
                self._place_loose(name, value, f"query.{name}")

    def _place_loose(self, name: str, value: Any, place: str = "") -> None:
        try:
            sent = loose(value, self.operation.in_query.get(name))
            for text in (name, *sent.texts):
                utf8_text(text)
        except Mismatch as mismatch:
            is_secret = name in self.operation.secrets or is_secret_name(name)
            problem = mismatch.discreet if is_secret else mismatch.problem
            self._fault(place or name, problem, "query")
        else:
            self.bound.query[name] = sent

    def _hint(self, name: str) -> str:
        from dynadock.call.hints import hint_for_argument

        return hint_for_argument(self.operation, name)

    def _known(self) -> list[str]:
        """Return the names that an argument may have."""
        body = self.operation.body
        known = [parameter.python_name for parameter in self.operation.parameters]
        return known if body is None else [*known, body.python_name, *body.properties]

    def _is_misspelt(self, name: str, location: str) -> bool:
        """Tell whether what is missing was given under a wrong name, which is one fault, not two.

        Bodies take a name in other letters, if it is sent; to send others leaves it missing.
        """
        known = self._known()
        for given, place in self.strange.items():
            if closest(given, known) == name:
                if location != "body" or given.casefold() != name.casefold():
                    fault = self.faults[place]
                    problem = f"unknown parameter; did you mean {name!r}, which is required?"
                    self.faults[place] = fault._replace(problem=problem, kind="missing")
                return True
        return False

    def finish(self) -> Bound:
        """Look for what is missing, check the body, and give the result or raise."""
        for parameter in self.operation.must_have:
            if parameter not in self.bound.given:
                self._add_missing(parameter)
        if self.bound.segments:
            self._check_path()
        for name in self.unknown:
            self._send_unknown(name)
        if self.operation.body is not None:
            self._finish_body(self.operation.body)
        self._add_query()
        if self.warnings:
            self._warn()
        if self.faults:
            raise self._error()
        return self.bound

    def _warn(self) -> None:
        """Warn of all at once, where no values are left that a traceback could show."""
        from dynadock.call.body import warn_of_unknown

        for problem in self.warnings:
            warn_of_unknown(self.operation, problem)

    def _add_missing(self, parameter: Parameter) -> None:
        if parameter.send is not None:
            self._send(parameter, parameter.send)
        elif self.options.validate or parameter.location == "path":
            problem = f"missing; expected {parameter.type}"
            fault = Fault(parameter.python_name, problem, parameter.location, "missing")
            self._add_fault(fault)

    def _add_fault(self, fault: Fault) -> None:
        """Add a fault, unless it says that something is missing which is misspelt."""
        is_missing = fault.kind == "missing"
        if not (is_missing and self.strange and self._is_misspelt(fault.place, fault.location)):
            self.faults.append(fault)

    def _check_path(self) -> None:
        rival = other_operation_at(self.operation, self.bound.segments)
        if rival is not None:
            path = fill(self.operation, self.bound.segments)
            name = self.operation.positional[0].python_name
            self._fault(name, f"an engine would take {path} for {rival}", "path")

    def _finish_body(self, body: Body) -> None:
        if self.fields:
            if self.bound.body is not ABSENT and not isinstance(self.bound.body, Mapping):
                self._check_plain(body)
                return
            if self.bound.body is not ABSENT:
                names = ", ".join(self.fields)
                self._fault(
                    body.python_name, f"give the body as one value or as fields ({names})", "body"
                )
                return
            self.bound.body = self.fields
        if self.bound.body is ABSENT:
            self._default_body(body)
        elif body.kind == "binary":
            self._check_binary(body)
        else:
            self._check_plain(body)

    def _default_body(self, body: Body) -> None:
        if body.send is not None:
            self.bound.body = body.send
        elif body.required and self.options.validate:
            if body.kind == "object":
                # The fields may all be optional (NodeUpdate), or say themselves what is missing.
                self.bound.body = {}
                self._check_plain(body)
            else:
                problem = f"missing; expected {body.kind}"
                self._add_fault(Fault(body.python_name, problem, "body", "missing"))

    def _check_binary(self, body: Body) -> None:
        value = self.bound.body
        dockerfile = getattr(value, "dockerfile", None)
        if isinstance(value, (bytearray, memoryview)):
            self.bound.body = bytes(value)
        elif isinstance(value, PathLike):
            self._open_path(body, value)
        elif isinstance(dockerfile, str) and not self.bound.value(body.context):
            self._send_instead(body.context, dockerfile)
        elif not _is_binary(value):
            expected = "bytes, a Path, an open binary file or an iterator of bytes"
            hint = "; pathlib.Path(…) names a file or a folder" if isinstance(value, str) else ""
            problem = f"expected {expected}, got {shown(value)}{hint}"
            self._fault(body.python_name, problem, "body")
        elif self.options.validate and (problem := why_not_sent(value)):
            self._fault(body.python_name, problem, "body")

    def _open_path(self, body: Body, path: PathLike[str]) -> None:
        """Send a file as it is, a folder as a tar archive: a build context where one is wanted."""
        from dynadock.archive.pack import build_context, pack

        try:
            if not os.path.isdir(path):
                os.stat(path)
            elif body.context:
                self.bound.body = context = build_context(path, self.bound.value(body.context))
                self._send_instead(body.context, context.dockerfile)
            else:
                self.bound.body = pack(path)
        except (OSError, ValueError) as error:
            self._fault(body.python_name, f"{shown(str(path))} cannot be sent: {error}", "body")

    def _send_instead(self, name: str, value: str) -> None:
        """Send a parameter's value in place of the caller's own, or of what the engine assumes."""
        parameter = self.operation.in_query.get(name)
        if parameter is not None and value != (self.bound.value(name) or parameter.default):
            self.bound.query.pop(name, None)
            self._send(parameter, value)

    def _check_plain(self, body: Body) -> None:
        from dynadock.call.body import check_body
        from dynadock.call.plain import Plain

        plain = Plain(body)
        self.bound.body = plain.of(self.bound.body)
        self.faults += plain.faults
        if self.options.validate and not plain.faults:
            self._note(check_body(self.operation, body, self.bound.body, self.options.unknown))

    def _note(self, faults: Iterable[Fault]) -> None:
        """Keep faults, or what the options have the caller warned of."""
        for fault in faults:
            if self.options.unknown == "warn" and fault.kind == "unknown":
                self.warnings.append(f"{fault.place}: {fault.problem}")
            else:
                self._add_fault(fault)

    def _fault(self, place: str, problem: str, location: str = "call") -> None:
        self.faults.append(Fault(place, problem, location))

    def _error(self) -> ValidationError:
        operation = self.operation
        return ValidationError.of(operation.operation_id, str(operation.version), self.faults)


def _member(value: Any, name: str) -> Any:
    """Return a field of a body in whatever letters it is, as engines read it; None without it."""
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    folded = name.casefold()
    return next((each for key, each in value.items() if str(key).casefold() == folded), None)


def _is_binary(value: Any) -> bool:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return True
    if isinstance(value, (str, Mapping, TextIOBase)):
        return False
    if isinstance(value, Collection):
        return all(isinstance(chunk, (bytes, bytearray, memoryview)) for chunk in value)
    return isinstance(value, Iterable) or hasattr(value, "read")


def _header_text(text: str) -> str:
    if has_controls(text):
        raise Mismatch(WITHOUT_CONTROLS)
    if not text.isascii():
        raise Mismatch("expected ASCII text, which is all that a header can hold")
    return text
