"""A bad network between a caller and a server: it loses, reorders or stops all datagrams."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from vision_agent.caller.signalling import SdpAnswer, Signalling

_CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ host.*\r?\n")
_ANY_CANDIDATE = re.compile(r"a=candidate:.*\r?\n")
REORDERED_BY_S = 0.03

# DTLS (RFC 6347 4.1 and 4.2.2): the types of records, and the first messages of the flights.
_CHANGE_CIPHER_SPEC, _HANDSHAKE, _APPLICATION_DATA = 20, 22, 23
_MESSAGE_TYPE = 13
_FLIGHTS = {1: "first flight", 2: "second flight", 11: "third flight"}


class LossyPath:
    """Forwards datagrams between one caller and one server, both on loopback.

    Attributes:
        loss: The share of datagrams that are lost, in each direction.
        reordered: The share that is held back for `REORDERED_BY_S`.
        silent: Whether everything is lost.
        loses_first: How many of the first datagrams of each kind are lost, by their sender.
        lost_of: How many of those have been lost, by sender and kind.
        lost: How many datagrams have been lost in all.
        passed: How many have got through.
    """

    def __init__(self) -> None:
        self.loss, self.reordered = 0.0, 0.0
        self._random = random.Random(1)
        self.silent = False
        self.loses_first = {"caller": 0, "server": 0}
        self.lost_of: Counter[str] = Counter()
        self.lost, self.passed = 0, 0
        self.port = 0
        self.server: tuple[str, int] | None = None
        self._caller: tuple[str, int] | None = None
        self._to_caller: asyncio.DatagramTransport | None = None
        self._to_server: asyncio.DatagramTransport | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Opens its two sockets."""
        loop = asyncio.get_running_loop()
        path = self

        class Near(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                path._caller = addr
                path._forward(data, path._to_server, path.server)

        class Far(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                path._forward(data, path._to_caller, path._caller)

        here = ("127.0.0.1", 0)
        self._to_caller, _ = await loop.create_datagram_endpoint(Near, local_addr=here)
        self._to_server, _ = await loop.create_datagram_endpoint(Far, local_addr=here)
        self.port = self._to_caller.get_extra_info("sockname")[1]
        try:
            yield
        finally:
            self._to_caller.close()
            self._to_server.close()

    def _forward(
        self, data: bytes, way: asyncio.DatagramTransport | None, to: tuple[str, int] | None
    ) -> None:
        if way is None or to is None:
            return
        if self.silent or self._is_first(data, way) or self._random.random() < self.loss:
            self.lost += 1
            return
        self.passed += 1
        if self._random.random() < self.reordered:
            loop = asyncio.get_running_loop()
            loop.call_later(REORDERED_BY_S, lambda: way.is_closing() or way.sendto(data, to))
        else:
            way.sendto(data, to)

    def _is_first(self, data: bytes, way: asyncio.DatagramTransport) -> bool:
        sender = "caller" if way is self._to_server else "server"
        what = _kind(data)
        kind = f"{sender}: {what}"
        first = what is not None and self.lost_of[kind] < self.loses_first[sender]
        if first:
            self.lost_of[kind] += 1
        return first


def _kind(data: bytes) -> str | None:
    """The kind of a datagram of a call's set-up; None for media."""
    if data[0] < 4:
        return "check" if data[:2] == b"\x00\x01" else "answer"
    if data[0] == _HANDSHAKE:
        return _FLIGHTS.get(data[_MESSAGE_TYPE])
    return {_CHANGE_CIPHER_SPEC: "last flight", _APPLICATION_DATA: "data"}.get(data[0])


class OverPath(Signalling):
    """Signalling that gives the caller the path's address for the server's, and the server none."""

    def __init__(self, url: str, token: str | None, timeout_s: float, *, path: LossyPath) -> None:
        super().__init__(url, token, timeout_s)
        self.path = path

    async def offer(
        self, sdp: str, asked: dict[str, Any] | None = None, restart: str | None = None
    ) -> SdpAnswer:
        """Posts an offer without addresses; the answer names the path's."""
        answer = await super().offer(_ANY_CANDIDATE.sub("", sdp), asked, restart)
        found = _CANDIDATE.search(answer.sdp)
        assert found, answer.sdp
        self.path.server = ("127.0.0.1", int(found[1]))
        there = found[0].replace(f" {found[1]} typ", f" {self.path.port} typ")
        sections = re.split(r"(?=^m=)", _ANY_CANDIDATE.sub("", answer.sdp), flags=re.MULTILINE)
        sdp = sections[0] + "".join(
            section.replace("a=end-of-candidates", f"{there.strip()}\r\na=end-of-candidates")
            for section in sections[1:]
        )
        assert there.strip() in sdp, answer.sdp
        return SdpAnswer(sdp, answer.pc_id, answer.resume)
