"""Chooses the machine of a new worker. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any


def emptiest(
    nodes: Iterable[Mapping[str, Any]],
    workers: Mapping[str, int],
    away: Collection[str | None],
    cpus: float,
) -> str | None:
    """The node with the most free cores; None if no node has a free core.

    Ray itself fills one machine after the other, so the loss of one could be the loss of all calls.

    Args:
        nodes: Ray's nodes, as `ray.nodes()` describes them.
        workers: The number of workers of each node, by the node's id.
        away: The nodes that seem to be lost.
        cpus: Cores of a worker.
    """
    free = {
        node["NodeID"]: node["Resources"].get("CPU", 0) - cpus * workers.get(node["NodeID"], 0)
        for node in nodes
        if node["Alive"] and node["NodeID"] not in away
    }
    best = max(free, key=lambda id: free[id], default=None)
    return best if best is not None and free[best] >= cpus else None
