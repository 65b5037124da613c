"""What the fork server is asked for: a child, as ``python -m module`` starts one."""

from __future__ import annotations

import json
import socket
import struct
from typing import NamedTuple, Self

ADDRESS_VARIABLE = "TESTS_FORK_SERVER"
"""The environment variable with the name under which the fork server listens."""

_LENGTH = struct.Struct(">I")


class Request(NamedTuple):
    """One child. On the wire: the length of a JSON object, with the streams; then the object."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    new_session: bool

    def send(self, connection: socket.socket, streams: list[int]) -> None:
        """Ask for it, with the file descriptors that become its standard streams."""
        text = json.dumps(self._asdict()).encode()
        socket.send_fds(connection, [_LENGTH.pack(len(text))], streams)
        connection.sendall(text)

    @classmethod
    def receive(cls, connection: socket.socket) -> tuple[Self, list[int]]:
        """A request, and its three file descriptors."""
        data, streams, _, _ = socket.recv_fds(connection, _LENGTH.size, 3)
        (length,) = _LENGTH.unpack(data)
        with connection.makefile("rb") as file:
            return cls(**json.loads(file.read(length))), streams
