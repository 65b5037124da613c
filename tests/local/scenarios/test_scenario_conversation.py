"""Scripted conversations with google-genai's own client and with ADK, over a real socket."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from google.adk.agents import Agent
from google.genai import types

from tests.local.adk_clients import calling, gemini
from tests.local.live_clients import MODEL_2, studio_client
from tests.local.live_talk import Heard, send_sound
from tests.local.processes import announced, family, running
from tests.local.recordings import silence, spoken
from tests.local.scripted_engine import ScriptedEngine
from tests.support.forked import start_forked
from tests.support.waiting import until
from vision_agent.local.api.limits import SERVICE, UNLIMITED, Limits
from vision_agent.local.contract import HearingOptions, SpeechStarted, Transcript
from vision_agent.local.scenarios.scenario import Scenario
from vision_agent.local.scenarios.scenario_engine import LETTER_MS, ScenarioEngine
from vision_agent.local.scenarios.scenario_file import load_scenario, read_scenario
from vision_agent.local.server import LocalServer, serve

SAMPLE = Path(__file__).parents[3] / "samples" / "scenarios" / "conversation.yaml"

TIME = {
    "function_declarations": [
        {
            "name": "get_time",
            "parameters": {"type": "OBJECT", "properties": {"place": {"type": "STRING"}}},
        }
    ]
}


@asynccontextmanager
async def serving(
    scenario: Scenario, engine: ScriptedEngine | None = None, limits: Limits = SERVICE
) -> AsyncIterator[LocalServer]:
    server = await serve("127.0.0.1", 0, engine, scenario=scenario, limits=limits)
    try:
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def talking(server: LocalServer, **config: object) -> AsyncIterator[tuple[object, Heard]]:
    config = {
        "response_modalities": ["AUDIO"],
        "input_audio_transcription": {},
        "output_audio_transcription": {},
        **config,
    }
    connecting = studio_client(server).aio.live.connect(
        model=MODEL_2,
        config=types.LiveConnectConfig(**config),  # type: ignore[arg-type]
    )
    async with connecting as session, Heard(session) as heard:
        yield session, heard


async def speak(session: object, name: str) -> None:
    pcm = silence(300) + spoken(name) + silence(1000)
    for start in range(0, len(pcm), 6400):
        await session.send_realtime_input(  # type: ignore[attr-defined]
            audio=types.Blob(data=pcm[start : start + 6400], mime_type="audio/pcm;rate=16000")
        )


def transcripts(heard: Heard) -> list[str]:
    return [
        message.server_content.input_transcription.text or ""
        for message in heard.messages
        if message.server_content and message.server_content.input_transcription
    ]


async def test_the_sample_hears_sees_calls_a_tool_and_is_interrupted() -> None:
    async with (
        serving(load_scenario(SAMPLE)) as server,
        talking(server, tools=[TIME]) as (session, heard),
    ):
        # The voice activity is real; the transcript is the script's, whatever the recording says.
        await speak(session, "off-topic")
        await heard.until("turn_complete")
        assert heard.captions == "I see no picture yet."
        await speak(session, "hello")
        await heard.until("turn_complete", 2)
        await speak(session, "hello")
        call = (await heard.until("tool_call")).tool_call
        assert call is not None
        [function] = call.function_calls or []
        assert (function.name, function.args) == ("get_time", {"place": "Graz"})
        await session.send_tool_response(  # type: ignore[attr-defined]
            function_responses=types.FunctionResponse(
                id=function.id, name=function.name, response={"time": "noon"}
            )
        )
        await heard.until_true(lambda: heard.captions.endswith("It is noon."))
        await session.send_realtime_input(text="Tell me a story!")  # type: ignore[attr-defined]
        await heard.until_true(lambda: "Once upon" in heard.captions)
        await session.send_realtime_input(text="stop")  # type: ignore[attr-defined]
        await heard.until("interrupted")
        await heard.until_true(lambda: heard.captions.endswith("You typed something."))
    assert "".join(transcripts(heard)) == " what do you see mumble what time is it in Graz"


async def test_hearing_follows_the_clients_own_activity_signals() -> None:
    scenario = read_scenario("engine: false\nhears: [one, two]\notherwise: {say: Yes.}")
    detection = types.AutomaticActivityDetection(disabled=True)
    config = types.RealtimeInputConfig(automatic_activity_detection=detection)
    async with (
        serving(scenario) as server,
        talking(server, realtime_input_config=config) as (session, heard),
    ):
        for turn in (1, 2):
            await session.send_realtime_input(activity_start=types.ActivityStart())  # type: ignore[attr-defined]
            await send_sound(session, bytes(640), 10)  # type: ignore[arg-type]
            await session.send_realtime_input(activity_end=types.ActivityEnd())  # type: ignore[attr-defined]
            await heard.until("turn_complete", turn)
    assert transcripts(heard) == [" one", " two"]


async def test_it_thinks_for_a_while_and_can_be_cut_off_while_it_thinks_for_ever() -> None:
    scenario = read_scenario("""
        engine: false
        answers:
          - {when: {words: soon}, think_s: 0.3, say: Now.}
          - {when: {words: never}, think_s: forever, say: Never said.}
    """)
    async with serving(scenario) as server, talking(server) as (session, heard):
        begun_s = asyncio.get_running_loop().time()
        await session.send_realtime_input(text="soon")  # type: ignore[attr-defined]
        await heard.until("audio")
        assert asyncio.get_running_loop().time() - begun_s > 0.25
        await heard.until("turn_complete")
        await session.send_realtime_input(text="never")  # type: ignore[attr-defined]
        await session.send_realtime_input(text="soon")  # type: ignore[attr-defined]
        await heard.until("turn_complete", 3)
    assert heard.captions == "Now.Now."


async def test_the_tone_lasts_as_long_as_the_words() -> None:
    scenario = read_scenario("engine: false\notherwise: {say: Twelve marks}")
    async with serving(scenario) as server, talking(server) as (session, heard):
        await session.send_realtime_input(text="x")  # type: ignore[attr-defined]
        await heard.until("turn_complete")
    assert len(heard.sound) == 48 * 12 * LETTER_MS
    assert max(heard.sound) > 0


async def test_the_real_engine_does_what_the_scenario_does_not_say() -> None:
    engine = ScriptedEngine()
    engine.hears.extend([Transcript("really", snr_db=30.0), Transcript("heard", True)])
    scenario = read_scenario("hears: [scripted]\nanswers: [{when: {turn: 2}, say: Mine.}]")
    wrapped = ScenarioEngine(scenario, engine)
    ears = wrapped.hearing(HearingOptions())
    assert ears.feed(b"\x01\x00" * 320) == [SpeechStarted(0)]
    # The real hearing still takes every utterance, which measures the noise.
    assert await ears.transcript() == Transcript("scripted", snr_db=30.0)
    assert await ears.transcript() == Transcript("heard", True)
    await ears.close()
    async with serving(scenario, engine) as server, talking(server) as (session, heard):
        await session.send_realtime_input(text="one")  # type: ignore[attr-defined]
        await heard.until("turn_complete")
        await session.send_realtime_input(text="two")  # type: ignore[attr-defined]
        await heard.until("turn_complete", 2)
    assert heard.captions == "You said one.Mine."
    assert [sentence for sentence, _, _ in engine.spoken] == ["You said one.", "Mine."]


async def test_a_scenario_that_needs_the_engine_says_so() -> None:
    with pytest.raises(ValueError, match="needs the engine"):
        await serve("127.0.0.1", 0, None, scenario=read_scenario("voice: tone"))
    with pytest.raises(ValueError, match="needs the engine"):
        await serve("127.0.0.1", 0, None)


async def test_adk_goes_on_when_the_line_is_torn_off_in_the_middle_of_an_answer() -> None:
    scenario = read_scenario("""
        engine: false
        answers:
          - {when: {words: story}, say: This is a long story with an end that is never heard.}
        otherwise: {say: Here again.}
        faults: [{drop: 1006, at: {turn: 2, audio_chunks: 3}}]
    """)
    # Plain ADK forgets its handle on an update which says that the session is not resumable.
    async with serving(scenario, limits=UNLIMITED) as server:
        assert server.faults is not None
        agent = Agent(name="guide", model=gemini(server, MODEL_2), instruction="Help.")
        async with calling(agent) as call:
            call.type("hello")
            await call.until(lambda event: event.live_session_resumption_update)
            before = server.websockets.connections
            call.type("a story")
            # A line that is being torn off is still open for a moment, and loses what it is sent.
            await until(lambda: server.faults.log and server.websockets.connections - before)
            call.type("hello again")
            await call.until(lambda event: event.live_session_resumption_update, 2)
    assert call.final("output_transcription")[-1] == "Here again."


async def command(*arguments: str) -> tuple[int, str]:
    process = await start_forked(
        sys.executable,
        "-m",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "200"},
    )
    async with asyncio.timeout(60):
        printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode()


async def test_a_bad_file_is_one_sentence_and_nothing_listens(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("engine: false\nfaults:\n  - drop: 1005\n")
    for program in (("vision_agent", "live-server"), ("vision_agent.local",)):
        status, printed = await command(*program, "--scenario", str(bad))
        assert status == 2
        assert printed.startswith("bad.yaml, line 3: 1005 can't be sent as a close code")
        assert len(printed.splitlines()) == 1


async def test_the_process_plays_a_scenario_without_starting_the_engine() -> None:
    async with running("--scenario", str(SAMPLE)) as process:
        server = await announced(process)
        async with talking(server) as (session, heard):
            await session.send_realtime_input(text="x")  # type: ignore[attr-defined]
            await heard.until("turn_complete")
        assert heard.captions == "You typed something."
        assert family(process) == []
