"""The engine learns the user of a conversation, from any client and from the product's calls."""

from __future__ import annotations

import asyncio

from google import genai
from google.adk.agents import Agent
from google.genai import types

from tests.local.adk_clients import calling
from tests.local.live_clients import MODEL_2, http_options
from tests.local.scripted_engine import ScriptedEngine
from vision_agent import call_scope
from vision_agent.live.connection.gemini import gemini_at
from vision_agent.live.model_scope import ModelScope
from vision_agent.local.server import LocalServer


async def test_a_label_of_the_setup_says_who_it_is(
    server: LocalServer, engine: ScriptedEngine
) -> None:
    options = http_options(server)
    options.base_url = f"https://127.0.0.1:{server.port}"
    client = genai.Client(api_key="any", http_options=options)
    for labels in (None, {"user": "ann"}):
        config = types.LiveConnectConfig(response_modalities=["AUDIO"], labels=labels)
        async with client.aio.live.connect(model=MODEL_2, config=config) as session:
            await session.send_client_content(
                turns=types.Content(role="user", parts=[types.Part(text="hello")])
            )
            async with asyncio.timeout(15):
                async for _ in session.receive():
                    pass
    assert [turn.user for turn in engine.turns] == ["", "ann"]


async def test_a_calls_user_goes_the_same_way_through_adk(
    server: LocalServer, engine: ScriptedEngine
) -> None:
    model = gemini_at(f"https://127.0.0.1:{server.port}", server.certificate_pem, model=MODEL_2)
    call_scope.enter_model_side(ModelScope(user_id="ann"))
    try:
        async with calling(Agent(name="guide", model=model)) as call:
            call.type("hello")
            await call.until(lambda event: event.turn_complete)
    finally:
        call_scope.enter_model_side(None)
    assert [turn.user for turn in engine.turns] == ["ann"]
