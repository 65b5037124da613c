"""The options of a cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from vision_agent.settings import Settings

NAMESPACE = "vision-agent"
"""Ray's namespace of the actors: `ray.get_actor(name, namespace=…)` finds them."""

APPLICATION = "vision-agent"
"""The name of the Serve application."""


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """A deployment.

    Attributes:
        settings: The options of every worker; `max_calls` is that of one worker.
        generation: Names the deployment; a later one sorts higher.
        least: The least number of workers.
        most: The greatest number of workers.
        cpus: Cores that Ray counts for a worker.
        on_loopback: Whether all of it runs on this machine and is reached through the ingress.
    """

    settings: Settings
    generation: str
    least: int
    most: int
    cpus: float = 1.0
    on_loopback: bool = False


def read_workers(text: str, cores: int) -> tuple[int, int]:
    """The least and the greatest number of workers.

    Args:
        text: `4`, or `1-8`; empty for one up to one per core.
        cores: The number of cores.

    Raises:
        ValueError: The text is neither; the message says what to write.
    """
    if not text:
        return 1, max(1, cores)
    found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text.strip())
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= least <= most:
        raise ValueError("Write it as a number, or as least-most: 1-8.")
    return least, most


def read_address(text: str) -> tuple[str, int] | None:
    """The host and port at which a running Ray cluster listens; None if Ray is to find it.

    Args:
        text: `ray://host:10001`, `host:6379`, or `auto`.

    Raises:
        ValueError: The text is none of these; the message says what to write.
    """
    if text == "auto":
        return None
    parts = urlsplit(text if "://" in text else f"//{text}")
    try:
        ends = parts.hostname, parts.port
    except ValueError:
        ends = None, None
    if parts.scheme not in ("", "ray") or not ends[0] or not ends[1]:
        raise ValueError("Write it as ray://HOST:10001, as HOST:6379, or as auto.")
    return ends[0], ends[1]
