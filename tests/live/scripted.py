"""A local Live API whose engine a test scripts."""

from contextlib import asynccontextmanager

from vision_agent.local.scenarios.scenario import Scenario
from vision_agent.local.server import serve

MODELS = ["gemini-2.5-flash-native-audio-preview-12-2025", "gemini-3.8-live"]


@asynccontextmanager
async def server(engine, **habits):
    running = await serve("127.0.0.1", 0, engine, scenario=Scenario(habits=habits))
    try:
        yield running
    finally:
        await running.close()
