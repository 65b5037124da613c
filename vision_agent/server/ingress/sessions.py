"""The session ids of `POST /start`: bounded, and valid for an hour. Time is an argument."""

from __future__ import annotations

import uuid
from collections import OrderedDict

LIFETIME_S = 3600.0
MAX_OF_ONE_ADDRESS = 100
MAX_ADDRESSES = 1000


class Sessions:
    """The ids given out. An address that asks for too many loses the oldest of its own."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}
        self._of: OrderedDict[str, OrderedDict[str, float]] = OrderedDict()

    def new(self, address: str, now_s: float) -> str:
        """Make a new id for an address."""
        session_id = str(uuid.uuid4())
        own = self._of.setdefault(address, OrderedDict())
        self._of.move_to_end(address)
        own[session_id] = now_s
        self._addresses[session_id] = address
        if len(own) > MAX_OF_ONE_ADDRESS:
            del self._addresses[own.popitem(last=False)[0]]
        if len(self._of) > MAX_ADDRESSES:
            for gone in self._of.popitem(last=False)[1]:
                del self._addresses[gone]
        return session_id

    def known(self, session_id: str, now_s: float) -> bool:
        """Whether an id was given out within the last hour."""
        address = self._addresses.get(session_id)
        return address is not None and now_s - self._of[address][session_id] <= LIFETIME_S
