"""What a call is made of: specs, operations, parameters, bodies and replies, read-only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from operator import getitem
from typing import TYPE_CHECKING, Any

from dynadock.errors import UnknownOperation
from dynadock.spec import history
from dynadock.spec.names import snake_case
from dynadock.spec.schema import BOUNDS, flatten
from dynadock.spec.versions import Version, parse_version

if TYPE_CHECKING:
    from dynadock.spec.fields import Field


class Parameter:
    """A path, query or header parameter.

    ``name`` is the wire's, ``python_name`` the argument's, ``location`` path, query or header,
    ``type`` the document's type, ``encoding`` how a value is written (the type, or what the overlay
    says: filters, json-object, timestamp, …), ``enum``, ``pattern`` and ``bounds`` (``minimum``,
    ``maxLength``, …) its limits, ``default`` what the engine assumes, ``items`` the members of an
    array and ``collection`` how they are joined (``multi``: one key each). ``credentials`` says
    for which registry it takes credentials (see `dynadock.call.registries`), ``proxies`` whether it
    takes the environment variables of proxies. ``unreadable`` says what engines make of a text that
    is no value of it, where that is special: ``value``, or ``status`` and ``words`` (``{0}`` stands
    for what they say of such texts everywhere, ``{1}`` for the text).
    """

    __slots__ = (
        "bounds",
        "collection",
        "content",
        "credentials",
        "default",
        "encoding",
        "enum",
        "has_content",
        "items",
        "location",
        "name",
        "pattern",
        "proxies",
        "python_name",
        "refuse",
        "required",
        "secret",
        "send",
        "type",
        "unreadable",
    )

    def __init__(self, compiled: Mapping[str, Any], parent: Parameter | None = None) -> None:
        self.type: str = compiled["type"]
        self.encoding: str = compiled.get("encoding", self.type)
        self.name: str = parent.name if parent else compiled["name"]
        self.python_name: str = parent.python_name if parent else compiled["python_name"]
        self.location: str = parent.location if parent else compiled["in"]
        self.required: bool = compiled.get("required", False)
        self.enum: tuple[Any, ...] = tuple(compiled.get("enum", ()))
        self.pattern: str | None = compiled.get("pattern")
        self.bounds: Mapping[str, Any] = {key: compiled[key] for key in BOUNDS if key in compiled}
        self.default: Any = compiled.get("default")
        self.send: Any = compiled.get("send")
        self.secret: bool = compiled.get("secret", parent.secret if parent else False)
        self.refuse: Mapping[str, str] = compiled.get("refuse", {})
        self.collection: str = compiled.get("collection", "")
        self.credentials: Mapping[str, Any] = compiled.get("credentials", {})
        self.proxies: bool = compiled.get("proxies", False)
        self.content: dict[str, Any] = compiled.get("content", {})
        self.unreadable: Mapping[str, Any] = compiled.get("unreadable", {})
        self.items: Parameter | None = (
            Parameter(compiled["items"], self) if "items" in compiled else None
        )
        self.has_content = bool(self.content or (self.items and self.items.content))

    def __repr__(self) -> str:
        return f"<Parameter {self.name} ({self.type} in {self.location})>"


class Body:
    """A request's body: ``kind`` is object, array, binary or any; ``schema`` the corrected one.

    ``send`` is what is sent when the caller gives none. ``context`` is the parameter that names the
    Dockerfile where a folder is a build context, ``proxies`` the field that takes the environment
    variables of proxies; both are empty elsewhere. ``is_bare`` tells that engines read it whatever
    its Content-Type, ``empty`` is how they refuse an empty one, empty where they do not.
    """

    def __init__(self, compiled: Mapping[str, Any], definitions: Mapping[str, Any]) -> None:
        self.name: str = compiled["name"]
        self.python_name: str = compiled["python_name"]
        self.required: bool = compiled["required"]
        self.kind: str = compiled["kind"]
        self.schema: dict[str, Any] = compiled["schema"]
        self.send: Any = compiled.get("send")
        self.context: str = compiled.get("context", "")
        self.proxies: str = compiled.get("proxies", "")
        self.is_bare: bool = compiled.get("bare", False)
        self.empty: str = compiled.get("empty", "")
        self.media_types: tuple[str, ...] = tuple(compiled.get("media_types", ()))
        self.definitions = definitions

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """The schemas of the topmost fields by name; empty for bodies that are no objects."""
        properties: Mapping[str, Any] = flatten(self.schema, self.definitions).get("properties", {})
        return properties

    def fields(self, depth: int = 20) -> Iterator[Field]:
        """Yield every field, parents before children, at most ``depth`` levels down."""
        from dynadock.spec.fields import fields

        return fields(self.schema, self.definitions, depth=depth)

    def __repr__(self) -> str:
        return f"<Body {self.name} ({self.kind})>"


class Reply:
    """What a success brings.

    ``kind`` is one of `dynadock.spec.kinds`; ``unless`` maps argument names to the values with
    which it is a plain value after all; ``wait`` is ``forever`` where an answer may take as long as
    the work does, or maps argument names to the values with which it may, or is the name of the
    parameter whose seconds are added to the time allowed: without it the engine waits for as long
    as something says that it has stored, which may be for ever;
    ``decode`` names encoded headers; ``acts`` tells that the engine works for as long as the stream
    is read; ``tty`` where to learn whether output is a terminal's (see `dynadock.call.kinds`);
    ``resize`` is the operation that sets the terminal's size; ``upgrade`` the protocol that is
    asked for; ``rows`` the field that holds what is listed, where the reply is no list itself;
    ``media_types`` are those that the operation declares, ``codes`` all statuses that it has, and
    ``responses`` what the document says of each of them: ``schema`` and ``headers`` (by name), each
    only where there is one.
    """

    __slots__ = (
        "_operation_id",
        "_responses",
        "acts",
        "codes",
        "decode",
        "kind",
        "media_types",
        "resize",
        "rows",
        "schema",
        "tty",
        "unless",
        "upgrade",
        "wait",
    )

    def __init__(
        self, compiled: Mapping[str, Any], responses: Mapping[str, Any], operation_id: str
    ) -> None:
        self._responses = responses
        self._operation_id = operation_id
        self.kind: str = compiled["kind"]
        self.unless: Mapping[str, Any] = compiled.get("unless", {})
        self.wait: str | Mapping[str, Any] = compiled.get("wait", "")
        self.decode: Mapping[str, str] = compiled.get("decode", {})
        self.acts: bool = compiled.get("acts", False)
        self.tty: Mapping[str, str] = compiled.get("tty", {})
        self.resize: str = compiled.get("resize", "")
        self.rows: str = compiled.get("rows", "")
        self.upgrade: str = compiled.get("upgrade", "tcp")
        self.schema: dict[str, Any] | None = compiled.get("schema")
        self.codes: tuple[str, ...] = tuple(compiled["codes"])
        self.media_types: tuple[str, ...] = tuple(compiled.get("media_types", ()))

    @property
    def responses(self) -> Mapping[str, Mapping[str, Any]]:
        """What each code brings, read when it is first asked for: calls do without."""
        found: Mapping[str, Mapping[str, Any]] = self._responses[self._operation_id]
        return found

    def is_structured(self, definitions: Mapping[str, Any]) -> bool:
        """Tell whether the document has an object or a list for the reply, and not just text."""
        if self.schema is None:
            return False
        return flatten(self.schema, definitions).get("type", "object") in ("object", "array")

    def __repr__(self) -> str:
        return f"<Reply {self.kind}>"


class Operation:
    """One operation of one API version, as its corrected document has it.

    Two operations are equal when version, operationId, method and path are.
    """

    def __init__(self, operation_id: str, compiled: Mapping[str, Any], spec: Spec) -> None:
        self.operation_id = operation_id
        self.spec = spec
        self.version: Version = spec.version
        self.method: str = compiled["method"]
        self.path: str = compiled["path"]
        self.tag: str = compiled["tag"]
        self.parameters = tuple(Parameter(each) for each in compiled["parameters"])
        self.reply = Reply(compiled["reply"], spec.responses, operation_id)
        self.deprecated: bool = compiled.get("deprecated", False)
        self._body = compiled.get("body")

    @cached_property
    def body(self) -> Body | None:
        """The body, None where the operation takes none."""
        return None if self._body is None else Body(self._body, self.spec.definitions)

    @cached_property
    def credentials(self) -> tuple[Parameter, ...]:
        """The parameters that take credentials for registries."""
        return tuple(each for each in self.parameters if each.credentials)

    @cached_property
    def takes_proxies(self) -> bool:
        """Whether a parameter, or the body, takes the environment variables of proxies."""
        in_body = self.body is not None and bool(self.body.proxies)
        return in_body or any(each.proxies for each in self.parameters)

    @cached_property
    def target(self) -> str:
        """The path's template behind the version, as it is sent where it has no parameters."""
        return self.spec.base_path + self.path

    @cached_property
    def by_name(self) -> Mapping[str, Parameter]:
        """Parameters by the names that a caller may use: Python's and the wire's.

        A name on the wire that two have, in different places, is that of the path's parameter, else
        of the first.
        """
        by_wire_name: dict[str, Parameter] = {}
        for parameter in (*self.positional, *self.parameters):
            by_wire_name.setdefault(parameter.name, parameter)
        return by_wire_name | {parameter.python_name: parameter for parameter in self.parameters}

    def is_argument(self, name: str) -> bool:
        """Tell whether a name is a parameter's or the body's own, so that it is no field's."""
        return name in self.by_name or self.is_body(name)

    def is_body(self, name: str) -> bool:
        """Tell whether a name is the body's: its own, or ``body``; parameters' names come first."""
        body = self.body
        return (
            body is not None
            and name not in self.by_name
            and name in (body.python_name, body.name, "body")
        )

    @cached_property
    def in_query(self) -> Mapping[str, Parameter]:
        """The query's parameters by their names on the wire."""
        return {each.name: each for each in self.parameters if each.location == "query"}

    @cached_property
    def in_headers(self) -> Mapping[str, Parameter]:
        """The parameters that are headers, by these headers' names."""
        return {each.name: each for each in self.parameters if each.location == "header"}

    @cached_property
    def positional(self) -> tuple[Parameter, ...]:
        """The path parameters, in the order of the path: they may be given without a name."""
        in_path = (parameter for parameter in self.parameters if parameter.location == "path")
        return tuple(sorted(in_path, key=lambda each: self.path.index("{" + each.name + "}")))

    @cached_property
    def must_have(self) -> tuple[Parameter, ...]:
        """Parameters that are sent even when the caller does not name them, or must be named."""
        return tuple(
            each
            for each in self.parameters
            if each.required or each.send is not None or each.location == "path"
        )

    @cached_property
    def needs_arguments(self) -> bool:
        """Whether a call without arguments has something to send, or lacks something."""
        return bool(self.must_have) or self.body is not None

    @cached_property
    def secrets(self) -> frozenset[str]:
        """The names of query and header parameters whose values nobody is to see."""
        return frozenset(parameter.name for parameter in self.parameters if parameter.secret)

    @property
    def python_name(self) -> str:
        """The operationId in snake_case."""
        return snake_case(self.operation_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Operation) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __reduce__(self) -> tuple[Any, ...]:
        return (getitem, (self.spec, self.operation_id))

    @cached_property
    def _identity(self) -> tuple[object, ...]:
        return (self.version, self.operation_id, self.method, self.path)

    def __repr__(self) -> str:
        return f"<Operation {self.operation_id} ({self.method} {self.path}, API {self.version})>"


