"""TLS: the context that a folder of certificates makes, and a link that can be half-closed.

The ssl module's own sockets cannot: after ``shutdown`` they hand out ciphertext, and ``unwrap``
ends the stream (tried on Docker 26.1 with TLS 1.3). Over memory buffers close_notify is written
like any other record, and reading goes on.
"""

from __future__ import annotations

import contextlib
import errno
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from dynadock.deadline import Deadline
from dynadock.errors import EndpointError
from dynadock.transport.distrust import AUTHORITIES, CERTIFICATE, KEY
from dynadock.transport.links.link import READ
from dynadock.transport.links.sockets import SocketLink

if TYPE_CHECKING:
    import socket

    from dynadock.transport.endpoint import Tls
    from dynadock.wire.messages import Data

_RECORDS = 4 * 16 * 1024
"""Bytes to encrypt at a time."""


def client_context(tls: Tls) -> ssl.SSLContext:
    """Return the context that a folder with ``ca.pem``, ``cert.pem`` and ``key.pem`` makes.

    ``ca.pem`` may be missing, and so may both others, but not one of these. The CAs in ``ca.pem``
    are trusted and no others; without it, those
    that the system trusts. TLS 1.2 or newer, and the engine's name is checked unless ``tls`` says
    otherwise. EndpointError for files that cannot be used.
    """
    # Not create_default_context: from Python 3.13 on it is stricter about certificates than Go,
    # and would refuse some that the docker command accepts.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # As for Go, a trusted certificate may also be an intermediate CA's.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.folder and not Path(tls.folder).is_dir():
        raise EndpointError(f"there is no folder of certificates {tls.folder}")
    try:
        _load(context, tls.folder)
    except OSError as error:
        reason = _missing_half(tls.folder) or error.strerror or error
        problem = f"the certificates in {tls.folder} cannot be used: {reason}"
        raise EndpointError(problem) from None
    return context


def server_context(certificate: str, key: str, authorities: str = "") -> ssl.SSLContext:
    """Return the context of who is connected to, out of files in PEM.

    Where there are ``authorities``, clients need a certificate of one of them. TLS 1.2 or newer.
    EndpointError for files that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
        if authorities:
            context.load_verify_locations(authorities)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        files = " and ".join(each for each in (certificate, key, authorities) if each)
        problem = f"the certificates in {files} cannot be used: {error.strerror or error}"
        raise EndpointError(problem) from None
    return context


def _missing_half(folder: str) -> str:
    """Return which file is missing of two that are of no use alone, "" if none is."""
    certificate, key = (Path(folder, name).exists() for name in (CERTIFICATE, KEY))
    if certificate == key:
        return ""
    there, missing = (CERTIFICATE, KEY) if certificate else (KEY, CERTIFICATE)
    return f"there is {there} and no {missing}, and each needs the other"


def _load(context: ssl.SSLContext, folder: str) -> None:
    authorities, certificate, key = (Path(folder, n) for n in (AUTHORITIES, CERTIFICATE, KEY))
    if folder and authorities.exists():
        context.load_verify_locations(authorities)
    else:
        context.load_default_certs()
    if folder and certificate.exists():
        # For an encrypted key OpenSSL would ask for the password at the terminal.
        context.load_cert_chain(certificate, key if key.exists() else None, password=_no_password)
    elif folder and key.exists():
        raise FileNotFoundError(errno.ENOENT, "there is no certificate", str(certificate))


def _no_password() -> str:
    raise PermissionError(errno.EACCES, "the key has a password, and there is nobody to ask")


class TlsLink(SocketLink):
    """TLS over a connected socket, which it takes over, as a `Link`.

    ``host`` is the name that the peer's certificate is made out to, None where we are the server.
    """

    def __init__(
        self, connection: socket.socket, context: ssl.SSLContext, host: str | None
    ) -> None:
        super().__init__(connection)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=host is None, server_hostname=host
        )
        # OpenSSL's state is for one thread at a time; records are sent in the order it made them.
        self._state = threading.Lock()
        self._sending = threading.Lock()
        self._ready: list[bytes] = []
        self._step = Deadline(self._seconds)

    def shake_hands(self) -> None:
        """Do the handshake, which checks the engine's certificate; ssl.SSLError if it fails."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._take_in()
            except ssl.SSLError:
                # The alert is still sent: it tells the peer why.
                with contextlib.suppress(OSError):
                    self._flush()
                raise
            else:
                self._flush()
                return

    def allow(self, seconds: float | None) -> None:
        """Set the longest wait of each later step, None for ever."""
        super().allow(seconds)
        self._step = Deadline(seconds)

    def receive(self) -> bytes:
        """Return some bytes as soon as there are any, none after the peer's close_notify.

        ssl.SSLError where the connection ends without it: then bytes may be missing.
        """
        self._step = Deadline(self._seconds)
        while True:
            with self._state:
                blocks, ended = self._decrypted()
            if self._outgoing.pending and self._sending.acquire(blocking=False):
                # TLS's own records; a thread that is sending takes them along otherwise.
                try:
                    self._send_records()
                finally:
                    self._sending.release()
            if blocks or ended:
                return b"".join(blocks)
            self._take_in()

    def _decrypted(self) -> tuple[list[bytes], bool]:
        """Return what can be decrypted now, and whether that is the end."""
        blocks, self._ready = self._ready, []
        try:
            while block := self._tls.read(READ):
                blocks.append(block)
        except ssl.SSLWantReadError:
            return blocks, False
        except ssl.SSLZeroReturnError:
            pass
        except ssl.SSLError:
            if not blocks:
                raise
            return blocks, False
        return blocks, True

    def _take_in(self) -> None:
        """Receive records, within what is left of the time for one step."""
        self._wait_to_receive(self._step.left())
        encrypted = self._socket.recv(READ)
        with self._state:
            if encrypted:
                self._incoming.write(encrypted)
            else:
                self._incoming.write_eof()

    def offer(self, data: Data) -> tuple[int, bytes]:
        """Send ``data`` without a look at what comes, which may be TLS's own and no reply."""
        self.send(data)
        return len(data), b""

    def send(self, data: Data) -> None:
        """Send all of ``data``."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _RECORDS):
            with self._sending:
                with self._state:
                    self._tls.write(view[start : start + _RECORDS])
                self._send_records()

    def is_idle(self) -> bool:
        """Tell whether nothing has come but TLS's own records; never blocks.

        Session tickets make a fresh, unused connection readable (seen on Docker 26.1 and 28.5).
        """
        while self._has_come():
            try:
                self._take_in()
                with self._state:
                    self._ready, has_ended = self._decrypted()
            except OSError:
                return False
            if has_ended or self._ready:
                return False
        return not self._ready

    def close_sending(self) -> None:
        """Half-close by a close_notify; the peer may go on sending."""
        with self._state:
            # Read first: OpenSSL sends no close_notify before that, and drops what has come.
            self._ready, _ = self._decrypted()
            with contextlib.suppress(ssl.SSLWantReadError):
                self._tls.unwrap()
        self._flush()

    def _flush(self) -> None:
        with self._sending:
            self._send_records()

    def _send_records(self) -> None:
        with self._state:
            records = self._outgoing.read()
        if records:
            self._socket.sendall(records)
