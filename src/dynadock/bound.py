"""An operation bound to a client: what ``client.ContainerList`` is."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dynadock.call.bind import bind
from dynadock.call.encode import encode
from dynadock.call.interpret import interpret
from dynadock.call.kinds import PLAIN, TWO_WAY, expected_kind
from dynadock.deadline import Deadline
from dynadock.keywords import SharesArguments
from dynadock.options import CONNECT_TIMEOUT, DEFAULT_TIMEOUT, LONGEST_TIMEOUT
from dynadock.secret import hidden
from dynadock.wire.messages import FIRST_ERROR, Reply

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Mapping

    import requests

    from dynadock.call.bind import Bound
    from dynadock.contract.deviations import Deviations
    from dynadock.contract.holding import Holding
    from dynadock.explore.changes import Changes
    from dynadock.explore.differences import Differences, Side
    from dynadock.explore.example import Example
    from dynadock.options import Options
    from dynadock.spec.model import Body, Operation, Parameter
    from dynadock.streams.duplex import RawDuplex
    from dynadock.streams.flow import Source
    from dynadock.transport.connector import Connector
    from dynadock.wire.messages import Request

F = TypeVar("F", bound="Callable[..., Any]")


class _HelpText:
    """The ``__doc__`` of a bound operation: its own help, or the class's if there is none."""

    def __init__(self, class_text: str | None) -> None:
        self._class_text = class_text

    def __get__(self, operation: BoundOperation | None, _owner: object = None) -> str | None:
        if operation is None:
            return self._class_text
        from dynadock.explore.describe import describe

        return describe(operation._operation)  # noqa: SLF001 - one thing, two classes


def _shares_arguments(function: F) -> F:
    """Let a method show the operation's own arguments."""
    return cast("F", SharesArguments(function))


