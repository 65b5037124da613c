"""`make contract`: the same conversation with the public service and with the local one.

Needs a key of the Gemini API and costs a few cents; without one it says so and does nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection
from pathlib import Path

from google.genai import Client, types

from tests.contract.conversation import SCENARIO, Caller, Scenes
from tests.contract.recorder import Recorder
from tests.contract.sequence import differences
from tests.local.live_clients import MODEL_2, MODEL_3, MODEL_3_1, studio_client
from vision_agent.local import serve
from vision_agent.local.scenarios.scenario_file import read_scenario

MODELS = (MODEL_2, MODEL_3_1, MODEL_3)

PUBLIC = "wss://generativelanguage.googleapis.com"

RECORDINGS = Path("out") / "recordings"
"""The folder for recordings of sessions with the public service, as in `tests/recordings`."""

WITHOUT_KEY = (
    "Skipped: the contract test compares the local Live API with the public one, and needs a key "
    "for that in GOOGLE_API_KEY or GEMINI_API_KEY. Without one, `make test` compares it with "
    "tests/contract/reference.json."
)


async def play_locally(model: str, scenario: str = SCENARIO, names: Collection[str] = ()) -> Scenes:
    """Play every scene, or those with these names, against a local server of its own."""
    server = await serve("127.0.0.1", 0, None, scenario=read_scenario(scenario))
    try:
        bad_client = studio_client(server, key="invalid")
        return await Caller(studio_client(server), model, bad_client, hurried=True).play(names)
    finally:
        await server.close()


async def play_publicly(model: str, key: str) -> Scenes:
    """Play every scene against the public service, and record each connection."""
    async with Recorder(PUBLIC, RECORDINGS) as recorder:

        def client(key: str) -> Client:
            options = types.HttpOptions(
                base_url=recorder.base_url,
                api_version="v1alpha",
                async_client_args={"ssl": recorder.trusted, "max_size": None},
            )
            return Client(vertexai=False, api_key=key, http_options=options)

        def name_files(scene: str) -> None:
            recorder.scene = f"{model}_{scene.replace(' ', '-')}"

        caller = Caller(client(key), model, client("invalid"), hurried=False, on_scene=name_files)
        return await caller.play()


async def compare(key: str) -> bool:
    """Play everything against both and print the differences; returns whether there are none."""
    same = True
    for model in MODELS:
        public, local = await play_publicly(model, key), await play_locally(model)
        found = differences(public, local)
        same &= not found
        print(f"{model}: {'differs' if found else 'the same'} in {len(public)} scenes")
        for line in found:
            print(f"  {line}")
    print(
        f"The sessions with the public service are recorded in {RECORDINGS}; "
        f"`python -m tests.contract.recordings {RECORDINGS}/*.jsonl` compares each habit."
    )
    return same


def main() -> int:
    key = os.environ.get("GOOGLE_API_KEY") or os.environ.get("GEMINI_API_KEY")
    if not key:
        print(WITHOUT_KEY)
        return 0
    return 0 if asyncio.run(compare(key)) else 1


if __name__ == "__main__":
    sys.exit(main())
