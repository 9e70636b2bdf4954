"""A pipe of Windows for a scripted peer: what `links.pipes` asks for, over a socket.

A message of no bytes becomes the end of what is sent, as it is one to go-winio's servers.
"""

from __future__ import annotations

import select
import socket

from dynadock.transport.links.pipes import (
    ABORTED,
    ALL_BUSY,
    BROKEN,
    NOT_CONNECTED,
    NOT_FOUND,
    PipeFault,
)


class ScriptedPipes:
    """Opens pipes to a peer; ``faults`` are the codes of the attempts that fail before."""

    def __init__(self, address, *faults, takes_messages=True):
        self.address = address.removeprefix("unix://")
        self.faults = list(faults)
        self.takes_messages = takes_messages
        self.asked = []
        self.opened = []

    def open(self, path):
        self.asked.append(path)
        if self.faults:
            # The last one goes on for ever if it says so.
            code = self.faults[0] if self.faults[-1] is ... else self.faults.pop(0)
            raise PipeFault(code, "no")
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self.address)
        except FileNotFoundError:
            connection.close()
            raise PipeFault(NOT_FOUND, "no such file") from None
        except BlockingIOError:
            connection.close()
            raise PipeFault(ALL_BUSY, "busy") from None
        self.opened.append(ScriptedPipe(connection, takes_messages=self.takes_messages))
        return self.opened[-1]


class ScriptedPipe:
    def __init__(self, connection, *, takes_messages):
        self.connection = connection
        self.takes_messages = takes_messages
        self.did = []
        self.is_closed = False
        self.interrupted, self._interrupt = socket.socketpair()

    def read(self, size):
        return Operation(self, select.POLLIN, lambda: self._received(size))

    def _received(self, size):
        try:
            data = self.connection.recv(size, socket.MSG_DONTWAIT)
        except ConnectionError:
            raise PipeFault(BROKEN, "broken") from None
        if not data:
            raise PipeFault(BROKEN, "ended")
        return data

    def write(self, data):
        self.did.append(("write", len(data)))
        if not data:
            return Operation(self, select.POLLOUT, self._shut)
        left = memoryview(data)

        def send():
            nonlocal left
            try:
                left = left[self.connection.send(left, socket.MSG_DONTWAIT) :]
            except ConnectionError:
                raise PipeFault(NOT_CONNECTED, "nobody reads") from None
            if left:
                raise BlockingIOError
            return data

        return Operation(self, select.POLLOUT, send)

    def _shut(self):
        self.connection.shutdown(socket.SHUT_WR)
        return b""

    def flush(self):
        self.did.append(("flush", 0))
        return Operation(self, select.POLLOUT, lambda: b"")

    def waiting(self):
        try:
            data = self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        if not data:
            raise PipeFault(BROKEN, "ended")
        return len(data)

    def interrupt(self):
        self._interrupt.close()

    def close(self):
        assert not self.is_closed, "closed twice"
        self.is_closed = True
        for each in (self.connection, self.interrupted, self._interrupt):
            each.close()


class Operation:
    """One operation: tried whenever the socket is ready, as Windows tries by itself."""

    def __init__(self, pipe, event, attempt):
        self._pipe = pipe
        self._event = event
        self._attempt = attempt
        self._outcome = None

    def wait(self, seconds):
        poll = select.poll()
        poll.register(self._pipe.connection, self._event)
        poll.register(self._pipe.interrupted, select.POLLIN)
        while not self._try():
            ready = poll.poll(None if seconds is None else seconds * 1000)
            if not ready or self._pipe.interrupted.fileno() in dict(ready):
                return False
        return True

    def _try(self):
        try:
            self._outcome = self._attempt()
        except BlockingIOError:
            return False
        except PipeFault as fault:
            self._outcome = fault
        return True

    def cancel(self):
        if self._outcome is None and not self._try():
            self._outcome = PipeFault(ABORTED, "aborted")

    def result(self):
        assert self._outcome is not None, "it has not ended"
        if isinstance(self._outcome, PipeFault):
            raise self._outcome
        return self._outcome
