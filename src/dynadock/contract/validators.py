"""openapi-core, set up for one document: errors of requests, of replies and of single values.

It is loaded when something is checked for the first time. What it is told and what is left out:

- The operation is known already, so that names with slashes, paths without a version and the
  prefix of an engine's address lead to it.
- The document is not validated, which takes most of a second; ours are, by tests.
- A schema's validator is made once, and stops at `MOST_ERRORS`.
- ``pattern``, ``enum``, ``uniqueItems`` and ``multipleOf`` are checked in linear time
  (`dynadock.call.limits`).
- JSON comes parsed.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from jsonschema.validators import extend
from jsonschema_path import SchemaPath
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.paths.datatypes import PathOperationServer
from openapi_core.validation.request.exceptions import (
    InvalidRequestBody,
    MissingParameterError,
    MissingRequestBodyError,
    ParameterValidationError,
)
from openapi_core.validation.response.exceptions import (
    HeaderValidationError,
    InvalidData,
    MissingData,
    MissingHeaderError,
)
from openapi_core.validation.schemas import oas31_schema_validators_factory
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from openapi_core.validation.schemas.factories import SchemaValidatorsFactory
from openapi_core.validation.schemas.validators import SchemaValidator
from openapi_schema_validator import OAS31Validator
from werkzeug.datastructures import Headers, ImmutableMultiDict

from dynadock.call.limits import linear_checks
from dynadock.record import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MOST_ERRORS = 500
"""Errors of one value that are looked at."""

_HOST = "http://engine"


class Parsed(bytes):
    """A body that has been read already: ``value`` is what is in it."""

    value: Any

    @classmethod
    def of(cls, value: Any) -> Parsed:
        """Make one of a value."""
        made = cls(b" ")
        made.value = value
        return made


class _Bounded(SchemaValidator):
    """Finds the first errors of a value, and no more."""

    def validate(self, value: Any) -> None:
        errors = tuple(islice(self.validator.iter_errors(value), MOST_ERRORS))
        if errors:
            raise InvalidSchemaValue("", "", schema_errors=errors)


class _Factory(SchemaValidatorsFactory):
    """Makes the validator of each schema once; openapi-core makes it for each value."""

    def __init__(self) -> None:
        kind = extend(OAS31Validator, linear_checks())  # type: ignore[no-untyped-call]
        super().__init__(kind, oas31_schema_validators_factory.format_checker)
        self._made: dict[tuple[Any, ...], SchemaValidator] = {}

    def create(
        self, spec: SchemaPath, schema: SchemaPath, *_args: Any, **_options: Any
    ) -> SchemaValidator:
        made = self._made.get(schema.parts)
        if made is None:
            found = super().create(spec, schema)
            made = self._made.setdefault(schema.parts, _Bounded(schema, found.validator))
        return made


class _KnownOperation:
    """Finds the operation that is asked for by its own template, and looks at nothing else."""

    def __init__(self, spec: SchemaPath, base_url: str | None = None) -> None:  # noqa: ARG002 - as they are made
        self._spec = spec
        self._made: dict[tuple[str, str], PathOperationServer] = {}

    def find(self, method: str, name: str) -> PathOperationServer:
        key = (method, name)
        found = self._made.get(key)
        if found is None:
            path = self._spec / "paths" / name.removeprefix(_HOST)
            found = PathOperationServer(path, path / method, None, _NoVariables, None)
            self._made[key] = found
        return found


class _NoVariables:
    variables: Mapping[str, str] = {}


class Wrong(NamedTuple):
    """What is wrong with a parameter or a header.

    ``location`` is query, path or header, ``errors`` are jsonschema's of its value; there are none
    where it is missing, or where it cannot be read as the type that it has.
    """

    location: str
    name: str
    is_missing: bool
    errors: tuple[Any, ...]


class Errors(NamedTuple):
    """What openapi-core says: jsonschema's errors of a body, what is wrong beside it, the rest."""

    body: tuple[Any, ...]
    parts: tuple[Wrong, ...]
    others: tuple[Exception, ...]


