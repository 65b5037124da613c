"""Keeps agents' files (ADK's artifacts) in bounded memory while the server runs."""

from __future__ import annotations

import logging
from typing import Any

from google.adk.artifacts.in_memory_artifact_service import InMemoryArtifactService
from google.genai import types
from pydantic import PrivateAttr

logger = logging.getLogger(__name__)

MAX_BYTES = 64_000_000
"""The size of all files of one agent's callers together; the oldest file is dropped first."""


class BoundedArtifacts(InMemoryArtifactService):
    """ADK's artifacts in memory; beyond the bound the oldest are dropped.

    Without any artifact service ADK ends the run of an agent that only has the tool
    `load_artifacts`, or `{artifact.name?}` in its instruction.
    """

    _bytes_of: dict[tuple[str, str, str, str | None], int] = PrivateAttr(default_factory=dict)

    async def save_artifact(
        self,
        *,
        app_name: str,
        user_id: str,
        filename: str,
        artifact: types.Part | dict[str, Any],
        session_id: str | None = None,
        custom_metadata: dict[str, Any] | None = None,
    ) -> int:
        """Keep another version of a file; `ValueError` if it alone exceeds the bound."""
        part = types.Part.model_validate(artifact)
        size = len((part.inline_data and part.inline_data.data) or part.text or "")
        if size > MAX_BYTES:
            raise ValueError(f"A file of {size} bytes is more than the {MAX_BYTES} that are kept.")
        version = await super().save_artifact(
            app_name=app_name,
            user_id=user_id,
            filename=filename,
            artifact=part,
            session_id=session_id,
            custom_metadata=custom_metadata,
        )
        key = (app_name, user_id, filename, session_id)
        self._bytes_of[key] = self._bytes_of.pop(key, 0) + size
        while sum(self._bytes_of.values()) > MAX_BYTES:
            await self._drop_oldest()
        return version

    async def _drop_oldest(self) -> None:
        (app_name, user_id, filename, session_id) = next(iter(self._bytes_of))
        del self._bytes_of[app_name, user_id, filename, session_id]
        logger.warning("Agents have stored more files than are kept: the oldest is dropped.")
        await self.delete_artifact(
            app_name=app_name, user_id=user_id, filename=filename, session_id=session_id
        )
