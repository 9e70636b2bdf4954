"""Which program a command runs: what a user gave for an image, else what its files hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.simulation.programs.finding import find_program

if TYPE_CHECKING:
    from dynadock.simulation.programs.process import Process, Program
    from dynadock.simulation.state.images import Image


class Programs:
    """The programs that users have given, by image and the beginning of the command."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, tuple[str, ...]], Program] = {}

    def add(self, image_id: str, command: tuple[str, ...], program: Program) -> None:
        """Let a command that begins so run that program in containers of an image.

        The longest beginning counts; an empty one stands for every command.
        """
        self._given[image_id, command] = program

    def find(self, image: Image | None, process: Process) -> Program:
        """Return the program of a process; NoProgram if its command runs nothing."""
        if image is not None and self._given:
            command = tuple(process.argv)
            for length in range(len(command), -1, -1):
                program = self._given.get((image.id, command[:length]))
                if program is not None:
                    return program
        return find_program(process.files, process.argv, process.env, process.cwd)