class RequestView:
    """A request as openapi-core asks for one."""

    host_url = _HOST

    def __init__(
        self,
        method: str,
        template: str,
        parameters: RequestParameters,
        body: bytes | None,
        content_type: str | None,
    ) -> None:
        self.method = method
        self.path = template
        self.path_pattern = template
        self.parameters = parameters
        self.body = body
        self.content_type = content_type


class ReplyView:
    """A reply as openapi-core asks for one."""

    def __init__(
        self, status: int, headers: Mapping[str, str], content: tuple[str | None, bytes | None]
    ) -> None:
        self.status_code = status
        self.headers = headers
        self.content_type, self.data = content


class Validators:
    """What checks by one document, which is a tree of OpenAPI 3.1."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self._factory = _Factory()
        self._spec = SchemaPath.from_dict(tree)
        # What stands here is more than openapi-core's annotations allow, and what it documents:
        # None checks no document, and a finder needs no more than `find`.
        finding: Any = {"spec_validator_cls": None, "path_finder_cls": _KnownOperation}
        config = Config(
            **finding,
            schema_validators_factory=self._factory,
            extra_media_type_deserializers=_AllTypes(),
        )
        made = OpenAPI(self._spec, config=config)
        # None is a Content-Type for it, too, which its types do not say.
        self._of_requests: Any = made.request_validator
        self._of_replies: Any = made.response_validator

    def errors_of_request(
        self,
        operation: tuple[str, str],
        segments: Mapping[str, str],
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        content: tuple[str | None, bytes | None],
    ) -> Errors:
        """Return what openapi-core says of a request; ``operation`` is method and template.

        ``content`` is the key of its content, and the body.
        """
        parameters = RequestParameters(
            query=ImmutableMultiDict(query), header=Headers([*headers.items()]), path=segments
        )
        method, template = operation
        content_type, body = content
        view: Any = RequestView(method, template, parameters, body, content_type)
        return _sorted(self._of_requests.iter_errors(view))

    def errors_of_reply(
        self,
        operation: tuple[str, str],
        status: int,
        headers: Mapping[str, str],
        content: tuple[str | None, bytes | None],
    ) -> Errors:
        """Return what openapi-core says of a reply; arguments as there."""
        method, template = operation
        request: Any = RequestView(method, template, RequestParameters(), None, None)
        reply: Any = ReplyView(status, headers, content)
        return _sorted(self._of_replies.iter_errors(request, reply))

    def errors_of_value(self, way: Sequence[str], value: Any) -> Iterator[Any]:
        """Yield jsonschema's errors of a value; ``way`` leads to its schema in the tree."""
        schema = self._spec
        for step in way:
            schema = schema / step
        validator = self._factory.create(self._spec, schema).validator
        return islice(validator.iter_errors(value), MOST_ERRORS)


def _sorted(errors: Iterable[Exception]) -> Errors:
    body: list[Any] = []
    parts: list[Wrong] = []
    others: list[Exception] = []
    for error in errors:
        if isinstance(error, ParameterValidationError):
            is_missing = isinstance(error, MissingParameterError)
            parts.append(Wrong(error.location, error.name, is_missing, _of_schema(error)))
        elif isinstance(error, HeaderValidationError):
            is_missing = isinstance(error, MissingHeaderError)
            parts.append(Wrong("header", error.name, is_missing, _of_schema(error)))
        elif isinstance(error, (InvalidData, InvalidRequestBody)):
            body += _of_schema(error)
        elif not isinstance(error, (MissingData, MissingRequestBodyError)):
            others.append(error)
    return Errors(tuple(body), tuple(parts), tuple(others))


def _of_schema(error: Exception) -> tuple[Any, ...]:
    cause = error.__cause__
    return tuple(cause.schema_errors) if isinstance(cause, InvalidSchemaValue) else ()


class _AllTypes(dict[str, Any]):
    """A reader for each media type: what comes is parsed already, or is JSON in a parameter."""

    def __contains__(self, _media_type: object) -> bool:
        return True

    def __missing__(self, _media_type: str) -> Any:
        return _read


def _read(data: bytes | str, **_parameters: str) -> Any:
    if isinstance(data, Parsed):
        return data.value
    return read_json(data.encode() if isinstance(data, str) else data)
