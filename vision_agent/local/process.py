"""Runs the local Live API until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from vision_agent.local.api.engine_port import ClosingEngine
from vision_agent.local.api.limits import SERVICE, Limits
from vision_agent.local.scenarios.scenario import Scenario
from vision_agent.local.server import MAX_CONNECTIONS, LocalServer, serve
from vision_agent.own_models import OwnModels


def run_live_server(
    host: str,
    port: int,
    announce: Callable[[int, str], None],
    scenario: Scenario | None = None,
    limits: Limits = SERVICE,
    data_dir: Path | None = None,
    own_models: OwnModels | None = None,
) -> None:
    """Serves the local Live API until SIGTERM or SIGINT; for a command line.

    Args:
        host: The address to listen on.
        port: The TCP port, or 0 for any free one.
        announce: Called once it listens, with the port and the certificate (PEM) to trust.
        scenario: What it says instead, and what goes wrong.
        limits: How long connections and sessions may last.
        data_dir: Where it keeps what users teach; None keeps it until it ends.
        own_models: Models of the user's own that do a part of the engine's work.

    Raises:
        OSError: the port is taken.
    """
    asyncio.run(
        serve_until(
            asyncio.Event(),
            host,
            port,
            announce,
            scenario,
            limits,
            data_dir,
            own_models=own_models,
        )
    )


async def serve_until(
    stop: asyncio.Event,
    host: str,
    port: int,
    announce: Callable[[int, str], None],
    scenario: Scenario | None = None,
    limits: Limits = SERVICE,
    data_dir: Path | None = None,
    *,
    own_models: OwnModels | None = None,
    api_key: str | None = None,
    max_connections: int = MAX_CONNECTIONS,
) -> None:
    """Starts the engine and a server, runs them until ``stop`` or a signal, and ends both.

    Args:
        stop: Set when it has to end; SIGTERM and SIGINT set it too.
        host: The address to listen on.
        port: The TCP port, or 0 for any free one.
        announce: Called once it listens, with the port and the certificate (PEM) to trust.
        scenario: What it says instead, and what goes wrong.
        limits: How long connections and sessions may last.
        data_dir: Where it keeps what users teach; None keeps it until it ends.
        own_models: Servers of the user's own that do a part of the engine's work.
        api_key: The one key that is let in; None lets in every key.
        max_connections: How many clients may be connected at once.

    Raises:
        OSError: the port is taken.
    """
    # websockets logs a traceback for every client that leaves in the middle of a handshake.
    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)

    with _stopping_on_signals(stop):
        stopped = asyncio.create_task(stop.wait())
        starting = asyncio.create_task(_start_engine(scenario, data_dir, own_models))
        try:
            await asyncio.wait((starting, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                # A server that is stopped while it starts does not finish starting.
                return
            engine = starting.result()
            try:
                serving = serve(
                    host,
                    port,
                    engine,
                    max_connections=max_connections,
                    limits=limits,
                    scenario=scenario,
                    api_key=api_key,
                    translates=bool(own_models and own_models.brain),
                )
                await _announced(serving, stopped, announce)
            finally:
                if engine is not None:
                    await engine.close()
        finally:
            stopped.cancel()
            starting.cancel()
            await asyncio.wait((starting, stopped))


async def _start_engine(
    scenario: Scenario | None, data_dir: Path | None, own_models: OwnModels | None
) -> ClosingEngine | None:
    if scenario is not None and not scenario.engine:
        return None
    # Imported here: reading the server's code must not load the recognisers.
    from vision_agent.local.engine.engine import LocalEngine

    own = own_models or OwnModels()
    engine: ClosingEngine = await LocalEngine.start(
        data_dir,
        own.whisper or "",
        own.ears,
        looks=own.brain is None,  # a brain is shown the frames themselves
    )
    if own.brain is not None:
        from vision_agent.local.brain.brain_engine import BrainEngine

        engine = BrainEngine(own.brain, engine)
    if own.voice is not None:
        from vision_agent.local.senses.voice_engine import VoiceEngine

        engine = VoiceEngine(own.voice, engine)
    return engine


async def _announced(
    serving: Coroutine[Any, Any, LocalServer],
    stopped: asyncio.Task[Any],
    announce: Callable[[int, str], None],
) -> None:
    server = await serving
    try:
        if not stopped.done():
            announce(server.port, server.certificate_pem)
        await asyncio.wait((stopped,))
    finally:
        await server.close()


@contextlib.contextmanager
def _stopping_on_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    try:
        for number in numbers:
            loop.add_signal_handler(number, stop.set)
    except NotImplementedError:
        # Windows: Ctrl-C ends `asyncio.run` with KeyboardInterrupt, which unwinds as well.
        yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
