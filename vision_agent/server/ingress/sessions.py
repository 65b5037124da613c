"""The sessions of `POST /start`: bounded, and valid for an hour. Time is an argument."""

from __future__ import annotations

import json
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vision_agent.worker_name import named

LIFETIME_S = 3600.0
SURE_S = 60.0
"""How long a session is kept in any case; a client makes its offer within seconds."""

MAX_OF_ONE_ADDRESS = 100
"""The most sessions of one address that wait for their first offer, and as many that have had
it."""

MAX_ALL = 20_000
MAX_DATA_BYTES = 16_000
MAX_ALL_DATA_BYTES = 16_000_000


class TooMuchData(ValueError):
    """A session can't be begun with that much."""


class TooManySessions(ValueError):
    """No more sessions can be begun now; the text says why, as a sentence.

    Attributes:
        wait_s: When to try again, in seconds.
    """

    def __init__(self, text: str, wait_s: float) -> None:
        super().__init__(text)
        self.wait_s = wait_s


@dataclass(slots=True)
class _Session:
    address: str
    begun_s: float
    data: str
    offered: bool = False


_Ids = OrderedDict[str, None]


class Sessions:
    """The ids that were given out, and the data of each.

    A new session replaces the oldest one if there are too many, of the same address or of all. If
    even that one is younger than `SURE_S`, the new one is refused.

    Args:
        worker: The server's name among several; ids begin with it.
    """

    def __init__(self, worker: str = "") -> None:
        self._worker = worker
        self._all: OrderedDict[str, _Session] = OrderedDict()
        self._of: dict[tuple[str, bool], _Ids] = {}
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
            TooManySessions: Too many wait for their offer.
        """
        written = json.dumps(data) if data else ""
        if len(written) > MAX_DATA_BYTES:
            raise TooMuchData(f"requestData is larger than {MAX_DATA_BYTES} bytes.")
        while self._all and not self.known(oldest := next(iter(self._all)), now_s):
            self._forget(oldest)
        waiting = self._of.get((address, False), ())
        if len(waiting) >= MAX_OF_ONE_ADDRESS:
            text = f"{MAX_OF_ONE_ADDRESS} sessions of your address wait for their offer."
            self._make_room(next(iter(waiting)), now_s, text)
        while (
            len(self._all) >= MAX_ALL or self._data_bytes + len(written) > MAX_ALL_DATA_BYTES
        ) and self._all:
            text = "Too many sessions wait for their offer."
            self._make_room(next(iter(self._all)), now_s, text)
        session_id = named(self._worker, str(uuid.uuid4()))
        self._all[session_id] = _Session(address, now_s, written)
        self._data_bytes += len(written)
        self._of.setdefault((address, False), OrderedDict())[session_id] = None
        return session_id

    def known(self, session_id: str, now_s: float) -> bool:
        """Whether an id was given out within the last hour."""
        session = self._all.get(session_id)
        return session is not None and now_s - session.begun_s <= LIFETIME_S

    def began_with(self, session_id: str) -> dict[str, object]:
        """The data that a session was begun with; empty if there is none, or no such session."""
        session = self._all.get(session_id)
        return json.loads(session.data) if session and session.data else {}

    def offered(self, session_id: str) -> None:
        """Note that a session no longer waits for its first offer."""
        session = self._all.get(session_id)
        if session is None or session.offered:
            return
        self._take_out(session_id, session)
        session.offered = True
        ids = self._of.setdefault((session.address, True), OrderedDict())
        ids[session_id] = None
        if len(ids) > MAX_OF_ONE_ADDRESS:
            self._forget(next(iter(ids)))

    def _make_room(self, oldest: str, now_s: float, text: str) -> None:
        wait_s = self._all[oldest].begun_s + SURE_S - now_s
        if wait_s > 0:
            raise TooManySessions(text, wait_s)
        self._forget(oldest)

    def _forget(self, session_id: str) -> None:
        session = self._all.pop(session_id)
        self._data_bytes -= len(session.data)
        self._take_out(session_id, session)

    def _take_out(self, session_id: str, session: _Session) -> None:
        kind = session.address, session.offered
        del self._of[kind][session_id]
        if not self._of[kind]:
            del self._of[kind]
