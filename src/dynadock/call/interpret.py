"""From a reply's status, headers and bytes to a value or an error."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, TypeVar

from dynadock.call.kinds import PLAIN
from dynadock.errors import (
    AccessDenied,
    APIError,
    BadRequest,
    Conflict,
    NotFound,
    ServerError,
    StreamError,
    VersionError,
)
from dynadock.record import NestedTooDeeply, Records, read_json
from dynadock.wire.messages import FIRST_ERROR, FIRST_REDIRECT, Headers, Reply, media_type
from dynadock.wire.messages import NOT_MODIFIED as NOT_MODIFIED_STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.spec.model import Operation

LONGEST_EXPLANATION = 500

Raised = TypeVar("Raised", bound=APIError)

_ERRORS: dict[int, type[APIError]] = {
    400: BadRequest,
    401: AccessDenied,
    403: AccessDenied,
    404: NotFound,
    409: Conflict,
}


class Outcome(enum.Enum):
    """What a successful call can return besides a value: `NOT_MODIFIED`, which is false."""

    NOT_MODIFIED = "not modified"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return self.name


NOT_MODIFIED = Outcome.NOT_MODIFIED
"""What ContainerStart and ContainerStop return where there was nothing to do (304)."""


def interpret(operation: Operation, reply: Reply, host: str) -> Any:
    """Return the value that a reply brings, or raise the error that it is.

    JSON becomes Records and lists, text text, an empty reply None (and so does text where the
    document has no reply), 304 `NOT_MODIFIED`; a HEAD request's reply is its headers. The
    reply's own headers decide: documents declare bodies that engines do not send (PluginDelete) and
    types that they do not have (SystemPing). JSON that is nested deeper than
    `dynadock.record.DEEPEST` levels is an error as well.
    """
    if reply.status == NOT_MODIFIED_STATUS:
        return NOT_MODIFIED
    if reply.status >= FIRST_REDIRECT:
        raise error_of(operation, reply, host)
    if operation.reply.kind == "headers":
        return decoded_headers(operation, reply, host)
    if not reply.body:
        return None
    if _is_json(operation, reply.headers):
        return _json(operation, reply, host)
    text = reply.body.decode("utf-8", "replace")
    if _is_html(reply, text) and _is_no_text(operation):
        message = _plain_explanation(reply, text)
        raise _api_error(APIError, operation, reply, host, message)
    # Podman sends "OK" or a line break where there is nothing to say (seen on 4.3).
    return None if operation.reply.schema is None else text


def _is_no_text(operation: Operation) -> bool:
    """Tell whether an operation answers with something else than text."""
    reply = operation.reply
    return reply.kind not in PLAIN or reply.is_structured(operation.spec.definitions)


def _is_json(operation: Operation, headers: Mapping[str, str]) -> bool:
    """Tell whether a body is JSON: the reply says so, or says nothing and the document does.

    Podman names no type for ContainerTop and ContainerStats (seen on 4.3).
    """
    found = media_type(headers)
    if not found:
        return operation.reply.is_structured(operation.spec.definitions)
    return found == "application/json" or found.endswith("+json")


def _json(operation: Operation, reply: Reply, host: str) -> Any:
    try:
        value = read_json(reply.body)
    except NestedTooDeeply as error:
        message = f"the engine's reply is JSON that is not read: {error}"
        raise _api_error(APIError, operation, reply, host, message) from None
    except ValueError as error:
        message = f"the engine's reply is declared to be JSON and is not ({error})"
        raise _api_error(APIError, operation, reply, host, message) from error
    if operation.reply.rows and isinstance(value, dict):
        rows = value.get(operation.reply.rows)
        if isinstance(rows, list):
            value[operation.reply.rows] = Records(rows, operation.operation_id)
    return Records(value, operation.operation_id) if isinstance(value, list) else value


def decoded_headers(operation: Operation, reply: Reply, host: str) -> Headers:
    """Return a reply's headers, those decoded that the operation says are encoded."""
    found = Headers(reply.headers)
    for name, encoding in operation.reply.decode.items():
        if encoding == "base64-json" and name in found:
            try:
                found[name] = _decoded(found[name])
            except ValueError as error:
                message = f"the header {name} is not base64 of JSON ({error})"
                raise _api_error(APIError, operation, reply, host, message) from error
    return found


