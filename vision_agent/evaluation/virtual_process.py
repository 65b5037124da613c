"""The process in which calls take place in virtual time; `VirtualCalls` starts it.

It reads jobs from standard input and writes the outcome of each to standard output, both pickled.
What agents print goes to standard error. It ends when standard input ends.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from vision_agent.evaluation.virtual_call import ServerNotStarted, VirtualCall
from vision_agent.virtual_time.loop import run_virtually

if TYPE_CHECKING:
    from vision_agent.evaluation.scripted_server import ScriptedServer

MAX_FPS = 5.0
"""The caller's frame rate. Encoding more frames is half of a call's cost, and the model gets one a
second."""

GIVES_WAY = 10
"""Added to the process's niceness. The virtual clock stands still while the process waits for a
core; the clock of real-time calls beside it does not."""


async def make_calls(jobs: BinaryIO, outcomes: BinaryIO) -> None:
    """Make one call after the other, until there are no more jobs.

    A server stays as long as the calls want the same one.
    """
    # Imported here: modules imported before the clock is replaced keep the real one.
    from vision_agent.caller import recording, tracks
    from vision_agent.evaluation.scripted_server import ScriptedServer
    from vision_agent.replay import replay

    recording.MAX_FPS = MAX_FPS
    tracks.SILENCE_PACKET_MS = 120  # a sixth of the packets
    async with AsyncExitStack() as stack:
        served: Mapping[str, Any] | None = None
        server: ScriptedServer | None = None
        # A blocking read: there is nothing else to do, and no time passes meanwhile.
        while (job := _read(jobs)) is not None:
            outcome: object
            try:
                if server is None or served != job.settings:
                    await stack.aclose()
                    server = None
                    running = ScriptedServer.running(job.settings, job.scenario)
                    server, served = await _started(stack, running), job.settings
                async with server.playing(job.scenario):
                    outcome = await replay(replace(job.options, url=server.url))
            except Exception as error:  # the parent raises it
                outcome = error
            outcomes.write(_pickled(outcome))
            outcomes.flush()


async def _started(
    stack: AsyncExitStack, running: AbstractAsyncContextManager[ScriptedServer]
) -> ScriptedServer:
    try:
        return await stack.enter_async_context(running)
    except Exception as error:
        # In words: to unpickle the error itself, the parent would have to import ADK.
        raise ServerNotStarted(f"The server did not start: {error}") from error


def _read(jobs: BinaryIO) -> VirtualCall | None:
    try:
        job: VirtualCall = pickle.load(jobs)
    except EOFError:
        return None
    return job


def _pickled(outcome: object) -> bytes:
    try:
        pickled = pickle.dumps(outcome)
        pickle.loads(pickled)
    except Exception as error:
        pickled = pickle.dumps(RuntimeError(f"{outcome!r} ({error})"))
    return len(pickled).to_bytes(8, "big") + pickled


def main() -> None:
    """Run the process."""
    from vision_agent.logs import start_logging

    if hasattr(os, "nice"):
        os.nice(GIVES_WAY)
    outcomes = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    start_logging(verbose=False)
    run_virtually(lambda: make_calls(sys.stdin.buffer, outcomes))


if __name__ == "__main__":
    main()
