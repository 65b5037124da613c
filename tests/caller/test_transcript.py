import json

import pytest

from tests.support.rtvi import say, server_says
from vision_agent.caller.transcript import CallTranscript, Point, TranscriptLine


def test_both_sides_are_written_down_in_the_order_they_began() -> None:
    told: list[tuple[str, str, int]] = []
    transcript = CallTranscript(lambda *line: told.append(line))
    say(transcript, 100, "user-transcription", text="what", final=False)
    say(transcript, 300, "bot-tts-text", text="A bottle")
    say(transcript, 350, "user-transcription", text="what is this", final=True)
    say(transcript, 400, "bot-tts-text", text=" of water.")
    say(transcript, 500, "bot-transcription", text="A bottle of water.")
    expected = [("user", "what is this", 100), ("agent", "A bottle of water.", 300)]
    assert told == expected
    assert transcript.lines == [TranscriptLine(*line) for line in expected]


def test_that_the_server_records_and_no_longer_does_is_told_once() -> None:
    told: list[str] = []
    transcript = CallTranscript(on_note=told.append)
    server_says(transcript, 1, kind="recording", on=True)
    server_says(transcript, 2, kind="recording", on=True)  # after a reconnection
    assert transcript.recorded
    server_says(transcript, 3, kind="recording", on=False, reason="The disk is full")
    assert not transcript.recorded
    assert told == [
        "The server records this call.",
        "The server no longer records this call: The disk is full.",
    ]


def test_an_answer_never_closed_is_kept_as_far_as_it_came() -> None:
    transcript = CallTranscript()
    say(transcript, 300, "bot-tts-text", text="A bott")
    transcript.close()
    transcript.close()
    assert transcript.lines == [TranscriptLine("agent", "A bott", 300)]


def test_frames_ages_turns_and_interruptions_are_counted() -> None:
    transcript = CallTranscript()
    server_says(transcript, 1, kind="frame", bytes=900, width=2, height=2, age_ms=3)
    assert transcript.sources_seen == {"camera"}  # a server may say nothing of a source
    shared = {"kind": "frame", "source": "screen"}
    server_says(transcript, 2, bytes=1100, width=2, height=2, age_ms=3, **shared)
    assert transcript.sources_seen == {"camera", "screen"}
    server_says(transcript, 3, kind="frame_at_speech_end", age_ms=41.6)
    server_says(transcript, 4, kind="interrupted")
    server_says(transcript, 5, kind="turn_complete")
    assert transcript.jpeg_bytes == [900, 1100]
    assert transcript.frame_ages_ms == [42]
    assert transcript.interrupted_ms == [4]
    assert transcript.turn_complete_ms == 5


def test_a_turn_that_is_followed_by_another_is_not_the_last() -> None:
    transcript = CallTranscript()
    server_says(transcript, 1, kind="turn_complete", goes_on=True)
    assert transcript.turn_complete_ms is None
    server_says(transcript, 2, kind="turn_complete", goes_on=False)
    assert transcript.turn_complete_ms == 2


def test_a_tool_call_is_followed_to_its_end() -> None:
    transcript = CallTranscript()
    say(transcript, 1, "llm-function-call-started", function_name="look_closely")
    say(
        transcript,
        2,
        "llm-function-call-in-progress",
        tool_call_id="c1",
        function_name="look_closely",
        arguments={"where": "left"},
    )
    assert transcript.is_busy
    server_says(transcript, 3, kind="turn_complete")
    assert transcript.turn_complete_ms == 3
    say(transcript, 9, "llm-function-call-stopped", tool_call_id="c1", result={"ok": 1})
    assert not transcript.is_busy
    call = transcript.tool_calls["c1"]
    assert (call.name, call.arguments, call.at_ms) == ("look_closely", {"where": "left"}, 2)
    assert (call.ended_ms, call.result, call.cancelled) == (9, {"ok": 1}, False)
    assert transcript.turn_complete_ms is None


def test_which_agent_speaks_and_what_it_points_at_is_kept() -> None:
    transcript = CallTranscript()
    say(transcript, 1, "bot-transcription", text="Hello.")
    server_says(transcript, 2, kind="agent", name="repairs")
    say(transcript, 3, "bot-transcription", text="Here it is.")
    server_says(transcript, 4, kind="point", label="lamp", box_2d=[1, 2, 3, 4])
    server_says(transcript, 5, kind="point", label="lamp", box_2d="here")
    assert [line.agent for line in transcript.lines] == ["", "repairs"]
    assert transcript.points == [Point("lamp", [1, 2, 3, 4], 4)]


def test_an_error_is_noted_and_a_fatal_one_ends_the_call() -> None:
    transcript = CallTranscript()
    say(transcript, 1, "error", error="slow", message="The model is slow.", fatal=False)
    assert transcript.ended is None
    say(transcript, 2, "error", error="gone", message="The model is gone.", fatal=True)
    assert transcript.errors == ["The model is slow.", "The model is gone."]
    assert transcript.ended == "The model is gone."


def test_a_server_may_say_that_its_model_is_not_connected_yet() -> None:
    transcript = CallTranscript()
    assert not transcript.connecting
    server_says(transcript, 1, kind="state", state="connecting", reason=None)
    assert transcript.connecting
    server_says(transcript, 2, kind="state", state="listening", reason=None)
    assert not transcript.connecting


def test_a_server_that_ends_the_call_or_leaves_says_why() -> None:
    ended, left = CallTranscript(), CallTranscript()
    server_says(ended, 1, kind="state", state="ended", reason="time is up")
    left.feed(json.dumps({"type": "signalling", "message": {"type": "peerLeft"}}), 1)
    assert ended.ended == "time is up"
    assert left.ended == "the server left"


@pytest.mark.parametrize(
    "message",
    [
        "ping: 12",
        "[]",
        "3",
        "{",
        b"\xff\xfe",
        '{"label":"rtvi-ai"}',
        '{"label":"rtvi-ai","type":"server-message","data":7}',
        '{"label":"rtvi-ai","type":"server-message","data":{"kind":"frame","bytes":"many"}}',
        '{"label":"rtvi-ai","type":"llm-function-call-stopped","data":{"tool_call_id":[1]}}',
        '{"label":"other","type":"bot-ready"}',
        '{"type":"signalling","message":"peerLeft"}',
    ],
)
def test_what_is_malformed_or_unknown_changes_nothing(message: str | bytes) -> None:
    transcript = CallTranscript()
    transcript.feed(message, 1)
    assert (transcript.ready, transcript.lines, transcript.tool_calls) == (False, [], {})
    assert (transcript.jpeg_bytes, transcript.errors, transcript.ended) == ([], [], None)


@pytest.mark.parametrize(
    ("about", "detects"),
    [
        (None, None),
        ([], None),
        ({"library": "another"}, None),
        ({"voice_activity_detection": "no"}, None),
        ({"voice_activity_detection": False}, False),
        ({"voice_activity_detection": True}, True),
    ],
)
def test_a_server_may_say_whether_turns_are_detected(about, detects) -> None:
    transcript = CallTranscript()
    say(transcript, 100, "bot-ready", version="2.1.0", about=about)
    assert (transcript.ready, transcript.detects_turns) == (True, detects)
