"""The documents that `dynadock.openapi` makes, held against what engines are asked and answer."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from requests import PreparedRequest

from dynadock import openapi, reveal
from engine.things import LABELS, new_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock import BoundOperation, Client


@cache
def document_of(version: str) -> OpenAPI:
    # Other tests check that it is valid, which takes seconds.
    unchecked = Config(spec_validator_cls=None)  # type: ignore[arg-type]
    return OpenAPI.from_dict(openapi(version), config=unchecked)


def asked(operation: BoundOperation, arguments: dict[str, Any]) -> RequestsOpenAPIRequest:
    """Return the request that a call would send, as openapi-core wants it."""
    made = operation.prepare(**arguments)
    request = PreparedRequest()
    headers = {name: str(text) for name, text in reveal(made.headers).items()}
    url = f"http://engine{reveal(made.target)}"
    request.prepare(made.method, url, headers, data=made.body)
    return RequestsOpenAPIRequest(request)


def problems(error: BaseException) -> Iterator[str]:
    """Yield what openapi-core finds wrong, but for null, which is Go's empty list or map."""
    causes = getattr(error, "schema_errors", ())
    if not causes and error.__cause__ is not None:
        yield from problems(error.__cause__)
    elif not causes:
        yield f"{type(error).__name__}: {error}"
    for each in causes:
        if each.instance is not None:
            yield f"{each.json_path}: {each.message[:200]}"


def test_requests_and_replies_are_as_the_document_says(
    client: Client, new_container: Callable[..., str]
) -> None:
    document = document_of(client.version)
    name, label = new_name("openapi"), {"label": [f"{key}={text}" for key, text in LABELS.items()]}
    container = new_container()
    calls: list[tuple[str, dict[str, Any]]] = [
        ("SystemPing", {}),
        ("SystemVersion", {}),
        ("ContainerList", {"all": True, "limit": 3, "filters": label}),
        ("ContainerArchive", {"id": container, "path": "/bin/busybox"}),
        ("ContainerInspect", {"id": "no-such-container"}),
        ("ContainerStart", {"id": container}),
        ("ContainerRename", {"id": container, "name": f"{name}-renamed"}),
        ("ContainerStop", {"id": f"{name}-renamed", "t": 0}),
        ("VolumeCreate", {"Name": name, "Labels": LABELS}),
        ("VolumeInspect", {"name": name}),
        ("VolumeList", {"filters": label}),
        ("VolumeDelete", {"name": name}),
        ("ImageInspect", {"name": "no-such-image"}),
        ("NetworkList", {}),
    ]
    found = []
    for operation_id, arguments in calls:
        operation = client.operations[operation_id]
        request = asked(operation, arguments)
        with operation.raw(**arguments) as reply:
            response = RequestsOpenAPIResponse(reply)
            checks = (
                document.iter_request_errors(request),
                document.iter_response_errors(request, response),
            )
            found += [
                f"{operation_id}: {each}"
                for errors in checks
                for error in errors
                for each in problems(error)
            ]
    assert not found
