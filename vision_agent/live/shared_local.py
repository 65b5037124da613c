"""A local Live API that the servers of one run share: its engine is loaded once.

The process that starts the servers starts it and writes to a file where it listens; a variable
names the file to the servers. A server takes it if it would have started the same one itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from vision_agent.data_folder import data_folder, private_folder
from vision_agent.live.local_process import (
    AWAY_S,
    Address,
    LocalApi,
    LocalLiveApi,
    LocalLiveApiAway,
)
from vision_agent.own_models import OwnModels

VARIABLE = "VISION_AGENT_SHARED_LOCAL"
"""Names the file to a server."""

_POLL_S = 0.05


async def start_shared(file: Path, most_calls: int, log: Path) -> LocalLiveApi:
    """Start one as servers with this process's environment would.

    Args:
        file: Tells servers where it listens. It holds the key, so its folder must be private.
        most_calls: How many calls there may be at the same time.
        log: The log.

    Raises:
        LocalLiveApiError: It does not start.
        OwnModelError: A server of the user's own can't be used as it was named.
        OSError: The data folder or the file can't be used.
    """
    data_dir, own_models = data_folder(), OwnModels.from_environ()
    private_folder(data_dir)
    started_with = _digest(None, data_dir, own_models)

    def tell(api: LocalApi) -> None:
        state = {
            "started_with": started_with,
            "address": api.newest_address,
            "answers_within_s": api.answers_within_s,
            "problem": api.problem,
            "restarts": api.restarts,
        }
        new = file.with_suffix(".new")
        new.write_text(json.dumps(state))
        new.replace(file)

    return await LocalLiveApi.start(
        None, data_dir, most_calls, own_models, stderr_to=log, on_change=tell
    )


class SharedLocalApi:
    """A local Live API that another process runs; see `LocalApi` for its attributes.

    Args:
        file: Tells where it listens.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.answers_within_s: float | None = self._state["answers_within_s"]

    @classmethod
    def offered(
        cls,
        scenario: Path | None,
        data_dir: Path,
        own_models: OwnModels,
        environ: Mapping[str, str] = os.environ,
    ) -> Self | None:
        """The one that the environment names; None if it names none that was started likewise.

        Args:
            scenario: The scenario to follow.
            data_dir: Where it keeps what users teach.
            own_models: Servers of the user's own that do a part of its work.
            environ: The environment.
        """
        named = environ.get(VARIABLE)
        if not named:
            return None
        try:
            shared = cls(Path(named))
            same = shared._state["started_with"] == _digest(scenario, data_dir, own_models)
        except (OSError, ValueError, KeyError):
            return None
        return shared if same else None

    @property
    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._file.read_text())
        return state

    @property
    def problem(self) -> str | None:
        """Why it can't be reached at the moment, as a sentence; None if it can be."""
        problem: str | None = self._state["problem"]
        return problem

    @property
    def restarts(self) -> int:
        """How often it has ended by itself and was started again."""
        return int(self._state["restarts"])

    @property
    def newest_address(self) -> Address:
        """Where it listens, or listened."""
        return Address(*self._state["address"])

    async def address(self) -> Address:
        """Where it listens; waits while it is being restarted; `LocalLiveApiAway` if too long."""
        try:
            async with asyncio.timeout(AWAY_S):
                while self.problem is not None:  # noqa: ASYNC110 - another process tells
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise LocalLiveApiAway(self.problem or "The local Live API is not there.") from None
        return self.newest_address

    async def close(self) -> None:
        """Stop using it; other servers may continue."""


def _digest(scenario: Path | None, data_dir: Path, own_models: OwnModels) -> str:
    """What one is started with. A digest, because it contains keys."""
    started_with = [str(scenario), str(data_dir.absolute()), own_models.to_json()]
    return hashlib.sha256(json.dumps(started_with).encode()).hexdigest()
