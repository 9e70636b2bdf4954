"""The whole exception tree: everything that dynadock raises of its own.

::

    DynadockError
    ├── SpecError              a document or a version cannot be used     (ValueError)
    ├── UnknownOperation       no operation of that name in this version  (AttributeError)
    ├── ValidationError        a call's arguments; nothing was sent       (ValueError)
    │   ├── ParameterError
    │   └── BodyError
    ├── Unsupported            this release cannot do it  (NotImplementedError)
    ├── EndpointError          the address of the engine makes no sense   (ValueError)
    ├── ConfigError            the docker command's configuration cannot be used  (ValueError)
    ├── StreamClosed           a stream was used after it was closed      (ValueError)
    ├── CommandTimeout         a command was stopped for taking too long  (TimeoutError)
    ├── UnsafeMember           an archive's member that would do harm     (ValueError)
    ├── ContractError          an exchange was not as the document says (``contract="raise"``)
    ├── TransportError         no whole reply came                        (OSError)
    │   ├── SocketMissing
    │   ├── PermissionDenied
    │   ├── ConnectionRefused
    │   ├── TlsError           the two sides do not agree on TLS
    │   ├── TimedOut           no connection, or no answer in time        (TimeoutError)
    │   ├── TooLarge           the reply is longer than the option ``limit`` allows
    │   ├── MalformedStream    what came is not what the engine said it would be
    │   └── ConnectionLost
    │       └── TruncatedStream  a stream ended in the middle of something
    └── APIError               the engine answered with an error
        ├── StreamError        inside a stream, after it began well
        ├── VersionError       it does not speak the client's API version
        ├── BadRequest         400
        ├── AccessDenied       401, 403
        ├── NotFound           404
        ├── Conflict           409
        └── ServerError        5xx
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class DynadockError(Exception):
    """Root of everything that dynadock raises of its own."""


class DynadockWarning(UserWarning):
    """Root of everything that dynadock warns of; shown by default, unlike ResourceWarning."""


class UnknownFieldWarning(DynadockWarning):
    """A parameter or body field that the document does not have was sent (``unknown="warn"``)."""


class DoubtfulArgumentWarning(DynadockWarning):
    """A body was sent that is legal and surely a mistake; the message says how to write it."""


class UnreadStreamWarning(DynadockWarning):
    """A stream was dropped before its end, which may cancel the work that it reports."""


class StuckProgramWarning(DynadockWarning):
    """A Python function that an embedded engine ran does not end, though the engine has."""


class ContractWarning(DynadockWarning):
    """An exchange was not as the document says (``contract="warn"``)."""


class SpecError(DynadockError, ValueError):
    """A document, or a version asked for, cannot be used; the message says which and why.

    Of a very long message, as it may hold what a document has, the end is left out.
    """

    _LONGEST = 2_000

    def __init__(self, message: str) -> None:
        is_long = len(message) > self._LONGEST
        super().__init__(f"{message[: self._LONGEST - 1]}…" if is_long else message)


class UnknownOperation(DynadockError, AttributeError):
    """The API version has no operation of that name; the message says what was probably meant."""


class Fault(NamedTuple):
    """One thing wrong with a call's arguments.

    ``place`` is the argument or the path inside it (``HostConfig.PortBindings.80/tcp``),
    ``problem`` what was expected and what came, ``location`` one of path, query, header, body, or
    ``call`` for arguments that fit nowhere, ``kind`` one of value, missing, unknown.
    """

    place: str
    problem: str
    location: str = "call"
    kind: str = "value"

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


class ValidationError(DynadockError, ValueError):
    """All faults of one call, found before anything was sent.

    ``faults`` holds those of the given arguments in their order, then missing arguments, then those
    in the body. ``operation_id`` and ``version`` name the operation that was called.
    """

    def __init__(
        self,
        message: str,
        faults: Iterable[Fault] = (),
        operation_id: str = "",
        version: str = "",
    ) -> None:
        super().__init__(message)
        self.faults = tuple(faults)
        self.operation_id = operation_id
        self.version = version

    @classmethod
    def of(cls, operation_id: str, version: str, faults: Iterable[Fault]) -> ValidationError:
        """Make the error for ``faults``: a BodyError when all of them lie in the body."""
        faults = tuple(faults)
        kind = BodyError if all(fault.location == "body" for fault in faults) else ParameterError
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        lines = [f"{operation_id} (API {version}): {count}", *(f"  {fault}" for fault in faults)]
        if any(fault.kind == "unknown" for fault in faults):
            lines.append("  (to send unknown names anyway: with_options(unknown='send'))")
        # An argument's name may be no UTF-8, and what prints the error is to be able to.
        message = "\n".join(lines).encode("utf-8", "backslashreplace").decode()
        return kind(message, faults, operation_id, version)


class ParameterError(ValidationError):
    """A call whose parameters (and perhaps its body too) are wrong."""


class BodyError(ValidationError):
    """A call whose body is wrong."""


class Unsupported(DynadockError, NotImplementedError):
    """The call needs something that this release cannot do; the message says what to do instead."""


class EndpointError(DynadockError, ValueError):
    """The address of the engine makes no sense; the message says what is accepted."""


class ConfigError(DynadockError, ValueError):
    """Something in the docker command's configuration cannot be used or written.

    This may be a file, a context, stored credentials or the program that keeps them. The message
    names it, says what is wrong, and shows no secret.
    """


class TransportError(DynadockError, OSError):
    """No complete reply came. ``endpoint`` is where it was expected from."""

    def __init__(self, message: str, endpoint: str = "") -> None:
        super().__init__(message)
        self.endpoint = endpoint


class SocketMissing(TransportError):
    """There is no socket at the endpoint's path."""