def _decoded(text: str) -> Any:
    """Decode base64 of JSON, in the alphabet of either kind: engines have used both."""
    import base64

    standard = text.replace("-", "+").replace("_", "/")
    return read_json(base64.b64decode(standard))


def error_of(operation: Operation, reply: Reply, host: str) -> APIError:
    """Return the exception for a reply that is no success; redirects are not followed."""
    return _api_error(error_class(reply.status), operation, reply, host, explain(reply))


def error_class(status: int) -> type[APIError]:
    """Return the exception that a status is raised as."""
    return ServerError if status >= 500 else _ERRORS.get(status, APIError)  # noqa: PLR2004


def stream_error(
    operation: Operation, reply: Reply, host: str, message: str, value: Any
) -> StreamError:
    """Return the exception for an error that the engine reports inside a stream.

    ``reply`` is the stream's head, with no body; ``value`` what carried the ``message``.
    """
    error = _api_error(StreamError, operation, reply, host, message.strip())
    error.value = value
    return error


UNSENT = Reply(0, {}, b"")
"""What stands for the reply to a call that was not sent."""


def version_error(
    operation: Operation, reply: Reply, host: str, spoken: tuple[str, str]
) -> VersionError:
    """Return the exception for an engine that does not speak the client's version.

    ``spoken`` are the engine's oldest and newest version, empty where it does not say; ``reply`` is
    `UNSENT` where that was known before.
    """
    minimum, maximum = spoken
    known = f"{minimum} to {maximum}" if minimum else f"up to {maximum}"
    message = f"the engine speaks API {known}, this client {operation.version}"
    if reply is UNSENT:
        message += ", so nothing was sent"
    elif reply.status < FIRST_ERROR:
        message += "; it answered anyway, and what the call did is done"
    error = _api_error(VersionError, operation, reply, host, message)
    error.minimum, error.maximum = minimum, maximum
    return error


def _api_error(
    kind: type[Raised], operation: Operation, reply: Reply, host: str, explanation: str
) -> Raised:
    call = f"{operation.operation_id} (API {operation.version})"
    what = "an error in the stream" if kind is StreamError else str(reply.status)
    where = f"at {host}" if reply is UNSENT else f"{what} from {host}"
    return kind(
        f"{call}: {where}: {explanation}",
        status=reply.status,
        explanation=explanation,
        operation_id=operation.operation_id,
        method=operation.method,
        path=operation.path,
        version=str(operation.version),
        host=host,
        body=reply.body,
    )


def explain(reply: Reply) -> str:
    """Return the message of an error reply: the engine's own, or what came in its place."""
    if reply.status < FIRST_ERROR:
        return f"a redirect to {reply.headers.get('Location')!r}, which is not followed"
    text = reply.body.decode("utf-8", "replace").strip()
    if not text:
        return "the engine gave no reason (an empty body)"
    try:
        tree = read_json(text.encode())
    except ValueError:
        return _plain_explanation(reply, text)
    if isinstance(tree, dict):
        for key in ("message", "cause", "error", "Err"):
            if isinstance(tree.get(key), str) and tree[key]:
                return str(tree[key])
    return _shortened(text)


def _plain_explanation(reply: Reply, text: str) -> str:
    if _is_html(reply, text):
        return "an HTML page came, so this is perhaps no engine but a proxy: " + _shortened(text)
    return _shortened(text)


def _is_html(reply: Reply, text: str) -> bool:
    return "html" in (reply.headers.get("Content-Type") or "") or text.lstrip().startswith("<")


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_EXPLANATION else flat[:LONGEST_EXPLANATION] + "…"
