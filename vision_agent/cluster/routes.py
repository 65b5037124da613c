"""Chooses the worker of a request. Pure: time is an argument."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from vision_agent.cluster.worker_state import WorkerState
from vision_agent.worker_name import worker_of

KNOWN_AFTER_S = 1.5
"""The table contains calls that were placed earlier than this."""


def worker_in(method: str, path: str, body: bytes) -> str | None:
    """The worker that a request names by the id of a call or session; None if it names none.

    Args:
        method: The request's method.
        path: Its path, without the prefix under which a proxy shows the server.
        body: Its body.
    """
    match path.strip("/").split("/"):
        # A session of `POST /start` is known to the worker that began it.
        case ["sessions", id, *_] | ["whip", "sessions", id] | ["api", "offer", id]:
            return worker_of(id)
        case ["api", "offer"] if method in ("POST", "PATCH"):
            return worker_of(_call_in(body))
    return None


def _call_in(body: bytes) -> str:
    try:
        asked: Any = json.loads(body)
    except (ValueError, RecursionError):  # the worker refuses it with a reason
        return ""
    if not isinstance(asked, dict):
        return ""
    id = asked.get("pc_id", asked.get("pcId"))
    return id if isinstance(id, str) else ""


class Routes:
    """The workers as an ingress knows them.

    The fleet's table is up to a second old. Calls that this ingress has placed since are counted
    here.
    """

    def __init__(self) -> None:
        self._workers: dict[str, WorkerState] = {}
        self._placed: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def workers(self) -> list[WorkerState]:
        """All of them."""
        return list(self._workers.values())

    def replace(self, states: Iterable[WorkerState]) -> None:
        """Take the fleet's newest table."""
        self._workers = {state.name: state for state in states}

    def choose(self, named: str | None, now_s: float) -> list[WorkerState]:
        """The workers to ask, in order.

        The named worker comes first. If it is gone, any other reports that in the usual words. Of
        the others the least loaded comes first, by the share of its calls; last come those that
        take no new calls, whose refusal says when to try again.

        Args:
            named: The worker that the request names; None if any will do.
            now_s: Monotonic seconds.
        """
        by_load = self._by_load(now_s)
        if (owner := self._workers.get(named or "")) is not None:
            return [owner, *(each for each in by_load if each is not owner)]
        return by_load

    def placed(self, name: str, now_s: float) -> None:
        """A worker was given a call."""
        self._placed.append((now_s, name))

    def lost(self, name: str) -> None:
        """A worker can't be reached."""
        self._workers.pop(name, None)

    def _by_load(self, now_s: float) -> list[WorkerState]:
        self._placed = [one for one in self._placed if now_s - one[0] < KNOWN_AFTER_S]
        placed = Counter(name for _, name in self._placed)

        def load(one: WorkerState) -> tuple[bool, bool, float]:
            calls = one.calls + placed[one.name]
            return one.draining, one.problem is not None, calls / one.capacity

        return sorted(self._workers.values(), key=load)
