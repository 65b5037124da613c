"""A request to the fork server: a child, as ``python -m module`` starts one."""

from __future__ import annotations

import json
import socket
import struct
from typing import NamedTuple, Self

ADDRESS_VARIABLE = "TESTS_FORK_SERVER"
"""The environment variable with the fork server's address."""

_LENGTH = struct.Struct(">I")


class Request(NamedTuple):
    """One child. On the wire: the length of a JSON object, with the streams; then the object.

    Attributes:
        keep: Whether a child that has ended may take another request, see `kept_worker`.
    """

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    new_session: bool
    keep: bool = False

    def send(self, connection: socket.socket, streams: list[int]) -> None:
        """Send the request, with the file descriptors of the child's standard streams."""
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
