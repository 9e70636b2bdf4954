"""A pool of a stated size: who comes when all connections are in use waits for one."""

from __future__ import annotations

import logging
from queue import Empty, LifoQueue, SimpleQueue
from typing import TYPE_CHECKING, Any, cast

from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import EmptyPoolError

from dynadock.options import CONNECTIONS

if TYPE_CHECKING:
    from dynadock.transport.connection import TcpConnection

LOG = logging.getLogger("dynadock.transport")


class Slots:
    """As many places as connections to ``where`` may be in use at a time.

    Giving one back takes no lock, so that a destructor may do it (SimpleQueue's ``put``).
    """

    def __init__(self, count: int = CONNECTIONS, where: str = "") -> None:
        self.count = count
        self.where = where
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(count):
            self._free.put(None)

    def take(self, timeout: float | None) -> bool:
        """Take a place within ``timeout`` seconds, None for ever; tell whether there was one."""
        try:
            self._free.get_nowait()
        except Empty:
            LOG.info("%s: all %d connections are in use, a call waits", self.where, self.count)
        else:
            return True
        try:
            self._free.get(timeout=timeout)
        except Empty:
            return False
        return True

    def give_back(self) -> None:
        """Let somebody else have a place that was taken."""
        self._free.put(None)


class BoundedPool(HTTPConnectionPool):
    """urllib3's pool, with as many connections as there are slots.

    Its own bound (``block=True``) loses a place with each reply that is dropped half-read. Here a
    connection has its place for as long as it is in use, and gives it back when it is closed.
    """

    def __init__(self, *where: Any, slots: Slots | None = None, **options: Any) -> None:
        self.slots = slots or Slots()
        options["maxsize"] = self.slots.count
        super().__init__(*where, **options)

    def _get_conn(self, timeout: float | None = None) -> TcpConnection:
        if not self.slots.take(timeout):
            raise EmptyPoolError(self, "all connections are in use")
        try:
            connection = cast("TcpConnection", super()._get_conn())
        except BaseException:
            self.slots.give_back()
            raise
        connection.slots = self.slots
        return connection

    def _put_conn(self, connection: Any) -> None:
        # One that was closed has given its place back, and is not worth keeping.
        if connection is not None and connection.slots is not None:
            # Without it first: once kept, the connection may be another thread's.
            slots, connection.slots = connection.slots, None
            super()._put_conn(connection)
            slots.give_back()

    def let_go(self) -> None:
        """Forget connections that are a parent's, and a lock that may never be freed."""
        if isinstance(self.pool, LifoQueue):
            LifoQueue.__init__(self.pool, self.slots.count)
