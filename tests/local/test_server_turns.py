"""Turn-taking on the wire: barge-in, playback time, activity signals, transcripts, usage."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from google.genai import types

from tests.local.live_clients import MODEL_2, MODEL_3, VERTEX_MODEL_2, Connect, raw
from tests.local.live_talk import CAPTIONS, LOUD, QUIET, Heard, frame, say, send_sound, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.api.habits import EXTENDED_THINKING
from vision_agent.local.contract import Say, Transcript
from vision_agent.local.server import LocalServer

LONG = "This is a long answer that nobody wants to hear to its very end."
BOTH = pytest.mark.parametrize("model", [MODEL_2, MODEL_3])


def disabled_detection(**more: object) -> types.RealtimeInputConfig:
    return types.RealtimeInputConfig(
        automatic_activity_detection=types.AutomaticActivityDetection(disabled=True), **more
    )


@BOTH
async def test_speech_interrupts_an_answer_that_is_still_being_made(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    never = asyncio.Event()
    engine.answers = lambda turn: [Say("Well."), never.wait, Say("Too late.")]
    async with connect(model, **CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="tell me")
        await heard.until("audio")
        await send_sound(session, LOUD, 3)
        await heard.until("turn_complete")
        assert heard.order[-3:] == ["interrupted", "usage_metadata", "turn_complete"]
        assert "generation_complete" not in heard.order
        assert engine.open_answers == 0
    assert heard.captions == "Well."


@BOTH
async def test_speech_interrupts_an_answer_that_is_still_being_heard(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    engine.answers = lambda turn: [Say(LONG)]
    async with connect(model) as session, Heard(session) as heard:
        await session.send_realtime_input(text="tell me")
        await heard.until("generation_complete")
        assert heard.count("turn_complete") == 0
        await send_sound(session, LOUD, 3)
        await heard.until("turn_complete")
    assert heard.order[-4:] == [
        "generation_complete",
        "interrupted",
        "usage_metadata",
        "turn_complete",
    ]


async def test_nothing_of_an_interrupted_answer_follows_the_interruption(
    connect: Connect, engine: ScriptedEngine
) -> None:
    def answers(turn: object) -> list[Say]:
        return [Say(LONG) for _ in range(200)] if len(engine.turns) == 1 else [Say("Yes?")]

    engine.answers = answers
    engine.hears.append(Transcript("stop", True))
    async with connect(**CAPTIONS) as session, Heard(session) as heard:
        await session.send_realtime_input(text="tell me everything")
        await heard.until("audio", 20)
        await say(session)
        await heard.until("turn_complete", 2)
    said = [kind for kind in heard.order if kind != "caption"]
    after = said[said.index("interrupted") :]
    assert after == [
        "interrupted",
        "usage_metadata",
        "turn_complete",
        "audio",
        "generation_complete",
        "usage_metadata",
        "turn_complete",
    ]
    assert heard.captions.endswith("Yes?")
    # Of an interrupted answer, the history keeps what was sent.
    history = dict(engine.turns[1].history)
    assert history["user"] == "tell me everything"
    assert heard.captions.removesuffix("Yes?").strip().startswith(history["model"][:20])


async def test_a_turn_is_complete_when_it_has_been_heard_not_when_it_was_made(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say("Half a second")]
    loop = asyncio.get_running_loop()
    async with connect() as session, Heard(session) as heard:
        await type_text(session, "hello")
        await heard.until("audio")
        started = loop.time()
        await heard.until("turn_complete")
        # 13 letters of 60 ms each, less the time in which the first piece arrived.
        assert loop.time() - started > 0.7


async def test_typed_text_interrupts_and_is_answered(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say(LONG if turn.text == "tell me" else "Fine.")]
    async with connect(**CAPTIONS) as session, Heard(session) as heard:
        await type_text(session, "tell me")
        await heard.until("generation_complete")
        await type_text(session, "stop")
        await heard.until("turn_complete", 2)
    assert heard.count("interrupted") == 1
    assert heard.captions == f"{LONG}Fine."


async def test_without_interruption_the_next_question_waits(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Transcript("and then", True))
    engine.answers = lambda turn: [Say(f"To {turn.text}.")]
    realtime = types.RealtimeInputConfig(activity_handling=types.ActivityHandling.NO_INTERRUPTION)
    async with (
        connect(realtime_input_config=realtime, **CAPTIONS) as session,
        Heard(session) as heard,
    ):
        await type_text(session, "tell me")
        await heard.until("audio")
        await say(session)
        await heard.until("turn_complete", 2)
    assert "interrupted" not in heard.order
    assert heard.captions == "To tell me.To and then."


async def test_barge_in_is_noticed_while_the_hearing_is_slow(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears += [Transcript("first", False), Transcript("second", False)]
    engine.may_hear.clear()
    async with connect() as session, Heard(session) as heard:
        await say(session)
        await type_text(session, "typed")
        await heard.until("audio")
        await say(session)
        await heard.until("interrupted")
        engine.may_hear.set()
        await heard.until("turn_complete", 2)
    assert [turn.text for turn in engine.turns] == ["typed", "first second"]


async def test_the_client_may_signal_activity_itself(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Transcript("hello", True))
    async with (
        connect(realtime_input_config=disabled_detection()) as session,
        Heard(session) as heard,
    ):
        await send_sound(session, LOUD, 5)
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await send_sound(session, LOUD, 5)
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        await send_sound(session, LOUD, 5)
        await heard.until("turn_complete")
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await type_text(session, "over")
        await heard.until("audio")
    assert engine.activities == ["begin", "end", "begin"]
    assert engine.fed_bytes == 5 * 640
    assert [turn.text for turn in engine.turns] == ["hello", "over"]


async def test_a_signalled_activity_interrupts(connect: Connect, engine: ScriptedEngine) -> None:
    engine.answers = lambda turn: [Say(LONG)]
    async with (
        connect(realtime_input_config=disabled_detection()) as session,
        Heard(session) as heard,
    ):
        await type_text(session, "tell me")
        await heard.until("generation_complete")
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await heard.until("turn_complete")
    assert "interrupted" in heard.order


async def test_closing_the_microphone_ends_what_was_being_said(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Transcript("hello", True))
    async with connect() as session, Heard(session) as heard:
        await send_sound(session, LOUD, 10)
        await session.send_realtime_input(audio_stream_end=True)
        await heard.until("turn_complete")
    assert [turn.text for turn in engine.turns] == ["hello"]


async def test_an_answer_of_nothing_is_a_turn_all_the_same(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: []
    async with connect() as session, Heard(session) as heard:
        await type_text(session, "hm")
        await heard.until("turn_complete")
    assert heard.order == [
        "generation_complete",
        "usage_metadata",
        "turn_complete",
        "waiting_for_input",
    ]
    content = heard.messages[-1].server_content
    assert content is not None
    assert content.turn_complete_reason is types.TurnCompleteReason.NEED_MORE_INPUT


async def test_extended_thinking_says_a_filler_and_then_the_answer(
    connect: Connect, engine: ScriptedEngine
) -> None:
    level = types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)
    config = {"thinking_config": level, "output_audio_transcription": {}}
    async with (
        connect("gemini-3.8-live-extended-thinking", **config) as session,
        Heard(session) as heard,
    ):
        await session.send_realtime_input(text="one")
        await heard.until("turn_complete", 2)
        await session.send_realtime_input(text="two")
        await heard.until("turn_complete", 4)
    turn = ["caption", "audio", "generation_complete", "usage_metadata", "turn_complete"]
    assert [kind for kind in heard.order if kind not in ("caption", "audio")] == turn[2:] * 4
    statuses = [
        message.server_content.interaction_status
        for message in heard.messages
        if message.server_content and message.server_content.turn_complete
    ]
    status = types.InteractionStatus
    assert statuses == [status.IN_PROGRESS, status.IDLE] * 2
    filler = EXTENDED_THINKING.filler
    assert heard.captions == f"{filler}You said one.{filler}You said two."
    assert [turn.text for turn in engine.turns] == ["one", "two"]
    assert engine.turns[1].history == (("user", "one"), ("model", f"{filler} You said one."))


async def test_usage_counts_258_a_frame_and_25_a_second_of_sound(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.hears.append(Transcript("hello", True))
    engine.answers = lambda turn: [Say("x" * 10)]  # 600 ms
    coverage = types.TurnCoverage.TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO
    realtime = types.RealtimeInputConfig(turn_coverage=coverage)
    async with connect(realtime_input_config=realtime) as session, Heard(session) as heard:
        for _ in range(2):
            await session.send_realtime_input(media=frame(b"jpeg"))
        await send_sound(session, QUIET, 20)
        await send_sound(session, LOUD, 50)  # one second, and only that counts
        await send_sound(session, QUIET, 35)
        first = (await heard.until("usage_metadata")).usage_metadata
        await heard.until("turn_complete")
        await type_text(session, "abcd")
        second = (await heard.until("usage_metadata", 2)).usage_metadata
    assert first is not None
    assert first.prompt_token_count == 2 * 258 + 25
    assert first.response_token_count == 15
    assert first.total_token_count == 2 * 258 + 25 + 15
    details = {str(d.modality.value): d.token_count for d in first.prompt_tokens_details or []}
    assert details == {"AUDIO": 25, "VIDEO": 516}
    # The next turn reads all of it again, the first answer included.
    assert second is not None
    assert second.prompt_token_count == first.total_token_count + 1


@BOTH
async def test_two_utterances_of_one_turn_join_into_one_transcript(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    engine.hears += [Transcript(text, False) for text in ("what changed", "what colour", "bye")]
    engine.answers = lambda turn: [Say("Yes.")]
    engine.may_hear.clear()
    transcribed = {"input_audio_transcription": types.AudioTranscriptionConfig()}
    async with connect(model, **transcribed) as session, Heard(session) as heard:
        await say(session)
        await say(session)
        await session.send_realtime_input(text="typed, so that all of it has arrived")
        await heard.until("audio")
        engine.may_hear.set()
        await heard.until("turn_complete", 2)
        await say(session)
        await heard.until("turn_complete", 3)
    said = [
        message.server_content.input_transcription.text
        for message in heard.messages
        if message.server_content and message.server_content.input_transcription
    ]
    pieces = [" what changed", " what colour", " bye"]
    assert said == (pieces if model == MODEL_2 else ["what changed", " what colour", "bye"])


async def test_an_interruption_is_soon_heard_by_a_client_that_reads_slowly(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say(LONG) for _ in range(5)]
    async with connect(**CAPTIONS) as session:
        await type_text(session, "tell me everything")
        since_cut_in = None
        async for message in session.receive():
            if since_cut_in is None and message.data:
                # Meanwhile the whole answer, which is made at once, could be sent.
                await asyncio.sleep(0.5)
                await send_sound(session, LOUD, 3)
                await asyncio.sleep(0.1)
                since_cut_in = 0
            elif since_cut_in is not None:
                since_cut_in += 1
            if message.server_content and message.server_content.interrupted:
                break
    # Sound is sent far ahead of its playback, and unsent pieces are dropped at an interruption.
    assert since_cut_in is not None
    assert since_cut_in < 40


async def test_usage_comes_in_the_message_that_completes_the_turn(
    connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say("Ok")]
    async with connect() as session, Heard(session) as heard:
        await type_text(session, "hello")
        last = await heard.until("turn_complete")
    assert last.usage_metadata is not None
    assert [message for message in heard.messages if message.usage_metadata] == [last]


async def test_a_mute_does_not_move_the_offsets_of_what_is_said_after_it(
    server: LocalServer, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [Say("Ok")]
    engine.hears.extend([Transcript("one", True), Transcript("two", True)])
    loud = base64.b64encode(b"\x10\x27" * 3_200).decode()  # 200 ms
    audio = {"realtimeInput": {"audio": {"data": loud, "mimeType": "audio/pcm;rate=16000"}}}
    starts: list[str] = []
    vertex = "/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent"
    async with raw(server, path=vertex) as connection:
        model = f"projects/p/locations/l/publishers/google/models/{VERTEX_MODEL_2}"
        setup = {"setup": {"model": model, "explicitVadSignal": True}}
        await connection.send(json.dumps(setup))
        await connection.recv()
        for _ in range(2):
            await connection.send(json.dumps(audio))
            await connection.send('{"realtimeInput":{"audioStreamEnd":true}}')
            async for message in connection:
                said = json.loads(message)
                if (said.get("voiceActivity") or {}).get("type") == "ACTIVITY_START":
                    starts.append(said["voiceActivity"]["audioOffset"])
                if "turnComplete" in said.get("serverContent", {}):
                    break
    assert starts == ["0s", "0.200s"]
