"""The local Live API as a process of its own: ``python -m vision_agent.local``.

Prints one line of JSON when it listens, ``{"port": N, "certificate": "<PEM>"}``, and ends with
status 0 when its standard input ends (so when its parent does) or on SIGTERM or SIGINT. With a
scenario that says something impossible it ends with status 2 before it listens.

`VISION_AGENT_LOCAL_KEY` in its environment is the one API key it takes; without the variable it
takes every key. `VISION_AGENT_LOCAL_OWN_MODELS` names servers of the user's own, with their keys
(`OwnModels.to_json`). A command line, in which a key could stand, can be read by every local user.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import sys
import threading
from pathlib import Path

from vision_agent.local.process import serve_until
from vision_agent.local.scenarios.scenario import Scenario
from vision_agent.local.scenarios.scenario_file import load_scenario
from vision_agent.local.scenarios.yaml_reader import ScenarioError
from vision_agent.local.server import MAX_CONNECTIONS
from vision_agent.own_models import OwnModels

KEY_VARIABLE = "VISION_AGENT_LOCAL_KEY"
OWN_MODELS_VARIABLE = "VISION_AGENT_LOCAL_OWN_MODELS"


def main() -> int:
    """The command line of ``python -m vision_agent.local``; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m vision_agent.local",
        description="The Live API on this machine; ends when its standard input does.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes any free one")
    parser.add_argument("--scenario", type=Path, help="what to say and what goes wrong (YAML)")
    parser.add_argument(
        "--data-dir", type=Path, help="where to keep what users teach [nowhere: until it ends]"
    )
    parser.add_argument(
        "--max-connections",
        type=int,
        default=MAX_CONNECTIONS,
        help="clients that may be connected at once",
    )
    options = parser.parse_args()
    try:
        scenario = load_scenario(options.scenario) if options.scenario else None
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        asyncio.run(_run(options, scenario))
    except OSError as error:
        sys.stderr.write(f"cannot listen on {options.host}:{options.port}: {error}\n")
        return 1
    return 0


async def _run(options: argparse.Namespace, scenario: Scenario | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_end_of_input() -> None:
        # A thread, because not every standard input (a file, /dev/null) can be watched by the
        # event loop. It is a daemon: nothing waits for it when a signal ends the process.
        while os.read(0, 4096):
            pass
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end_of_input, name="standard input", daemon=True).start()
    own_models = os.environ.pop(OWN_MODELS_VARIABLE, None)
    await serve_until(
        stop,
        options.host,
        options.port,
        _announce,
        scenario,
        data_dir=options.data_dir,
        own_models=OwnModels.from_json(own_models) if own_models else None,
        # Its own worker processes have no use for it.
        api_key=os.environ.pop(KEY_VARIABLE, None),
        max_connections=options.max_connections,
    )


def _announce(port: int, certificate_pem: str) -> None:
    # A pass of the garbage collector over all that is loaded takes 35 ms, and stops every session.
    gc.freeze()
    sys.stdout.write(json.dumps({"port": port, "certificate": certificate_pem}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
