"""The client: one document's operations as attributes, and how to get one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, SupportsIndex, overload

from dynadock.attribute import not_callable
from dynadock.bound import BoundOperation
from dynadock.errors import DynadockError, SpecError
from dynadock.options import (
    CONNECTIONS,
    Options,
    changes_options,
    check_known,
    takes_options,
)
from dynadock.secret import Hidden
from dynadock.spec.library import available_versions
from dynadock.spec.loader import load_spec, load_version
from dynadock.spec.versions import parse_version
from dynadock.transport.connector import Connector

if TYPE_CHECKING:
    from typing import Unpack

    from dynadock.contract.deviations import Deviations
    from dynadock.explore.definition import Definition
    from dynadock.explore.find import Place
    from dynadock.options import OptionValues
    from dynadock.spec.loader import Source
    from dynadock.spec.model import Operation, Spec
    from dynadock.transport.endpoint import Endpoint

VERSION_VARIABLE = "DOCKER_API_VERSION"

MOST_SHOWN = 30
"""Operations that are printed at once; each of the documents' groups has fewer."""


@takes_options
def load(
    source: Source | None = None,
    *,
    host: str | None = None,
    context: str | None = None,
    connections: int = CONNECTIONS,
    **options: Unpack[OptionValues],
) -> Client:
    """Return a client for an API version or a document.

    ``source`` is a version as text (``"1.42"``, ``"v1.42"``), the path of a Swagger 2.0 document
    (text or Path), or a document that is loaded already (dict). Without it,
    ``$DOCKER_API_VERSION`` sets the version, as for the docker command. Without either, the engine
    is asked, and the newest version that both sides speak is used.

    ``host`` is the engine's address (``unix:///path``, ``tcp://host:port``, ``ssh://user@host``),
    ``context`` the name of one of the docker command's contexts. Without them, the engine is chosen
    as by the docker command: ``$DOCKER_HOST``, ``$DOCKER_CONTEXT``, its current context, the
    default socket. ``connections`` limits how many calls may be in progress at a time; a further
    call waits for its turn, but no longer than it would for a new connection. Streams, uploads and
    upgrades have connections of their own and do not count. All other arguments are the options of
    every call, see `Options`.

    Raises SpecError (no such version, or an unusable document), EndpointError, ConfigError or
    Unsupported (the address), and TypeError or ValueError (the options). Without a version, also
    TransportError if no engine is reached, and DynadockError if what answers is not an engine.
    """
    given = Hidden(options)
    # A traceback may show what is here.
    del options
    connector = Connector(host, context, connections)
    # From here on, no line of a traceback shows the address in plain text.
    del host
    check_known(given, load)
    chosen = Options(**given)
    pinned = os.environ.get(VERSION_VARIABLE)
    if source is not None:
        spec = load_spec(source)
    elif pinned:
        spec = _pinned(pinned)
    else:
        return Client(_negotiated(connector, chosen), connector, chosen)
    _ = connector.endpoint  # raises for a wrong address now, not at the first call
    return Client(spec, connector, chosen)


def _pinned(text: str) -> Spec:
    """Return the spec that the environment asks for; a version, not a document's path."""
    try:
        return load_version(parse_version(text))
    except SpecError as error:
        way_out = "without it the newest version that both sides speak is taken"
        raise SpecError(f"{VERSION_VARIABLE}: {error}; {way_out}") from None


def _negotiated(connector: Connector, options: Options) -> Spec:
    agreement = connector.agreement
    spoken = connector.ask_versions(options)
    known = available_versions()
    common = [each for each in known if spoken.includes(each)]
    if not common:
        raise SpecError(
            f"{connector.endpoint} speaks API {spoken.oldest or '?'} to {spoken.newest},"
            f" and there are documents for {known[0]} to {known[-1]}"
        )
    spec = load_version(common[-1])
    agreement.note(spec.version, spoken.newest, None)
    return spec


