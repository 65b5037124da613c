"""A conversation as a chat request."""

from __future__ import annotations

import json
from typing import Any

from vision_agent.local.brain.messages import chat_messages
from vision_agent.local.contract import (
    Called,
    FunctionCall,
    Returned,
    Said,
    SeenFrame,
    Transcript,
    Turn,
)

TIME = FunctionCall("function-call-1", "get_time", {"zone": "UTC"})
NOON = Returned("function-call-1", "get_time", {"result": "noon"})
FRAME = SeenFrame(b"jpeg", 0)


def messages(turn: Turn, *pictures: str, most: int = 10_000) -> list[dict[str, Any]]:
    return chat_messages(turn, pictures, sees=True, most_characters=most)


def roles(turn: Turn) -> list[str]:
    return [message["role"] for message in messages(turn)]


def text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else content[0]["text"]


def test_the_instruction_comes_first_and_says_what_a_call_is() -> None:
    turn = Turn(Transcript("hello"), instruction="You are Anna.", language_code="de-DE")
    system, user = messages(turn)
    assert system["content"].startswith("You are Anna.")
    assert "voice call" in system["content"]
    assert "de-DE" in system["content"]
    assert "no eyes" in chat_messages(turn, (), sees=False, most_characters=9)[0]["content"]
    assert text(user).splitlines() == ["hello", "(No picture has come from their camera.)"]


def test_calls_and_their_results_stand_together() -> None:
    record = [Said("user", "time?"), Called((TIME,)), NOON, Said("model", "Noon.")]
    _, user, call, result, answer, question = messages(Turn(Transcript("and now?"), record=record))
    assert user["content"] == "time?"
    assert call["tool_calls"][0]["function"] == {"name": "get_time", "arguments": '{"zone": "UTC"}'}
    assert result["tool_call_id"] == call["tool_calls"][0]["id"]
    assert len(result["tool_call_id"]) == 9
    assert json.loads(result["content"]) == {"result": "noon"}
    assert answer["content"] == "Noon."
    assert text(question).startswith("and now?")


def test_an_answer_goes_on_after_its_calls() -> None:
    steps = [Said("model", "Let me see."), Called((TIME,)), NOON]
    turn = Turn(Transcript("time?"), steps=steps)
    assert roles(turn) == ["system", "user", "assistant", "tool"]
    assert messages(turn)[2]["content"] == "Let me see."


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    turn = Turn(Transcript("hello?"), record=[Said("user", "time?"), Called((TIME,))])
    assert roles(turn) == ["system", "user", "assistant", "tool", "user"]
    assert "later" in messages(turn)[3]["content"]


def test_a_late_result_is_a_notice() -> None:
    record = [Said("user", "time?"), Called((TIME,)), Said("model", "I am looking."), NOON]
    turn = Turn(Transcript("time?"), record=record, recorded=True)
    assert roles(turn) == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert "get_time has now given" in text(messages(turn)[-1])
    spoken_since = [*record, Said("user", "hi"), Said("model", "Hi.")]
    result = {"id": NOON.id, "name": NOON.name, "response": NOON.response}
    turn = Turn(Transcript("time?"), record=spoken_since, recorded=True, tool_results=[result])
    assert "get_time has now given" in text(messages(turn)[-1])


def test_roles_alternate_and_the_user_begins() -> None:
    record = [Said("model", "Hi."), Said("user", "one"), Said("user", "two"), Said("model", "a")]
    turn = Turn(Transcript("three"), record=[*record, Said("model", "b")])
    assert roles(turn) == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages(turn)[3]["content"] == "one\ntwo"


def test_the_oldest_turns_are_left_out_where_there_are_too_many() -> None:
    turns = [[Said("user", f"question {n}"), Said("model", f"answer {n}")] for n in range(100)]
    record = [entry for turn in turns for entry in turn]
    sent = messages(Turn(Transcript("now?"), record=record), most=1_000)
    assert sent[1]["role"] == "user"
    assert sent[-2]["content"] == "answer 99"
    assert 10 < len(sent) < 30
    assert len(messages(Turn(Transcript("x" * 5_000), record=record), most=0)) == 2


def test_pictures_come_with_the_newest_words() -> None:
    turn = Turn(
        Transcript("what is it?"),
        frames=[FRAME],
        record=[Said("user", "hi"), Said("model", "Hi.")],
        steps=[Called((TIME,)), NOON],
        now_ms=9_000,
    )
    content = messages(turn, "data:x")[3]["content"]
    assert [part["type"] for part in content] == ["text", "image_url"]
    assert content[0]["text"].splitlines() == ["what is it?", "(The newest picture is 9 s old.)"]
    off = Turn(Transcript("what is it?"), camera_off_ms=1_000)
    assert "camera is off" in text(messages(off)[1])


def test_a_translator_is_told_nothing_else() -> None:
    turn = Turn(Transcript("good morning"), instruction="Translate.", alone=True)
    assert messages(turn) == [
        {"role": "system", "content": "Translate."},
        {"role": "user", "content": "good morning"},
    ]
