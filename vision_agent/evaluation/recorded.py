"""Finds the recording of a call among those of a server."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

from vision_agent.recordings.lines import EndedLine
from vision_agent.recordings.recorded_call import BadRecordedCall, RecordedCall

_WAIT_S = 5.0
_POLL_S = 0.1
_ID = re.compile(r"[\w.-]{1,200}", re.ASCII)


async def recording_of(folder: Path, call_id: str | None) -> Path | None:
    """Return the folder of a call's recording, once it has been written to its end.

    Args:
        folder: Where the server records.
        call_id: The call's id at the server.

    Returns:
        The folder; None if there is none. A recording that does not end within 5 s is returned
        unfinished.
    """
    if call_id is None or not _ID.fullmatch(call_id):
        return None
    until = time.monotonic() + _WAIT_S
    while True:
        found = await asyncio.to_thread(_find, folder, call_id)
        if (found is not None and isinstance(found.lines[-1], EndedLine)) or (
            time.monotonic() > until
        ):
            return None if found is None else found.folder
        await asyncio.sleep(_POLL_S)


def _find(folder: Path, call_id: str) -> RecordedCall | None:
    # The name holds the beginning of the id, without a worker's name (`recordings/folder.py`).
    for path in folder.glob(f"*-{call_id.rpartition('.')[2][:8]}*"):
        try:
            call = RecordedCall.open(path)
        except BadRecordedCall:
            continue  # it has just begun
        if call.header.call_id == call_id:
            return call
    return None
