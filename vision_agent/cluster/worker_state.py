"""A worker's report about itself, to the fleet and through it to every ingress."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker at one moment.

    Attributes:
        name: Its name, with which the ids of its calls begin.
        generation: The deployment that it belongs to; a later one sorts higher.
        node: The id of its Ray node.
        pid: Its process.
        url: Where it takes requests of an ingress: `http://address:port`.
        key: The key that an ingress sends there.
        udp: Where media arrives, as a sentence.
        calls: Calls in progress.
        capacity: Calls at the same time, at most.
        draining: Whether it takes no new calls, because it is about to end.
        problem: Why it can't answer calls at the moment; None if it can.
    """

    name: str
    generation: str
    node: str
    pid: int
    url: str
    key: str = field(repr=False)
    udp: str
    calls: int
    capacity: int
    draining: bool = False
    problem: str | None = None


class WorkerDidNotStart(RuntimeError):
    """A worker can't start; the text says why, as a sentence."""


def why_not_started(error: WorkerDidNotStart) -> str:
    """The sentence, also from an error that Ray passed on from the worker with its traceback."""
    return str(getattr(error, "cause", error))
