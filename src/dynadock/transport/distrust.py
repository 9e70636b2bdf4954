"""Why TLS failed: OpenSSL's reasons in plain words, and what to do about them.

In TLS 1.3 a server checks the client's certificate after the client has finished its handshake, so
that a refusal comes with the first read.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynadock.transport.endpoint import Tls

AUTHORITIES, CERTIFICATE, KEY = "ca.pem", "cert.pem", "key.pem"
"""Files of the trusted CAs, the client's certificate and its key: the docker command's names."""

_EXPIRED = 10
_NOT_YET_VALID = 9
_OTHER_NAMES = (62, 64)
_SIGNED_BY_ITSELF = 18
_UNKNOWN_AUTHORITY = (2, 7, 19, 20, 21)
"""OpenSSL's codes (X509_V_ERR): the ssl module has no names for them."""

_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG")
_OLD_TLS = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE")

_MISSING = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE")
"""Alerts to a client without a certificate: of TLS 1.3, and of 1.2."""

_ALERTS = {
    "ACCESS_DENIED": "its owner has no access",
    "BAD_CERTIFICATE": "it is not one for clients, or not of an authority that the engine knows",
    "CERTIFICATE_EXPIRED": "it has expired",
    "CERTIFICATE_REVOKED": "it was revoked",
    "CERTIFICATE_UNKNOWN": "it does not say why",
    "CERTIFICATE_REQUIRED": "it was not sent, as it is of no authority that the engine asks for",
    "DECRYPT_ERROR": "the key beside it is another one's",
    "UNKNOWN_CA": "it is not of an authority that the engine knows",
    "UNSUPPORTED_CERTIFICATE": "it is not one for clients",
}


def problem_with_tls(error: OSError, tls: Tls) -> str | None:
    """Return why TLS failed; None for an error of another kind."""
    if not isinstance(error, ssl.SSLError):
        return None
    if isinstance(error, ssl.SSLCertVerificationError):
        return _problem_with_theirs(error, tls)
    reason = error.reason or ""
    if reason in _NO_TLS:
        return (
            "what answers speaks no TLS; is it another port (by custom it is 2376 with TLS),"
            " or is DOCKER_TLS_VERIFY set for another engine?"
        )
    if reason in _OLD_TLS:
        return "the engine speaks only versions of TLS older than 1.2, which are not safe"
    alert = reason.partition("_ALERT_")[2]
    if alert == "HANDSHAKE_FAILURE":
        return (
            "the engine refuses the handshake; it shares no cipher or wants a client's certificate:"
            f" {_our_certificate(tls)}"
        )
    return _problem_with_ours(alert, tls) if alert in _ALERTS else None


def _problem_with_theirs(error: ssl.SSLCertVerificationError, tls: Tls) -> str:
    code, message = error.verify_code, error.verify_message.rstrip(".")
    if code == _EXPIRED:
        return "the engine's certificate, or its authority's, has expired; it needs a new one"
    if code == _NOT_YET_VALID:
        return "the engine's certificate is not valid yet; are the clocks right on both sides?"
    if code in _OTHER_NAMES:
        return f"the engine's certificate is made out to other names: {message}"
    if code == _SIGNED_BY_ITSELF:
        return f"the engine's certificate is signed by itself, and is not among {_trusted(tls)}"
    if code in _UNKNOWN_AUTHORITY:
        return f"the engine's certificate is of no authority among {_trusted(tls)} ({message})"
    return f"the engine's certificate is not good: {message}"


def _problem_with_ours(alert: str, tls: Tls) -> str:
    if alert in _MISSING and not _has(tls, CERTIFICATE):
        return f"the engine wants a client's certificate: {_our_certificate(tls)}"
    return (
        f"the engine refuses this client's certificate, {_our_certificate(tls)}: {_ALERTS[alert]}"
    )


def _our_certificate(tls: Tls) -> str:
    if _has(tls, CERTIFICATE):
        return str(Path(tls.folder, CERTIFICATE))
    if tls.folder:
        return f"there is no {CERTIFICATE} in {tls.folder}"
    return f"the context has no {CERTIFICATE} and {KEY}"


def _trusted(tls: Tls) -> str:
    if _has(tls, AUTHORITIES):
        return f"those in {Path(tls.folder, AUTHORITIES)}"
    missing = f"; there is no {AUTHORITIES} in {tls.folder}" if tls.folder else ""
    return f"those that this system trusts{missing}"


def _has(tls: Tls, name: str) -> bool:
    return bool(tls.folder) and os.path.exists(Path(tls.folder, name))  # noqa: PTH110 - never raises