class BoundOperation:
    """An operation, the options to call it with, and the engine to call it on.

    Call it to send a request and get the reply's value. `prepare` returns the request without
    sending it, `raw` the reply without reading it. Two are equal if their operations, engines and
    options are.
    """

    def __init__(self, operation: Operation, connector: Connector, options: Options) -> None:
        self._operation = operation
        self._connector = connector
        self._options = options
        # What pydoc and inspect ask of a function.
        self.__name__ = operation.operation_id
        self.__qualname__ = f"Client.{operation.operation_id}"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Check the arguments, send the request and return the reply's value, or its stream.

        The request is sent at once. A stream is returned unread, and the caller reads it (see
        `Stream`).

        Path parameters may be positional; the rest is given by name. Raises ParameterError,
        BodyError or ConfigError (nothing was sent), a TransportError (no complete reply came) or an
        APIError (the engine refused).
        """
        args, kwargs = hidden(args, kwargs)
        bound = self._bind(args, kwargs)
        agreement = self._connector.agreement
        if agreement.may_be_refused():
            asking = agreement.ensure_speaks(self._operation, self._connector.address)
            self._connector.agree(asking, CONNECT_TIMEOUT, self._options)
        if expected_kind(bound) in PLAIN and not uploads(bound):
            return self._value(bound)
        return self._stream(bound)

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Bound:
        """Check the arguments, and add what the docker command's configuration has for them."""
        operation, options = self._operation, self._options
        bound = bind(operation, args, kwargs, options)
        if options.credentials and operation.credentials:
            from dynadock.configured import add_credentials

            add_credentials(bound, options)
        if options.proxies and operation.takes_proxies:
            from dynadock.configured import add_proxies

            add_proxies(bound, self._connector.address)
        return bound

    def _request(self, bound: Bound) -> Request:
        return self._connector.addressed(encode(bound, self._options))

    def _value(self, bound: Bound) -> Any:
        """Send over a kept connection and return the reply's value."""
        options, connector = self._options, self._connector
        request = self._request(bound)
        holding = None if options.contract == "off" else self._holding(request)
        reply = connector.send(request, time_allowed(bound, options), options)
        if connector.agreement.needs_check(self._operation.version, reply.status):
            self._check_version(reply)
        if holding is not None:
            return self._read(reply, holding)
        return interpret(self._operation, reply, connector.address)

    def _holding(self, request: Request) -> Holding | None:
        """Return what holds an exchange against the document, None if nobody wants that."""
        option = self._options.contract
        if option == "off":
            return None
        from dynadock.contract.holding import holding_of

        return holding_of(option, self._connector.deviations, self._operation, request)

    def _read(self, reply: Reply, holding: Holding | None) -> Any:
        """Return a whole reply's value, or raise the error that it is."""
        read = partial(interpret, self._operation, reply, self._connector.address)
        return read() if holding is None else holding.result(reply, read)

    def _check_version(self, reply: Reply) -> None:
        connector = self._connector
        asking = connector.agreement.check(self._operation, reply, connector.address)
        connector.agree(asking, CONNECT_TIMEOUT, self._options)

    def _stream(self, bound: Bound) -> Any:
        """Send over a connection of its own and return the stream; or the value, if it is one."""
        from dynadock.streams.flow import Origin
        from dynadock.streams.opening import open_stream

        deadline = Deadline(self._options.deadline)
        request = self._request(bound)
        holding = self._holding(request)
        source = self._open(bound, request)
        try:
            has_failed = source.status >= FIRST_ERROR
            body = source.read_all(self._options.limit) if has_failed else b""
            reply = Reply(source.status, source.headers, body)
            if self._connector.agreement.needs_check(self._operation.version, reply.status):
                self._check_version(reply)
            if has_failed:
                return self._read(reply, holding)
            origin = Origin(bound.operation, self._connector.address, self._options.limit, holding)
            ask, read = partial(self._ask, deadline), partial(self._read, holding=holding)
            return open_stream(bound, source, origin, self._options.tty, ask=ask, read=read)
        except BaseException:
            source.close()
            raise

    def _open(self, bound: Bound, request: Request) -> Source:
        """Send over a connection of its own; the reply's body is unread."""
        options = self._options
        timeout = time_allowed(bound, options)
        if expected_kind(bound) == "websocket":
            return self._connector.websocket(request, timeout, options)
        return self._connector.open(request, timeout, options, keeps=False)

    def _ask(self, deadline: Deadline, operation_id: str, /, **arguments: Any) -> Any:
        """Call another operation on behalf of this one, within what is left of its deadline."""
        operation, options = self._operation.spec.find(operation_id), self._options
        if deadline.end is not None:
            options = options.merged({"deadline": deadline.left()})
        return BoundOperation(operation, self._connector, options)(**arguments)

    @_shares_arguments
    def prepare(self, /, *args: Any, **kwargs: Any) -> Request:
        """Check the arguments and return the complete request; nothing is sent.

        Credentials and headers from the docker command's configuration are in it, and the path that
        the engine's address ends with. Its target and headers show a mask for secrets, and
        `dynadock.reveal` gives each as it is sent; its body is as it is. Raises ParameterError,
        BodyError, ConfigError or EndpointError as a call does.
        """
        args, kwargs = hidden(args, kwargs)
        return self._request(self._bind(args, kwargs))

    @_shares_arguments
    def raw(self, /, *args: Any, **kwargs: Any) -> requests.Response | RawDuplex:
        """Check the arguments, send the request and return the reply unread, whatever its status.

        The reply holds a connection until it is read to the end or closed. Operations that upgrade
        their connection return a `RawDuplex`. Raises what a call raises, except APIError.
        """
        args, kwargs = hidden(args, kwargs)
        bound = self._bind(args, kwargs)
        request = self._request(bound)
        holding = self._holding(request)
        if expected_kind(bound) in TWO_WAY:
            return self._raw_duplex(bound, self._open(bound, request), holding)
        from dynadock.transport.raw import as_requests_response

        timeout = time_allowed(bound, self._options)
        keeps = not uploads(bound)
        driver = self._connector.open(request, timeout, self._options, keeps=keeps)
        try:
            if holding is not None:
                holding.begin(driver.status, driver.headers, tells=True)
            return as_requests_response(driver, request, self._connector.endpoint)
        except BaseException:
            driver.close()
            raise

    def _raw_duplex(self, bound: Bound, source: Source, holding: Holding | None) -> RawDuplex:
        from dynadock.streams.flow import Origin
        from dynadock.streams.opening import raw_duplex

        origin = Origin(bound.operation, self._connector.address, self._options.limit, holding)
        try:
            return raw_duplex(source, origin)
        except BaseException:
            source.close()
            raise

    def check(self, value: Any) -> Deviations:
        """Return what in a value, which somebody has, is not as the document says of the reply.

        ``value`` is what a call returned, plain JSON of that form, an item of a stream, the reply
        of `raw` (which is read), or an APIError. Deviations of all classes are in it.
        """
        from dynadock.contract.asked import deviations_of

        return deviations_of(self._operation, value)

    @property
    def operation_id(self) -> str:
        """The operationId."""
        return self._operation.operation_id

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self._operation.method

    @property
    def path(self) -> str:
        """The path's template, without the version."""
        return self._operation.path

    @property
    def tag(self) -> str:
        """The group that the document puts the operation in, empty if there is none."""
        return self._operation.tag

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The path, query and header parameters."""
        return self._operation.parameters

    @property
    def body(self) -> Body | None:
        """The body, None if the operation takes none."""
        return self._operation.body

    def example(self, *, full: bool = False) -> Example:
        """Return arguments that pass the checks: a dict that you can change; it prints as a call.

        With ``full``, it has all parameters and body fields, with values that show their form.
        """
        from dynadock.explore.example import example_of

        return example_of(self._operation, full=full)

    def history(self, first: str | None = None, last: str | None = None) -> Changes:
        """Return what changed, oldest first: the operation, its arguments and its replies.

        With ``first`` and ``last``, versions as text, from the one to the other. Raises SpecError
        for what is no version, and for versions in the wrong order.
        """
        from dynadock.explore.changes import history_of_operation

        return history_of_operation(self.operation_id, first, last)

    def diff(self, old: Side) -> Differences:
        """Return what differs for this operation from another version to this client's.

        ``old`` is a version, a path, a document or a client, see `dynadock.diff`.
        """
        from dynadock.explore.differences import diff

        return diff(old, self._operation.spec).of(self.operation_id)

    def describe(self, *, depth: int = 2) -> str:
        """Return what ``help()`` shows, with ``depth`` levels of the body's fields."""
        from dynadock.explore.describe import describe

        return describe(self._operation, depth=depth)

    @property
    def summary(self) -> str:
        """What it does in one line, empty if there is no description."""
        from dynadock.explore.texts import bundled_texts

        return bundled_texts().of_operation(self._operation, "summary")

    @cached_property
    def __signature__(self) -> inspect.Signature:
        from dynadock.explore.signature import signature_of

        return signature_of(self._operation)

    def __get__(self, _instance: object, _owner: object = None) -> BoundOperation:
        """Return itself, for pydoc, which shows anything with ``__get__`` as a routine."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundOperation) and (
            self._operation == other._operation
            and self._connector is other._connector
            and self._options == other._options
        )

    def __hash__(self) -> int:
        return hash((self._operation, id(self._connector)))

    def __reduce__(self) -> tuple[Any, ...]:
        options = self._options.without_secrets()
        return (BoundOperation, (self._operation, self._connector, options))

    def __repr__(self) -> str:
        operation = self._operation
        where = f"{operation.method} {operation.path}, API {operation.version}"
        return f"<{operation.operation_id}{self.__signature__} {where}>"


BoundOperation.__doc__ = _HelpText(BoundOperation.__doc__)  # type: ignore[assignment]


def uploads(bound: Bound) -> bool:
    """Tell whether a call sends bytes, for which a kept connection is not good enough.

    It may be stale, and what is read from an iterator cannot be sent again.
    """
    body = bound.operation.body
    return body is not None and body.kind == "binary"


def time_allowed(bound: Bound, options: Options) -> float | None:
    """Return the seconds to wait for a call's answer, None for ever.

    The caller's timeout counts as it is; "auto" makes room for operations that take as long as
    their work does, and for the seconds that a parameter (ContainerStop's t) lets them take. Where
    it is not given, the engine goes by something stored, and nobody here knows how long that is.
    """
    if options.timeout != "auto":
        return options.timeout
    wait = bound.operation.reply.wait
    if not wait:
        return DEFAULT_TIMEOUT
    if not isinstance(wait, str):
        takes_long = any(bound.value(name) == value for name, value in wait.items())
        return None if takes_long else DEFAULT_TIMEOUT
    seconds = None if wait == "forever" else bound.value(wait)
    if not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_TIMEOUT / 2:
        return None
    return DEFAULT_TIMEOUT + seconds
