"""One scripted conversation, scene by scene, through the unpatched google-genai client.

It is the same for the public service and for the local one: the words are chosen so that a language
model can only do one thing, and `SCENARIO` lets the local server do it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from google.genai import Client, errors, live, types

from tests.contract.sequence import Scene
from tests.local.live_talk import Heard, kinds
from tests.local.recordings import silence, spoken

SCENARIO = """
engine: false
hears: [what do you see, stop]
answers:
  - {when: {words: say hello}, say: Hello.}
  - {when: {words: what do you see}, say: I see nothing at all.}
  - {when: {words: use the tool}, call: {name: get_time, args: {place: Graz}}}
  - {when: {tool: get_time}, say: "It is {time}."}
  - when: {words: long story}
    say: [Once upon a time there was a king who had a very long name that took all day to say., So
      when he was hungry his cook had to begin calling him before the sun was up., And so on.]
otherwise: {say: Very well.}
"""

GET_TIME = {"name": "get_time", "description": "The time of day in a place."}

CONFIG: dict[str, Any] = {
    "response_modalities": ["AUDIO"],
    "system_instruction": "Answer in one short sentence. Before you call a tool, say nothing.",
    "input_audio_transcription": {},
    "output_audio_transcription": {},
    "session_resumption": {},
}

WITHIN_S = 60.0

Scenes = dict[str, Scene]


class Caller:
    """Plays every scene against one server.

    Args:
        client: A client with the server's address and key.
        model: A live model; its generation decides the dialect.
        hurried: Whether sound is sent without pauses, instead of in real time.
        bad_client: A client with an invalid key.
        on_scene: Gets the name of each scene before it is played.
    """

    def __init__(
        self,
        client: Client,
        model: str,
        bad_client: Client,
        *,
        hurried: bool,
        on_scene: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._client = client
        self._bad_client = bad_client
        self._model = model
        self._is_3x = "gemini-3" in model
        self._hurried = hurried
        self._on_scene = on_scene

    async def play(self, names: Collection[str] = ()) -> Scenes:
        """Play every scene, or those with these names, each on a connection of its own."""
        scenes: dict[str, Callable[[], Awaitable[Scene]]] = {
            "typed": self._typed,
            "spoken": self._spoken,
            "tool": self._tool,
            "interruption": self._interruption,
            "resumption": self._resumption,
            "no such model": lambda: self._refused(model="gemini-2.5-pro"),
            "no such voice": lambda: self._refused(
                speech_config={"voice_config": {"prebuilt_voice_config": {"voice_name": "Nobody"}}}
            ),
            "two modalities": lambda: self._refused(response_modalities=["AUDIO", "TEXT"]),
            "bad key": lambda: self._refused(client=self._bad_client),
            "old handle": lambda: self._refused(session_resumption={"handle": "nobody's"}),
        }
        if self._is_3x:
            scenes["2.5 dialect"] = self._dialect
        played = {}
        for name, scene in scenes.items():
            if name in (names or scenes):
                self._on_scene(name)
                played[name] = await _tried(scene)
        return played

    @asynccontextmanager
    async def _call(self, **config: Any) -> AsyncIterator[tuple[live.AsyncSession, Heard]]:
        connecting = self._client.aio.live.connect(
            model=self._model, config=types.LiveConnectConfig(**{**CONFIG, **config})
        )
        async with connecting as session, Heard(session) as heard:
            yield session, heard

    async def _type(self, session: live.AsyncSession, text: str) -> None:
        if self._is_3x:
            await session.send_realtime_input(text=text)
        else:
            turn = types.Content(role="user", parts=[types.Part(text=text)])
            await session.send_client_content(turns=turn)

    async def _speak(self, session: live.AsyncSession, recording: str) -> None:
        pcm = silence(300) + spoken(recording) + silence(1500)
        for start in range(0, len(pcm), 3200):
            blob = types.Blob(data=pcm[start : start + 3200], mime_type="audio/pcm;rate=16000")
            await session.send_realtime_input(audio=blob)
            await asyncio.sleep(0.001 if self._hurried else 0.1)

    async def _typed(self) -> Scene:
        async with self._call() as (session, heard):
            await self._type(session, "Say hello.")
            return await _until(heard, "turn_complete", and_beside="session_resumption_update")

    async def _spoken(self) -> Scene:
        async with self._call() as (session, heard):
            await self._speak(session, "what-do-you-see")
            return await _until(heard, "turn_complete", and_beside="session_resumption_update")

    async def _tool(self) -> Scene:
        # 3.8 runs tools in the background unless it is told not to.
        more = {"behavior": "BLOCKING"} if self._is_3x else {}
        tools = [{"function_declarations": [{**GET_TIME, **more}]}]
        async with self._call(tools=tools) as (session, heard):
            await self._type(session, "What time is it in Graz? Use the tool.")
            message = await heard.until("tool_call", within_s=WITHIN_S)
            assert message.tool_call is not None
            responses = [
                types.FunctionResponse(id=call.id, name=call.name, response={"time": "noon"})
                for call in message.tool_call.function_calls or []
            ]
            await session.send_tool_response(function_responses=responses)
            await heard.until("generation_complete", within_s=WITHIN_S)
            return await _until(heard, "turn_complete", and_beside="session_resumption_update")

    async def _interruption(self) -> Scene:
        async with self._call() as (session, heard):
            await self._type(session, "Tell me a very long story, at least two hundred words.")
            await heard.until("audio", within_s=WITHIN_S)
            await self._speak(session, "stop")
            await heard.until("interrupted", within_s=WITHIN_S)
            scene = await _until(heard, "turn_complete")
            end = scene.sequence.index("turn_complete") + 1
            # The answer to "stop" is up to the model.
            return Scene(scene.sequence[:end], scene.beside & {"caption"})

    async def _resumption(self) -> Scene:
        async with self._call() as (session, heard):
            await self._type(session, "Say hello.")
            told = await heard.until("session_resumption_update", within_s=WITHIN_S)
            await heard.until("turn_complete", within_s=WITHIN_S)
        update = told.session_resumption_update
        assert update is not None
        async with self._call(session_resumption={"handle": update.new_handle}) as again:
            await self._type(again[0], "Say hello again.")
            return await _until(again[1], "turn_complete", and_beside="session_resumption_update")

    async def _refused(
        self, *, client: Client | None = None, model: str = "", **config: Any
    ) -> Scene:
        connecting = (client or self._client).aio.live.connect(
            model=model or self._model, config=types.LiveConnectConfig(**{**CONFIG, **config})
        )
        try:
            async with connecting as session:
                # A handle is only looked at after the setup is complete, or not at all.
                async with asyncio.timeout(2):
                    async for _ in session.receive():
                        pass
        except errors.APIError as error:
            return Scene(refused=(error.code, str(error)))
        except TimeoutError:
            pass
        return Scene(refused=(0, "taken"))

    async def _dialect(self) -> Scene:
        try:
            async with self._call() as (session, _), asyncio.timeout(10):
                blob = types.Blob(data=bytes(640), mime_type="audio/pcm;rate=16000")
                await session.send_realtime_input(media=blob)
                async for _ in session.receive():
                    pass
        except errors.APIError as error:
            return Scene(refused=(error.code, str(error)))
        except TimeoutError:
            pass
        return Scene(refused=(0, "taken"))


async def _tried(scene: Callable[[], Awaitable[Scene]]) -> Scene:
    """Plays a scene; a failure is an outcome as well, and the next scenes are played."""
    try:
        return await scene()
    except errors.APIError as error:
        return Scene(refused=(error.code, str(error)))
    except TimeoutError:
        return Scene(refused=(0, "what was waited for never came"))


async def _until(heard: Heard, kind: str, times: int = 1, *, and_beside: str = "") -> Scene:
    """The scene up to the ``times``-th ``kind``, and until ``and_beside`` has come as well."""
    await heard.until(kind, times, within_s=WITHIN_S)
    if and_beside:
        await heard.until(and_beside, within_s=WITHIN_S)
    said: list[str] = []
    for message in heard.messages:
        said += kinds(message)
        if said.count(kind) >= times and (not and_beside or and_beside in said):
            break
    return Scene.of_kinds(said)
