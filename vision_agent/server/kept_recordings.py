"""The folder of recordings while the server runs: made at its start, and swept every hour."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from vision_agent.recordings.folder import prepare
from vision_agent.recordings.retention import SWEEP_EVERY_S, sweep
from vision_agent.settings import Settings

logger = logging.getLogger(__name__)

_DAY_S = 86_400


class CannotRecord(RuntimeError):
    """The folder of recordings can't be used; the text says why."""


def prepare_recordings(settings: Settings) -> None:
    """Make the folder of recordings, if calls are recorded.

    Raises:
        CannotRecord: It can't be made or written to.
    """
    if settings.record is None:
        return
    try:
        prepare(settings.record)
    except OSError as error:
        raise CannotRecord(
            f"Calls can't be recorded in {settings.record}: {error.strerror}."
        ) from error


@asynccontextmanager
async def kept_recordings(settings: Settings) -> AsyncIterator[None]:
    """Have the folder of recordings within the context, and delete old ones.

    Raises:
        CannotRecord: The folder can't be made or written to.
    """
    if settings.record is None:
        yield
        return
    await asyncio.to_thread(prepare_recordings, settings)
    sweeping = None
    if settings.keep_recordings is not None:
        keeping = _sweep_every_hour(settings.record, _DAY_S * settings.keep_recordings)
        sweeping = asyncio.create_task(keeping, name="sweep-recordings")
    try:
        yield
    finally:
        if sweeping is not None:
            sweeping.cancel()
            await asyncio.wait([sweeping])


async def _sweep_every_hour(folder: Path, keep_s: float) -> None:
    while True:
        try:
            if deleted := await asyncio.to_thread(sweep, folder, keep_s):
                logger.info("%d old recordings were deleted.", deleted)
        except Exception:  # tried again in an hour
            logger.exception("Old recordings could not be deleted.")
        await asyncio.sleep(SWEEP_EVERY_S)
