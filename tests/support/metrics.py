"""Reads a server's `/metrics`."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Callable

from tests.support.waiting import until


def metrics(url: str) -> dict[str, float]:
    """The values by their names and labels as written in the text.

    For example ``vision_agent_calls`` and ``vision_agent_offers_refused_total{status="503"}``.
    """
    with urllib.request.urlopen(f"{url}/metrics", timeout=20) as response:
        return read(response.read().decode())


def read(text: str) -> dict[str, float]:
    """The values in the text of `/metrics`."""
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


async def metric(url: str, name: str) -> float:
    """The value of a metric, named without ``vision_agent_``."""
    return (await asyncio.to_thread(metrics, url))[f"vision_agent_{name}"]


async def until_metric(url: str, name: str, holds: Callable[[float], bool]) -> None:
    """Waits until `holds` is true of a metric's value."""

    async def there() -> bool:
        return holds(await metric(url, name))

    await until(there, what=name)
