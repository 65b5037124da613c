"""Models that do not converse: one translates, one transcribes."""

from __future__ import annotations

import pytest
from google.genai import errors, types

from tests.local.live_clients import Connect, studio_client
from tests.local.live_talk import Heard, say, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local import serve
from vision_agent.local.contract import Transcript
from vision_agent.local.scenarios.scenario_file import read_scenario

TRANSLATOR = "gemini-3.5-live-translate-preview"
TRANSCRIBED = {"input_audio_transcription": {}, "output_audio_transcription": {}}
TO_GERMAN = types.TranslationConfig(target_language_code="de")


async def test_a_translator_without_a_language_streams_silence(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Transcript("good morning", True))
    async with connect(TRANSLATOR, **TRANSCRIBED) as session, Heard(session) as heard:
        await say(session)
        await heard.until("generation_complete")
    assert len(heard.sound) > 10_000
    assert not any(heard.sound)
    assert engine.turns == []


async def test_a_translator_says_what_it_heard(connect: Connect, engine: ScriptedEngine) -> None:
    engine.hears.append(Transcript("good morning", True))
    config = TRANSCRIBED | {"translation_config": TO_GERMAN}
    async with connect(TRANSLATOR, **config) as session, Heard(session) as heard:
        await say(session)
        await heard.until("generation_complete")
    assert any(heard.sound)
    assert heard.captions == "good morning"


async def test_a_scenario_knows_the_other_language() -> None:
    scenario = "{engine: false, answers: [{when: {words: good morning}, say: Guten Morgen.}]}"
    server = await serve("127.0.0.1", 0, None, scenario=read_scenario(scenario))
    try:
        client = studio_client(server)
        config = types.LiveConnectConfig(
            translation_config=TO_GERMAN, output_audio_transcription={}
        )
        async with (
            client.aio.live.connect(model=TRANSLATOR, config=config) as session,
            Heard(session) as heard,
        ):
            await type_text(session, "good morning")
            await heard.until("generation_complete")
    finally:
        await server.close()
    assert heard.captions == "Guten Morgen."


async def test_an_activity_without_sound_ends_the_connection_of_a_transcriber(
    connect: Connect,
) -> None:
    detection = types.AutomaticActivityDetection(disabled=True)
    config = {"realtime_input_config": {"automatic_activity_detection": detection}}
    async with connect("gemini-3.5-transcribe-live", **config) as session, Heard(session) as heard:
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        with pytest.raises(errors.APIError, match="Precondition check failed") as ended:
            await heard.until("never")
    assert ended.value.code == 1007
    last = heard.messages[-1].model_dump(exclude_none=True)
    assert last == {"server_content": {"turn_complete": True}, "usage_metadata": {}}


@pytest.mark.parametrize("utterances", [1, 2])
async def test_a_transcriber_writes_down_and_answers_nothing(
    connect: Connect, engine: ScriptedEngine, utterances: int
) -> None:
    said = ["good morning", "good night"][:utterances]
    engine.hears.extend(Transcript(text, True) for text in said)
    async with (
        connect("gemini-3.5-transcribe-live", **TRANSCRIBED) as session,
        Heard(session) as heard,
    ):
        for count in range(1, utterances + 1):
            await say(session)
            await heard.until("generation_complete", count)
    words = [
        message.server_content.input_transcription.text.strip()
        for message in heard.messages
        if message.server_content and message.server_content.input_transcription
    ]
    assert words == said
    assert (heard.sound, engine.turns) == (b"", [])
