"""All containers of an engine: by id, by name, by the beginning of an id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dynadock.simulation.refusal import bad_request, conflict, not_found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State

NAME = re.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_ALLOWED = "[a-zA-Z0-9][a-zA-Z0-9_.-]"


class Containers:
    """An engine's containers, the oldest first."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.by_id: dict[str, Container] = {}
        self._ids: dict[str, str] = {}

    def __iter__(self) -> Iterator[Container]:
        return iter(list(self.by_id.values()))

    def __len__(self) -> int:
        return len(self.by_id)

    def find(self, name: str) -> Container:
        """Return the container of that id, name or beginning of an id, in this order.

        Refused where there is none (404), or more than one begins so (400).
        """
        found = self.by_id.get(name)
        if found is not None:
            return found
        identity = self._ids.get(name.removeprefix("/"))
        if identity is not None:
            return self.by_id[identity]
        fitting = [each for each in self.by_id if name and each.startswith(name)]
        if len(fitting) == 1:
            return self.by_id[fitting[0]]
        if fitting:
            raise bad_request(f"Multiple IDs found with provided prefix: {name}")
        raise not_found(f"No such container: {name}")

    def is_taken(self, name: str) -> bool:
        """Tell whether a container has that name."""
        return name in self._ids

    def check_name(self, name: str, shown: str = "") -> None:
        """Refuse a name that no container can have, or that another one has.

        ``shown`` is how the refusal writes it, if not as it is.
        """
        if not NAME.fullmatch(name):
            problem = f"Invalid container name ({shown or name}), only {_ALLOWED} are allowed"
            raise bad_request(problem)
        if name in self._ids:
            raise conflict(
                f'Conflict. The container name "/{name}" is already in use by container'
                f' "{self._ids[name]}". You have to remove (or rename) that container to be able'
                " to reuse that name."
            )

    def new_name(self) -> str:
        """Return a name for a container that was given none."""
        return self._state.ids.new_name(self.is_taken)

    def add(self, container: Container) -> None:
        """Keep a new container."""
        self.by_id[container.id] = container
        self._ids[container.name] = container.id

    def rename(self, container: Container, name: str) -> None:
        """Give a container another name."""
        del self._ids[container.name]
        container.name = name
        self._ids[name] = container.id

    def remove(self, container: Container, *, with_volumes: bool = False) -> None:
        """Forget a container that does not run, and tell of it.

        Its volumes that have no names of their own go as well ``with_volumes``.
        """
        if self.by_id.pop(container.id, None) is None:
            return
        self._ids.pop(container.name, None)
        self._state.execs.forget(container)
        self._state.mounts.release(container, with_volumes=with_volumes)
        container.status = "removed"
        container.tell("destroy")
        self._state.notify()
