"""A call in virtual time, as one process describes it to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vision_agent.replay import ReplayOptions


class ServerNotStarted(RuntimeError):
    """There is no server for a call; the text says why."""


@dataclass(frozen=True, slots=True)
class VirtualCall:
    """A call to make.

    Attributes:
        settings: The options of the server (`Settings`).
        scenario: The scenario of the local Live API.
        options: The caller; its `url` is filled in.
    """

    settings: Mapping[str, Any]
    scenario: Path
    options: ReplayOptions