class PermissionDenied(TransportError):
    """The socket is there, but this user may not open it."""


class ConnectionRefused(TransportError):
    """Nothing listens at the endpoint."""


class TlsError(TransportError):
    """The two sides do not agree on TLS; the message says whose certificate is not good, and why.

    Or one of the sides does not use TLS at all. The engine did not act.
    """


class TimedOut(TransportError, TimeoutError):
    """The engine could not be reached, or did not answer, within the time allowed."""


class ConnectionLost(TransportError):
    """The connection broke after the request was sent; the engine may or may not have acted."""


class TruncatedStream(ConnectionLost):
    """A stream ended inside a frame, chunk or value; whatever came before was returned."""


class MalformedStream(TransportError):
    """What came is not what the engine announced: not a valid frame, chunk or JSON."""


class TooLarge(TransportError):
    """A reply, or what is held of it, is longer than it may be (the option ``limit``)."""


class StreamClosed(DynadockError, ValueError):
    """A stream was used after it was closed, or closed while it was read."""


class CommandTimeout(DynadockError, TimeoutError):
    """A command took longer than it was allowed, and was stopped.

    ``stdout`` and ``stderr`` hold what it had written by then, as bytes.
    """

    def __init__(self, message: str, stdout: bytes = b"", stderr: bytes = b"") -> None:
        super().__init__(message)
        self.stdout = stdout
        self.stderr = stderr


class UnsafeMember(DynadockError, ValueError):
    """A member of an archive would be written outside the folder, or is a device or the like.

    ``member`` is its name in the archive.
    """

    def __init__(self, message: str, member: str = "") -> None:
        super().__init__(message)
        self.member = member


class ContractError(DynadockError):
    """An exchange was not as the document says (``contract="raise"``); what it did is done.

    ``findings`` are what deviates (see `dynadock.contract.finding.Finding`), and ``value`` is what
    the call would have returned. If it would have raised an APIError, that is the ``__cause__``.
    """

    def __init__(self, message: str, findings: Iterable[Any] = (), value: Any = None) -> None:
        super().__init__(message)
        self.findings = tuple(findings)
        self.value = value


class APIError(DynadockError):
    """The engine answered with an error.

    ``status`` is the HTTP code, ``explanation`` the engine's own message, and ``body`` the reply's
    body as it came (bytes). ``operation_id``, ``method``, ``path``, ``version`` and ``host`` say
    which request was sent, and to which engine.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status: int = details.get("status", 0)
        self.explanation: str = details.get("explanation", "")
        self.operation_id: str = details.get("operation_id", "")
        self.method: str = details.get("method", "")
        self.path: str = details.get("path", "")
        self.version: str = details.get("version", "")
        self.host: str = details.get("host", "")
        self.body: bytes = details.get("body", b"")


class StreamError(APIError):
    """The engine reported an error inside a stream that had begun well (status 200 or 101).

    ``explanation`` is the engine's message, ``value`` the item that contained it (a Record, or
    the bytes of a frame). All values before it were returned.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.value: Any = details.get("value")


class VersionError(APIError):
    """The engine does not speak the client's API version; the message names what it speaks.

    ``minimum`` and ``maximum`` are the engine's versions as text, empty if it does not say.
    ``reply`` is what it answered nevertheless (some engines answer to any version), else None. Once
    this is known about an engine, calls are not sent to it (``status`` 0) until it speaks others.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.minimum: str = details.get("minimum", "")
        self.maximum: str = details.get("maximum", "")
        self.reply: Any = details.get("reply")


class BadRequest(APIError):
    """400: the engine refuses the request as it stands."""


class AccessDenied(APIError):
    """401 or 403: the engine or a registry does not let this caller do it."""


class NotFound(APIError):
    """404: something that the request names does not exist."""


class Conflict(APIError):
    """409: something that the request names is in a state that does not allow it."""


class ServerError(APIError):
    """5xx: the engine failed, or reports a bad argument as its own failure, as engines often do."""
