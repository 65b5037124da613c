"""google-genai's own client talks to the server, in each dialect and on each path."""

from __future__ import annotations

import pytest
from google.genai import types

from tests.local.live_clients import MODEL_2, MODEL_3, VERTEX_MODEL_2, Connect
from tests.local.live_talk import LOUD, Heard, audio, say, send_sound, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.contract import HearingOptions, Say, Transcript

TRANSCRIBED = {
    "input_audio_transcription": types.AudioTranscriptionConfig(),
    "output_audio_transcription": types.AudioTranscriptionConfig(),
}

PLACES = [
    pytest.param(MODEL_2, False, True, id="2.5 on AI Studio"),
    pytest.param(MODEL_3, False, False, id="3.x on AI Studio"),
    pytest.param(VERTEX_MODEL_2, True, True, id="2.5 on Vertex"),
    pytest.param(MODEL_3, True, False, id="3.x on Vertex"),
    pytest.param("local", False, True, id="local on AI Studio"),
    pytest.param("local", True, True, id="local on Vertex"),
]


@pytest.mark.parametrize(("model", "vertex", "chunks"), PLACES)
async def test_a_spoken_question_is_answered_in_the_order_of_the_service(
    connect: Connect, engine: ScriptedEngine, model: str, vertex: bool, chunks: bool
) -> None:
    engine.hears.append(Transcript("what do you see", True))
    engine.answers = lambda turn: [Say("A red cup.")]
    async with connect(model, vertex=vertex, **TRANSCRIBED) as session, Heard(session) as heard:
        await say(session, chunks=chunks)
        await heard.until("turn_complete")
    assert [kind for kind in heard.order if kind != "caption"] == [
        "heard",
        "audio",
        "generation_complete",
        "usage_metadata",
        "turn_complete",
    ]
    assert heard.captions == "A red cup."
    [turn] = engine.turns
    assert (turn.text, turn.transcript.understood, turn.transcript.spoken) == (
        "what do you see",
        True,
        True,
    )


@pytest.mark.parametrize(("model", "vertex", "chunks"), PLACES)
async def test_a_frame_and_a_typed_question_reach_the_engine(
    connect: Connect, engine: ScriptedEngine, model: str, vertex: bool, chunks: bool
) -> None:
    frame = types.Blob(data=b"\xff\xd8\xfb\xff" * 100, mime_type="image/jpeg")
    async with connect(model, vertex=vertex) as session, Heard(session) as heard:
        if chunks:
            parts = [types.Part(inline_data=frame), types.Part(text="what is this")]
            await session.send_client_content(turns=types.Content(role="user", parts=parts))
        else:
            await session.send_realtime_input(video=frame)
            await session.send_realtime_input(text="what is this")
        await heard.until("turn_complete")
    [turn] = engine.turns
    assert [frame.jpeg for frame in turn.frames] == [frame.data]
    assert (turn.text, turn.transcript.understood, turn.transcript.spoken) == (
        "what is this",
        True,
        False,
    )


async def test_the_sound_arrives_byte_for_byte(connect: Connect, engine: ScriptedEngine) -> None:
    engine.answers = lambda turn: [Say("One."), Say("Two.")]
    async with connect() as session, Heard(session) as heard:
        await type_text(session, "count")
        await heard.until("generation_complete")
    expected = [
        b"".join([pcm async for pcm in engine.speak(text, None, None)]) for text in ("One.", "Two.")
    ]
    assert heard.sound == b"".join(expected)


async def test_transcripts_are_sent_only_when_asked_for(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Transcript("hello", True))
    async with connect() as session, Heard(session) as heard:
        await say(session)
        await heard.until("turn_complete")
    assert "heard" not in heard.order
    assert "caption" not in heard.order


async def test_the_setup_reaches_the_engine(connect: Connect, engine: ScriptedEngine) -> None:
    speech = types.SpeechConfig(
        voice_config=types.VoiceConfig(
            prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore")
        ),
        language_code="en-GB",
    )
    realtime = types.RealtimeInputConfig(
        automatic_activity_detection=types.AutomaticActivityDetection(
            silence_duration_ms=250,
            prefix_padding_ms=40,
            start_of_speech_sensitivity=types.StartSensitivity.START_SENSITIVITY_LOW,
            end_of_speech_sensitivity=types.EndSensitivity.END_SENSITIVITY_HIGH,
        )
    )
    weather = types.FunctionDeclaration(name="get_weather", description="The weather")
    async with (
        connect(
            speech_config=speech,
            realtime_input_config=realtime,
            system_instruction="Be brief.",
            tools=[types.Tool(function_declarations=[weather])],
        ) as session,
        Heard(session) as heard,
    ):
        await type_text(session, "hello")
        await heard.until("generation_complete")
    assert engine.ears_asked == [HearingOptions(250, "LOW", "HIGH", 40)]
    assert engine.spoken == [("You said hello.", "Kore", "en-GB")]
    [turn] = engine.turns
    assert turn.instruction == "Be brief."
    assert turn.language_code == "en-GB"
    assert [tool["name"] for tool in turn.tools] == ["get_weather"]


async def test_the_local_model_answers_in_text_when_asked(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say("One."), Say("Two.")]
    async with connect("local", response_modalities=["TEXT"]) as session, Heard(session) as heard:
        await type_text(session, "count")
        await heard.until("turn_complete")
    assert "".join(message.text or "" for message in heard.messages) == "One. Two."
    assert engine.spoken == []


async def test_sound_that_is_never_loud_asks_nothing(
    connect: Connect, engine: ScriptedEngine
) -> None:
    async with connect() as session, Heard(session) as heard:
        await send_sound(session, bytes(640), 20)
        await type_text(session, "still there?")
        await heard.until("turn_complete")
    assert [turn.text for turn in engine.turns] == ["still there?"]
    assert engine.fed_bytes == 20 * 640


async def test_a_session_begins_with_an_id_on_vertex_only(connect: Connect) -> None:
    async with connect() as unnamed:
        assert not unnamed.session_id
    vertex = {"model": VERTEX_MODEL_2, "vertex": True}
    async with connect(**vertex) as first, connect(**vertex) as second:
        assert first.session_id
        assert first.session_id != second.session_id


async def test_an_update_of_instruction_and_tools_holds_from_the_next_answer_on(
    connect: Connect, engine: ScriptedEngine
) -> None:
    async with connect(system_instruction="Be brief.") as session, Heard(session) as heard:
        await session.send_context_update(
            system_instruction="Be long.",
            tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name="dig")])],
        )
        await type_text(session, "hello")
        await heard.until("generation_complete")
    [turn] = engine.turns
    assert turn.instruction == "Be long."
    assert [tool["name"] for tool in turn.tools] == ["dig"]


async def test_voice_activity_is_reported_when_asked_for(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Transcript("hello", True))
    async with (
        connect(VERTEX_MODEL_2, vertex=True, explicit_vad_signal=True) as session,
        Heard(session) as heard,
    ):
        await send_sound(session, bytes(640), 5)
        await session.send_realtime_input(audio=audio(LOUD))
        await say(session)
        stopped = await heard.until("voice_activity", 2)
    started = heard.messages[0].voice_activity
    assert started is not None
    assert (started.voice_activity_type, started.audio_offset) == ("ACTIVITY_START", "0.100s")
    assert stopped.voice_activity is not None
    assert stopped.voice_activity.voice_activity_type == "ACTIVITY_END"
