"""On which machine a new worker runs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any


def emptiest(
    nodes: Iterable[Mapping[str, Any]],
    workers: Mapping[str, int],
    away: Collection[str | None],
    cpus: float,
) -> str | None:
    """The node with the most cores that no worker has; None if there is none with any.

    Ray fills one machine after the other, and then the loss of one would be the loss of all.

    Args:
        nodes: Ray's nodes, as `ray.nodes()` describes them.
        workers: How many workers each has, by its id.
        away: The nodes that seem to be gone.
        cpus: Cores of a worker.
    """
    free = {
        node["NodeID"]: node["Resources"].get("CPU", 0) - cpus * workers.get(node["NodeID"], 0)
        for node in nodes
        if node["Alive"] and node["NodeID"] not in away
    }
    best = max(free, key=lambda id: free[id], default=None)
    return best if best is not None and free[best] >= cpus else None