class Client:
    """One API version's operations, each an attribute under its operationId and in snake_case.

    Made by `load`. It has few attributes of its own, so that none is an operation's name in any
    version: ``version``, ``versions``, ``endpoint``, ``options``, ``operations``, ``deviations``,
    ``find``, ``schema``, ``at``, ``with_options``, ``close``. It can be copied and pickled; the
    copy opens its own connections, looks for the engine again and carries no credentials and no
    deviations.
    """

    def __init__(
        self, spec: Spec | Callable[[], Spec], connector: Connector, options: Options
    ) -> None:
        self._source = spec
        self._connector = connector
        self._options = options

    @cached_property
    def _spec(self) -> Spec:
        return self._source() if callable(self._source) else self._source

    def __getattr__(self, name: str) -> BoundOperation:
        # Python's own probes (__deepcopy__, _repr_html_) come before there is a spec to ask.
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        operation = self._bound(self._spec.find(name))
        self.__dict__[name] = operation
        return operation

    def _bound(self, operation: Operation) -> BoundOperation:
        return BoundOperation(operation, self._connector, self._options)

    @property
    def version(self) -> str:
        """The API version, such as ``"1.42"``."""
        return _ApiVersion(self._spec)

    @property
    def endpoint(self) -> Endpoint:
        """Where the engine is, and why there (``endpoint.origin``).

        Raises EndpointError or Unsupported for an address that cannot be used.
        """
        return self._connector.endpoint

    @property
    def options(self) -> Options:
        """How calls are made."""
        return self._options

    @property
    def operations(self) -> Operations:
        """All operations by operationId."""
        return Operations(self)

    @property
    def deviations(self) -> Deviations:
        """What came that the document says otherwise, where the option ``contract`` looks at it.

        One for all clients of an engine, at whatever version and with whatever options.
        """
        return self._connector.deviations

    def find(self, words: str) -> Found:
        """Return the operations that match ``words``, best first, as a list that shows summaries.

        Searches names, paths, parameters, fields and their descriptions; word endings and small
        misspellings do not matter. See `dynadock.explore.find`.
        """
        from dynadock.explore.find import search

        answer = search(self._spec, words)
        found = Found(self._bound(operation) for operation in answer.operations)
        found.places, found.definitions = answer.places, answer.definitions
        return found

    def schema(self, name: str) -> Definition:
        """Return a definition of this version (``"HostConfig"``), which shows its fields.

        Raises SpecError, which suggests a name, if there is no such definition.
        """
        from dynadock.explore.definition import definition_of

        return definition_of(self._spec, name)

    def versions(self) -> tuple[str, ...]:
        """Return the API versions that the engine speaks, as far as there are documents for them.

        They are texts (``"1.42"``), oldest first; `dynadock.versions` lists all that there are
        documents for. The engine is asked each time (``/_ping`` and ``/version``), whatever version
        this client has. Raises TransportError if it is not reached, DynadockError if what answers
        is not an engine.
        """
        spoken = self._connector.ask_versions(self._options)
        return tuple(str(each) for each in available_versions() if spoken.includes(each))

    def at(self, source: Source) -> Client:
        """Return a client of another version or document, over the same connections.

        The options stay the same. Raises SpecError as `load` does.
        """
        return Client(load_spec(source), self._connector, self._options)

    @changes_options
    def with_options(self, /, **options: Unpack[OptionValues]) -> Client:
        """Return a client with other options (see `Options`), over the same connections.

        ``headers`` and ``query`` are added to those that are set already. Raises TypeError for an
        unknown option, TypeError or ValueError for a wrong value.
        """
        given = Hidden(options)
        # As in `load`.
        del options
        merged = self._options.merged(given)
        return Client(self._spec, self._connector, merged)

    def close(self) -> None:
        """Close idle connections; the client stays usable and opens new ones when called."""
        self._connector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._spec, *self._spec.names})

    def __reduce__(self) -> tuple[Any, ...]:
        options, connector = self._options.without_secrets(), self._connector
        return (_restored, (self._spec, connector.place, options))

    def __repr__(self) -> str:
        try:
            where = str(self.endpoint)
        except DynadockError as error:
            where = f"no engine ({error})"
        engine = self._connector.agreement.engine and f", {self._connector.agreement.engine}"
        return f"<dynadock client, API {self.version} at {where}{engine}>"


