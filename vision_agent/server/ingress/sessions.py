"""The sessions of `POST /start`: bounded, and valid for an hour. Time is an argument."""

from __future__ import annotations

import json
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType

from vision_agent.worker_name import named

LIFETIME_S = 3600.0
MAX_OF_ONE_ADDRESS = 100
MAX_ADDRESSES = 1000
MAX_DATA_BYTES = 16_000
MAX_ALL_DATA_BYTES = 16_000_000


class TooMuchData(ValueError):
    """A session can't be begun with that much."""


class Sessions:
    """The ids given out, and what each was begun with.

    An address that asks for too many loses the oldest of its own; what they were begun with is
    bounded for all together, and the oldest is lost.

    Args:
        worker: The server's name among several; ids begin with it.
    """

    def __init__(self, worker: str = "") -> None:
        self._worker = worker
        self._addresses: dict[str, str] = {}
        self._of: OrderedDict[str, OrderedDict[str, float]] = OrderedDict()
        self._data: OrderedDict[str, str] = OrderedDict()
        self._data_bytes = 0

    def new(
        self, address: str, now_s: float, data: Mapping[str, object] = MappingProxyType({})
    ) -> str:
        """Make a new id for an address.

        Args:
            address: The client's.
            now_s: Monotonic seconds.
            data: What the session is begun with, as JSON takes it.

        Raises:
            TooMuchData: It is more than `MAX_DATA_BYTES`.
        """
        written = json.dumps(data) if data else ""
        if len(written) > MAX_DATA_BYTES:
            raise TooMuchData(f"requestData is larger than {MAX_DATA_BYTES} bytes.")
        session_id = named(self._worker, str(uuid.uuid4()))
        own = self._of.setdefault(address, OrderedDict())
        self._of.move_to_end(address)
        own[session_id] = now_s
        self._addresses[session_id] = address
        if written:
            self._data[session_id] = written
            self._data_bytes += len(written)
        if len(own) > MAX_OF_ONE_ADDRESS:
            self._forget(own.popitem(last=False)[0])
        if len(self._of) > MAX_ADDRESSES:
            for gone in self._of.popitem(last=False)[1]:
                self._forget(gone)
        while self._data_bytes > MAX_ALL_DATA_BYTES:
            self._forget_data(next(iter(self._data)))
        return session_id

    def known(self, session_id: str, now_s: float) -> bool:
        """Whether an id was given out within the last hour."""
        address = self._addresses.get(session_id)
        return address is not None and now_s - self._of[address][session_id] <= LIFETIME_S

    def began_with(self, session_id: str) -> dict[str, object]:
        """What a session was begun with; empty if nothing, or if there is no such session."""
        written = self._data.get(session_id)
        return json.loads(written) if written else {}

    def _forget(self, session_id: str) -> None:
        del self._addresses[session_id]
        self._forget_data(session_id)

    def _forget_data(self, session_id: str) -> None:
        self._data_bytes -= len(self._data.pop(session_id, ""))
