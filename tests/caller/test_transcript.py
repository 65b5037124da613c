import json
from typing import Any

import pytest

from vision_agent.caller.transcript import Conversation, Line, Point, client_ready, send_text


def say(conversation: Conversation, at_ms: int, rtvi_type: str, /, **data: Any) -> None:
    message = {"label": "rtvi-ai", "type": rtvi_type, "id": "1", "data": data}
    conversation.feed(json.dumps(message), at_ms)


def server_says(conversation: Conversation, at_ms: int, /, **data: Any) -> None:
    say(conversation, at_ms, "server-message", **data)


def test_the_handshake_is_an_rtvi_client_ready() -> None:
    message = json.loads(client_ready("7", "0.1"))
    assert (message["label"], message["type"], message["id"]) == ("rtvi-ai", "client-ready", "7")
    assert message["data"]["version"] == "2.1.0"


def test_a_typed_question_asks_for_a_spoken_answer_at_once() -> None:
    message = json.loads(send_text("7", "what is this?"))
    assert message["type"] == "send-text"
    assert message["data"]["content"] == "what is this?"
    assert message["data"]["options"] == {"run_immediately": True, "audio_response": True}


def test_both_sides_are_written_down_in_the_order_they_began() -> None:
    told: list[tuple[str, str, int]] = []
    conversation = Conversation(lambda *line: told.append(line))
    say(conversation, 100, "user-transcription", text="what", final=False)
    say(conversation, 300, "bot-tts-text", text="A bottle")
    say(conversation, 350, "user-transcription", text="what is this", final=True)
    say(conversation, 400, "bot-tts-text", text=" of water.")
    say(conversation, 500, "bot-transcription", text="A bottle of water.")
    expected = [("user", "what is this", 100), ("agent", "A bottle of water.", 300)]
    assert told == expected
    assert conversation.transcript == [Line(*line) for line in expected]


def test_an_answer_never_closed_is_kept_as_far_as_it_came() -> None:
    conversation = Conversation()
    say(conversation, 300, "bot-tts-text", text="A bott")
    conversation.close()
    conversation.close()
    assert conversation.transcript == [Line("agent", "A bott", 300)]


def test_pictures_ages_turns_and_interruptions_are_counted() -> None:
    conversation = Conversation()
    server_says(conversation, 1, kind="frame", bytes=900, width=2, height=2, age_ms=3)
    server_says(conversation, 2, kind="frame", bytes=1100, width=2, height=2, age_ms=3)
    server_says(conversation, 3, kind="frame_at_speech_end", age_ms=41.6)
    server_says(conversation, 4, kind="interrupted")
    server_says(conversation, 5, kind="turn_complete")
    assert conversation.jpeg_bytes == [900, 1100]
    assert conversation.frame_ages_ms == [42]
    assert conversation.interruptions == 1
    assert conversation.turn_complete_ms == 5


def test_a_tool_call_is_followed_to_its_end() -> None:
    conversation = Conversation()
    say(conversation, 1, "llm-function-call-started", function_name="look_closely")
    say(
        conversation,
        2,
        "llm-function-call-in-progress",
        tool_call_id="c1",
        function_name="look_closely",
        arguments={"where": "left"},
    )
    assert conversation.is_busy
    server_says(conversation, 3, kind="turn_complete")
    assert conversation.turn_complete_ms == 3
    say(conversation, 9, "llm-function-call-stopped", tool_call_id="c1", result={"ok": 1})
    assert not conversation.is_busy
    call = conversation.tool_calls["c1"]
    assert (call.name, call.arguments, call.at_ms) == ("look_closely", {"where": "left"}, 2)
    assert (call.ended_ms, call.result, call.cancelled) == (9, {"ok": 1}, False)
    assert conversation.turn_complete_ms is None


def test_which_agent_speaks_and_what_it_points_at_is_kept() -> None:
    conversation = Conversation()
    say(conversation, 1, "bot-transcription", text="Hello.")
    server_says(conversation, 2, kind="agent", name="repairs")
    say(conversation, 3, "bot-transcription", text="Here it is.")
    server_says(conversation, 4, kind="point", label="lamp", box_2d=[1, 2, 3, 4])
    server_says(conversation, 5, kind="point", label="lamp", box_2d="here")
    assert [line.agent for line in conversation.transcript] == ["", "repairs"]
    assert conversation.points == [Point("lamp", [1, 2, 3, 4], 4)]


def test_an_error_is_noted_and_a_fatal_one_ends_the_call() -> None:
    conversation = Conversation()
    say(conversation, 1, "error", error="slow", message="The model is slow.", fatal=False)
    assert conversation.ended is None
    say(conversation, 2, "error", error="gone", message="The model is gone.", fatal=True)
    assert conversation.errors == ["The model is slow.", "The model is gone."]
    assert conversation.ended == "The model is gone."


def test_a_server_may_say_that_its_model_is_not_connected_yet() -> None:
    conversation = Conversation()
    assert not conversation.connecting
    server_says(conversation, 1, kind="state", state="connecting", reason=None)
    assert conversation.connecting
    server_says(conversation, 2, kind="state", state="listening", reason=None)
    assert not conversation.connecting


def test_a_server_that_ends_the_call_or_leaves_says_why() -> None:
    ended, left = Conversation(), Conversation()
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
    conversation = Conversation()
    conversation.feed(message, 1)
    assert (conversation.ready, conversation.transcript, conversation.tool_calls) == (False, [], {})
    assert (conversation.jpeg_bytes, conversation.errors, conversation.ended) == ([], [], None)
