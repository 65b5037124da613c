"""The local Live API as a child process: started, found by its address, ended with us.

It is a process of its own so that recognising speech and reading text never hold up the media,
and so that the very same wire is used as with the real service.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 0.5


class LocalServerError(RuntimeError):
    """The local Live API could not be started, or has ended by itself."""


@dataclass(slots=True)
class LocalServer:
    """A running local Live API.

    Attributes:
        base_url: `https://127.0.0.1:port`.
        certificate_pem: The certificate it made for itself at start; trust this one only.
        api_key: The one key it takes, so that no other program of this machine uses it.
        process: The child.
    """

    base_url: str
    certificate_pem: str
    api_key: str
    process: asyncio.subprocess.Process

    @classmethod
    async def start(
        cls, scenario: Path | None = None, data_dir: Path | None = None, most_calls: int = 32
    ) -> Self:
        """Start it on a free port and wait until it listens; `LocalServerError` if it does not.

        Args:
            scenario: A file that says what it answers and what goes wrong; none for itself.
            data_dir: Where it keeps what users teach; None keeps it until it ends.
            most_calls: How many calls there may be at once.
        """
        api_key = secrets.token_urlsafe(24)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "vision_agent.local",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            *(("--scenario", str(scenario)) if scenario else ()),
            *(("--data-dir", str(data_dir)) if data_dir else ()),
            # While a call changes its connection it has two.
            "--max-connections",
            str(2 * most_calls),
            # It ends when this pipe closes, so it can't outlive us, however we end.
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Ctrl-C reaches a terminal's whole process group; we end it in our own order.
            start_new_session=True,
            env={**os.environ, "VISION_AGENT_LOCAL_KEY": api_key},
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                line = await process.stdout.readline()
            announced = json.loads(line)
            base_url = f"https://127.0.0.1:{announced['port']}"
            return cls(base_url, announced["certificate"], api_key, process)
        except (TimeoutError, ValueError, KeyError) as error:
            await _end(process)
            raise LocalServerError(
                "The local Live API did not start; what it printed stands above."
            ) from error
        except asyncio.CancelledError:
            await _end(process)
            raise

    async def close(self) -> None:
        """End it and wait until it is gone."""
        await _end(self.process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        logger.info("the local Live API did not end in time; it is killed")
        # Its workers are in the session that it leads.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