def _restored(spec: Spec, place: tuple[str | None, str | None, int], options: Options) -> Client:
    return Client(spec, Connector(*place), options)


def client_for(version: str) -> Client:
    """Return the client that ``from dynadock import v1_42`` gives.

    Its document is read at first use, so that a prompt may look at the clients of all versions. Its
    endpoint is looked up by the first call, which may be much later.
    """
    return Client(partial(load_version, parse_version(version)), Connector(), Options())


class Found(list[BoundOperation]):
    """Operations that were found; prints their names and summaries, the first few of very many.

    ``places`` are the parameters and fields that were found, each with the operations that have it,
    ``definitions`` the names of definitions, for `Client.schema`.
    """

    places: tuple[Place, ...] = ()
    definitions: tuple[str, ...] = ()

    @overload
    def __getitem__(self, place: SupportsIndex) -> BoundOperation: ...

    @overload
    def __getitem__(self, place: slice) -> Found: ...

    def __getitem__(self, place: SupportsIndex | slice) -> BoundOperation | Found:
        if isinstance(place, slice):
            return Found(super().__getitem__(place))
        return super().__getitem__(place)

    def __repr__(self) -> str:
        if not self:
            return "nothing found"
        shown = self[:MOST_SHOWN]
        width = max(len(each.operation_id) for each in shown)
        lines = [f"{each.operation_id:{width}}  {each.summary}".rstrip() for each in shown]
        if len(self) > MOST_SHOWN:
            lines.append(f"… {len(self) - MOST_SHOWN} more")
        return "\n".join([*lines, *self._inside()])

    def _inside(self) -> list[str]:
        """Return the lines about places and definitions, below an empty one."""
        rows = [(place.name, str(place)) for place in self.places]
        rows += [(name, f"client.schema({name!r})") for name in self.definitions]
        width = max((len(name) for name, _ in rows), default=0)
        lines = [f"{name:{width}}  {what}" for name, what in rows]
        return ["", *lines] if lines else []


class _ApiVersion(str):
    """A client's API version; calling it is an error that names the operation for the engine's."""

    __slots__ = ("_spec",)

    _spec: Spec

    def __new__(cls, spec: Spec) -> Self:
        version = super().__new__(cls, spec.version)
        version._spec = spec
        return version

    if not TYPE_CHECKING:

        def __call__(self, /, *_args: Any, **_kwargs: Any) -> Any:
            from dynadock.spec.hints import hint_for_operation

            hint = hint_for_operation(self._spec, "version")
            raise TypeError(
                f"client.version is not an operation but the API version, {self!r}; {hint}"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        return (str, (str(self),))


class Groups(dict[str, Found]):
    """Operations by their tags: a dict, which completion knows for one of ours."""


class Operations(Mapping[str, BoundOperation]):
    """A client's operations by operationId: a read-only mapping."""

    if not TYPE_CHECKING:
        __call__ = not_callable("operations", "a mapping of all operations by operationId")

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getitem__(self, operation_id: str) -> BoundOperation:
        return self._client._bound(self._client._spec[operation_id])  # noqa: SLF001 - one view

    @property
    def by_tag(self) -> Groups:
        """The operations in the document's groups, by their tags; "" holds those without one."""
        groups = Groups()
        for operation in self.values():
            groups.setdefault(operation.tag, Found()).append(operation)
        return Groups(sorted(groups.items()))

    def _ipython_key_completions_(self) -> list[str]:
        return [*self]

    def __iter__(self) -> Iterator[str]:
        return iter(self._client._spec)  # noqa: SLF001

    def __len__(self) -> int:
        return len(self._client._spec)  # noqa: SLF001

    def __repr__(self) -> str:
        return f"<{len(self)} operations of API {self._client.version}>"
