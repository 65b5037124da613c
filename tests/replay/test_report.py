import json
import wave
from pathlib import Path

from tests.support.reports import received, report_of
from tests.support.rtvi import say, server_says
from tests.support.signals import tone
from vision_agent.caller.received_audio import ReceivedAudio
from vision_agent.caller.transcript import CallTranscript, ToolCallRecord, TranscriptLine
from vision_agent.caller.utterances import Span
from vision_agent.replay.report import TIMELINE_ZERO


def test_a_reply_is_counted_from_the_end_of_the_callers_speech() -> None:
    report = report_of([Span(1000, 2000)], received((tone(500), 2600)))
    assert (report.reply_ms, report.answered) == (600, True)
    assert (report.agent_audio_ms, report.voice_ms) == (500, [(2600, 3100)])


def test_each_utterance_has_its_own_reply_and_tells_how_soon_the_agent_fell_silent() -> None:
    voice = received((tone(1000), 2600), (tone(400), 5000))
    report = report_of([Span(1000, 2000), Span(3500, 4500)], voice)
    assert [u.reply_ms for u in report.utterances] == [600, 500]
    assert [u.silenced_ms for u in report.utterances] == [None, 100]


def test_a_voice_that_comes_after_the_next_utterance_began_answers_only_that_one() -> None:
    report = report_of([Span(0, 1000), Span(2000, 3000)], received((tone(400), 3700)))
    assert [u.reply_ms for u in report.utterances] == [None, 700]
    assert report.reply_ms == 700


def test_a_greeting_is_no_answer() -> None:
    report = report_of([Span(1000, 2000)], received((tone(400), 100)))
    assert (report.answered, report.reply_ms, report.agent_audio_ms) == (False, None, 400)


def test_where_nothing_was_asked_any_voice_is_an_answer() -> None:
    assert report_of([], received((tone(400), 100))).answered
    assert not report_of([], ReceivedAudio()).answered


def test_the_json_holds_every_figure_of_the_call(tmp_path: Path) -> None:
    transcript = CallTranscript()
    say(transcript, 2500, "user-transcription", text="Wie heißt das?", final=True)
    say(transcript, 2600, "bot-transcription", text="A bottle.")
    say(transcript, 2600, "llm-function-call-in-progress", tool_call_id="c", function_name="look")
    say(transcript, 2700, "error", message="The model is slow.")
    for size in (900, 1000, 3000):
        server_says(transcript, 1, kind="frame", bytes=size)
    server_says(transcript, 1, kind="frame_at_speech_end", age_ms=120)
    server_says(transcript, 1, kind="frame_at_speech_end", age_ms=80)
    server_says(transcript, 2, kind="usage", estimate=0.1, tokens={"prompt": {"text": 9}})
    server_says(transcript, 3, kind="usage", estimate=0.2, tokens={"prompt": {"text": 19}})
    report = report_of([Span(1000, 2000)], received((tone(500), 2600)), transcript)
    report.write_json(tmp_path / "report.json")
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    assert "Wie heißt das?" in text
    assert json.loads(text) == {
        "timeline_zero": TIMELINE_ZERO,
        "call_id": None,
        "connected_ms": 50,
        "frames_sent": 3,
        "jpeg_bytes": 1000,
        "frame_age_ms": 120,
        "transcript": [
            {"who": "user", "text": "Wie heißt das?", "at_ms": 2500, "agent": ""},
            {"who": "agent", "text": "A bottle.", "at_ms": 2600, "agent": ""},
        ],
        "reply_ms": 600,
        "utterances": [
            {
                "started_at_ms": 1000,
                "ended_at_ms": 2000,
                "reply_ms": 600,
                "silenced_ms": None,
                "turn": 1,
                "typed": None,
            }
        ],
        "agent_audio_ms": 500,
        "voice_ms": [[2600, 3100]],
        "interrupted_ms": [],
        "interruptions": 0,
        "tool_calls": [
            {
                "name": "look",
                "arguments": None,
                "at_ms": 2600,
                "ended_ms": None,
                "result": None,
                "cancelled": False,
            }
        ],
        "points": [],
        "usage": {"estimate": 0.2, "tokens": {"prompt": {"text": 19}}},
        "errors": ["the camera failed", "The model is slow."],
        "answered": True,
        "broke_off": False,
        "ended": "answered",
        "ended_ms": 5_000,
    }
    assert report.transcript[0] == TranscriptLine("user", "Wie heißt das?", 2500)
    assert report.tool_calls == [ToolCallRecord("look", None, 2600)]


def test_the_report_writes_the_agents_voice(tmp_path: Path) -> None:
    report = report_of([], received((tone(500), 100)))
    report.write_wav(tmp_path / "voice.wav")
    with wave.open(str(tmp_path / "voice.wav")) as file:
        assert file.getnframes() == 24_000