class Spec(Mapping[str, Operation]):
    """A compiled document: a mapping of its operations by operationId, each made on first use.

    ``key`` names it in the cache; empty if nothing that is made of it may be kept there. ``routes``
    lead from paths to operations, ``responses`` are what operations answer by code (see
    `dynadock.spec.compiler`).
    """

    def __init__(self, compiled: Mapping[str, Any], key: str = "") -> None:
        self._compiled = compiled
        self.key = key
        self.version = parse_version(compiled["version"])
        self.base_path: str = compiled["base_path"]
        self.definitions: Mapping[str, Any] = compiled["definitions"]
        self.names: Mapping[str, str] = compiled["names"]
        self.routes: Mapping[str, Any] = compiled["routes"]
        self.responses: Mapping[str, Any] = compiled["responses"]
        self._operations: Mapping[str, Any] = compiled["operations"]
        self._made: dict[str, Operation] = {}

    def __getitem__(self, operation_id: str) -> Operation:
        operation = self._made.get(operation_id)
        if operation is None:
            operation = Operation(operation_id, self._operations[operation_id], self)
            self._made[operation_id] = operation
        return operation

    def __iter__(self) -> Iterator[str]:
        return iter(self._operations)

    def __len__(self) -> int:
        return len(self._operations)

    def find(self, name: str) -> Operation:
        """Return the operation of that operationId, snake_case name or newer name.

        UnknownOperation says which one was probably meant, and in which versions the name is known.
        """
        operation_id = name if name in self._operations else self.names.get(name)
        if operation_id is None:
            raise self._unknown(name)
        return self[operation_id]

    def paths(self, method: str) -> Iterator[tuple[str, str]]:
        """Yield operationId and path template of every operation with that method."""
        for operation_id, compiled in self._operations.items():
            if compiled["method"] == method:
                yield operation_id, compiled["path"]

    def _unknown(self, name: str) -> UnknownOperation:
        from dynadock.spec.hints import hint_for_operation

        elsewhere = history.of_operation(name)
        hint = elsewhere.relative_to(self.version) if elsewhere else hint_for_operation(self, name)
        error = UnknownOperation(f"API {self.version} has no operation {name!r}; {hint}")
        # Given an object, Python would add a suggestion of its own, by spelling alone.
        error.name, error.obj = name, None
        return error

    # Compared by identity: two documents of one version may differ.
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __reduce__(self) -> tuple[Any, ...]:
        return (Spec, (self._compiled, self.key))

    def __repr__(self) -> str:
        return f"<Spec API {self.version}, {len(self)} operations>"
