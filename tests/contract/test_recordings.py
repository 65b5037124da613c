"""The local Live API has the habits of the real service's recorded sessions."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract import recordings
from tests.contract.habits import habits
from tests.contract.player import play
from tests.contract.recordings import KNOWN, Comparison
from tests.support.recorded_sessions import (
    RECORDINGS,
    RecordedMessage,
    RecordedSession,
    recorded_sessions,
)

SESSIONS = {session.name: session for session in recorded_sessions()}
GREETING = "test_google_ws__test_text_in_audio_out_turn"
TOOL_OF_2_5 = "test_google_ws__test_tool_call_round"
FRAME_OF_3_8 = "test_google_ws__test_image_then_typed_question_gemini-3.8-live"


@pytest.mark.parametrize("name", SESSIONS)
def test_what_is_known_is_what_was_recorded(name: str) -> None:
    assert habits(SESSIONS[name].messages) == KNOWN[name]


async def test_the_local_live_api_has_every_habit_of_every_recorded_session() -> None:
    played = await asyncio.gather(*map(play, SESSIONS.values()))
    compared = [
        Comparison.of(name, KNOWN[name], habits(messages))
        for name, messages in zip(SESSIONS, played, strict=True)
    ]
    assert [line for one in compared if one.differing for line in one.lines()] == []


OTHERWISE: list[tuple[str, dict[str, Any], str]] = [
    (GREETING, {"role": True}, "role of modelTurn"),
    (GREETING, {"thoughts": False}, "thoughts"),
    (GREETING, {"captions": "with sound"}, "words of the answer"),
    (GREETING, {"sound_type": "audio/pcm"}, "MIME type of the sound"),
    (GREETING, {"session_id": True}, "fields of setupComplete"),
    (GREETING, {"interaction_status": True}, "interactionStatus"),
    (GREETING, {"grounding": True}, "what rides with turnComplete"),
    (GREETING, {"handle_unasked": True, "handles": "turn start"}, "handles"),
    (TOOL_OF_2_5, {"tool_call_ends_turn": True}, "how often turnComplete"),
    (TOOL_OF_2_5, {"call_ids": "fc"}, "form of a call's id"),
    (FRAME_OF_3_8, {"lead": ()}, "messages that say nothing before the first output"),
    (FRAME_OF_3_8, {"empty_between": False}, "messages that say nothing after it"),
    (FRAME_OF_3_8, {"image_tokens": 258}, "tokens of an image"),
    (FRAME_OF_3_8, {"uncounted_tokens": 0}, "usage adds up"),
]


async def test_another_habit_of_the_local_live_api_is_a_difference() -> None:
    async def differing(name: str, changed: dict[str, Any]) -> dict[str, Any]:
        played = await play(SESSIONS[name], **changed)
        return Comparison.of(name, KNOWN[name], habits(played)).differing

    found = await asyncio.gather(*(differing(name, changed) for name, changed, _ in OTHERWISE))
    unseen = [
        (changed, sorted(differences))
        for (_, changed, habit), differences in zip(OTHERWISE, found, strict=True)
        if habit not in differences
    ]
    assert unseen == []


def test_a_habit_that_one_of_two_has_differs() -> None:
    compared = Comparison.of("one", {"a": 1, "b": [2]}, {"a": 1, "c": "3"})
    assert (compared.same, compared.count) == (1, 3)
    assert compared.lines() == [
        "one: 1 of 3 habits the same",
        "  b",
        "    recorded: [2]",
        "    local:    null",
        "  c",
        "    recorded: null",
        '    local:    "3"',
    ]


def test_any_file_of_the_form_is_played_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [file] = RECORDINGS.glob(f"*/{GREETING}.jsonl")
    assert recordings.main([str(file)]) == 0
    count = len(KNOWN[GREETING])
    same = f"{count} of {count} habits the same"
    assert capsys.readouterr().out == f"{GREETING}: {same}\n{same} in 1 session\n"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    lines[1]["message"] = {"setupComplete": {"sessionId": "s"}}
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert recordings.main([str(other)]) == 1
    printed = capsys.readouterr().out
    assert f"other: {count - 1} of {count} habits the same" in printed
    assert '    recorded: ["sessionId"]\n    local:    []\n' in printed


def test_messages_of_any_form_have_habits() -> None:
    server = [
        {"setupComplete": {}},
        {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": "AAA…"}}, {}]}}},
        {"toolCall": {"functionCalls": [{"name": "get_time"}]}},
        {"serverContent": {"turnComplete": True}, "usageMetadata": {"promptTokensDetails": [{}]}},
    ]
    client = [{}, {"realtimeInput": {"activityStart": {}}, "clientContent": {"turns": []}}]
    lines = [RecordedMessage("client", message) for message in client]
    found = habits([*lines, *(RecordedMessage("server", message) for message in server)])
    assert found["order"][:2] == ["> nothing", "> client_content and activity_start"]
    assert found["MIME type of the sound"] == "missing"
    assert found["fields of a call"] == ["name"]


async def test_a_recording_whose_calls_have_no_ids_is_played_to_its_end() -> None:
    without = json.loads(
        json.dumps([line.message for line in SESSIONS[TOOL_OF_2_5].messages]),
        object_hook=lambda found: {k: v for k, v in found.items() if k != "id"},
    )
    recorded = SESSIONS[TOOL_OF_2_5]
    lines = [
        RecordedMessage(line.sender, message)
        for line, message in zip(recorded.messages, without, strict=True)
    ]
    played = habits(await play(RecordedSession("without ids", tuple(lines))))
    assert played["how often turnComplete"] == KNOWN[TOOL_OF_2_5]["how often turnComplete"]
    assert played["order"] == KNOWN[TOOL_OF_2_5]["order"]
