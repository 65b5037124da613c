"""Holds one conversation with a Live API server through google-genai and prints it as JSON.

``python conversation.py MODEL SPEECH.pcm``; the server's address, its certificate and a key are in
the environment. Runs under each major version of the SDK, and needs nothing else.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google import genai
from google.genai import errors, live, types

GET_TIME = {
    "name": "get_time",
    "description": "The time in a place.",
    "parameters_json_schema": {"type": "object", "properties": {"place": {"type": "string"}}},
}
CONFIG: dict[str, Any] = {
    "response_modalities": ["AUDIO"],
    "speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}},
    "system_instruction": "Help.",
    "input_audio_transcription": {},
    "output_audio_transcription": {},
    "session_resumption": {},
    "tools": [{"function_declarations": [GET_TIME]}],
}
Condition = Callable[[types.LiveServerMessage], Any]


class Told:
    """The messages of a session, received in the background."""

    def __init__(self, session: live.AsyncSession) -> None:
        self.messages: list[types.LiveServerMessage] = []
        self._news = asyncio.Event()
        self._session = session
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while True:
                async for message in self._session.receive():
                    self.messages.append(message)
                    self._news.set()
        finally:
            self._news.set()

    async def until(self, condition: Condition, times: int = 1) -> types.LiveServerMessage:
        while True:
            self._news.clear()
            found = [message for message in self.messages if condition(message)]
            if len(found) >= times:
                return found[times - 1]
            if self._reading.done():
                self._reading.result()
            await self._news.wait()

    def text(self, kind: str) -> str:
        pieces = (getattr(m.server_content, kind) for m in self.messages if m.server_content)
        return "".join(piece.text or "" for piece in pieces if piece)

    async def stop(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


def has(name: str) -> Condition:
    return lambda message: message.server_content and getattr(message.server_content, name)


def resumable(message: types.LiveServerMessage) -> Any:
    return message.session_resumption_update and message.session_resumption_update.resumable


async def converse(model: str, speech: bytes) -> dict[str, Any]:
    client = genai.Client()
    report: dict[str, Any] = {"sdk": genai.__version__}
    async with client.aio.live.connect(model=model, config=CONFIG) as session:
        told = Told(session)
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "hello"}]})
        await told.until(has("turn_complete"))
        report["typed"] = {
            "said": told.text("output_transcription"),
            "sound_bytes": sum(len(message.data or b"") for message in told.messages),
        }
        for start in range(0, len(speech), 3200):
            blob = types.Blob(data=speech[start : start + 3200], mime_type="audio/pcm;rate=16000")
            await session.send_realtime_input(audio=blob)
        called = (await told.until(lambda message: message.tool_call)).tool_call
        report["heard"] = told.text("input_transcription")
        report["called"] = [
            {"name": call.name, "args": call.args} for call in called.function_calls
        ]
        await session.send_tool_response(
            function_responses=[
                types.FunctionResponse(id=call.id, name=call.name, response={"time": "noon"})
                for call in called.function_calls
            ]
        )
        await told.until(lambda _: told.text("output_transcription").endswith("It is noon."))
        await session.send_realtime_input(text="Tell me a story")
        await told.until(lambda _: "Once" in told.text("output_transcription"))
        await session.send_realtime_input(text="stop")
        await told.until(has("interrupted"))
        await told.until(lambda _: told.text("output_transcription").endswith("something."))
        update = (await told.until(resumable)).session_resumption_update
        report["usage"] = (await told.until(lambda m: m.usage_metadata)).usage_metadata
        report["usage"] = report["usage"].total_token_count
        await told.stop()
    resumed = {**CONFIG, "session_resumption": {"handle": update.new_handle}}
    async with client.aio.live.connect(model=model, config=resumed) as session:
        told = Told(session)
        await session.send_realtime_input(text="which turn")
        await told.until(has("turn_complete"))
        report["resumed"] = told.text("output_transcription")
        await told.stop()
    try:
        voice = {"voice_config": {"prebuilt_voice_config": {"voice_name": "Nobody"}}}
        async with client.aio.live.connect(model=model, config={**CONFIG, "speech_config": voice}):
            pass
    except errors.APIError as error:
        report["refused"] = {"code": error.code, "words": str(error)}
    report["token"] = await with_a_token(model)
    report["models"] = [each.name async for each in await client.aio.models.list()]
    return report


async def with_a_token(model: str) -> list[str]:
    """The outcomes of two sessions with an ephemeral token that is valid for one."""
    alpha = {"api_version": "v1alpha"}
    config = {"uses": 1, "live_connect_constraints": {"model": model, "config": CONFIG}}
    minting = genai.Client(http_options=alpha)
    token = await minting.aio.auth_tokens.create(config=config)
    client = genai.Client(api_key=token.name, http_options=alpha)
    outcome = []
    for _ in range(2):
        try:
            # The token's model is used, not this one.
            async with client.aio.live.connect(model="gemini-nobody", config={}):
                outcome.append("opened")
        except errors.APIError as error:
            outcome.append(str(error))
    return outcome


if __name__ == "__main__":
    print(json.dumps(asyncio.run(converse(sys.argv[1], Path(sys.argv[2]).read_bytes()))))
