"""Scripts of several turns, in calls with a small server that shares no code with the product."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from tests.support.answering_server import AnsweringCall, Behaviour, answering_server
from tests.support.media_files import make_image
from tests.support.signals import tone
from vision_agent.caller.call import OutgoingCall
from vision_agent.caller.failure import CallFailed
from vision_agent.caller.transcript import TranscriptLine
from vision_agent.replay import BadRecording, ReplayOptions, Report, replay
from vision_agent.replay.script import (
    CallScript,
    FixedScript,
    SendMessage,
    SendPicture,
    Show,
    Speak,
    Step,
    Switch,
    TypeText,
    Wait,
)

QUESTION = Speak(tone(400, rate_hz=24_000).tobytes(), 24_000)


async def call(
    script: CallScript, file: Path | None = None, behaviour: Behaviour | None = None, **options: Any
) -> tuple[Report, AnsweringCall]:
    async with answering_server(behaviour) as server:
        options = {"timeout_s": 20.0} | options
        report = await replay(ReplayOptions(file, server.url, script=script, **options))
        return report, server.calls[0]


def switches(server: AnsweringCall) -> list[tuple[int, bool]]:
    messages = (each["message"] for each in server.received if each["type"] == "signalling")
    return [(each["receiver_index"], each["enabled"]) for each in messages]


async def test_each_turn_waits_for_the_answer_to_the_one_before(bottle: Path) -> None:
    steps = [
        Step(QUESTION),
        Step(TypeText("and what colour?")),
        Step(Switch("camera", False)),
        Step(Wait(0.3)),
        Step(TypeText("and now?")),
    ]
    report, server = await call(FixedScript(steps), bottle)
    assert (report.answered, report.errors, report.ended) == (True, [], "answered")
    turns = [(each.turn, each.typed) for each in report.utterances]
    assert turns == [(1, None), (2, "and what colour?"), (3, "and now?")]
    assert all(each.reply_ms is not None for each in report.utterances)
    # None began while the answer before was being played.
    assert [each.silenced_ms for each in report.utterances] == [None] * 3
    assert len(report.voice_ms) == 3
    assert report.call_id == "call-1"
    assert switches(server) == [(1, False)]


async def test_the_answer_to_a_line_is_awaited_however_slow_the_machine_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ms, read = OutgoingCall.now_ms, [0]

    def later(call: OutgoingCall) -> int:
        """On a slow machine, every reading of the clock is a later millisecond."""
        read.append(max(read[-1] + 1, now_ms(call)))
        return read[-1]

    monkeypatch.setattr(OutgoingCall, "now_ms", later)
    report, _ = await call(FixedScript([Step(TypeText("stop"), 0)]))
    assert (report.answered, report.errors, report.ended) == (True, [], "answered")


async def test_steps_with_times_wait_for_no_answer_and_a_sound_goes_on_under_them() -> None:
    sound = b"".join([QUESTION.pcm, bytes(2 * 24_000), QUESTION.pcm])
    steps = [
        Step(Speak(sound, 24_000), 0),
        Step(SendMessage({"label": "rtvi-ai", "type": "ui-event", "id": "u", "data": {}}), 200),
        Step(Switch("microphone", False), 700),
        Step(Switch("microphone", True), 1200),
        Step(TypeText("stop"), 1300),
    ]
    report, server = await call(FixedScript(steps))
    assert (report.answered, report.errors) == (True, [])
    # Each utterance of a sound that plays on is a turn.
    said = {each.turn: each.typed for each in report.utterances}
    assert said == {1: None, 2: None, 3: "stop"}
    assert switches(server) == [(0, False), (0, True)]
    assert "ui-event" in [each["type"] for each in server.received]


async def test_a_step_cuts_in_so_long_after_the_answer_began() -> None:
    steps = [Step(QUESTION), Step(QUESTION, into_answer_ms=600)]
    behaviour = Behaviour(answer_ms=6000, next_answer_ms=400)
    report, _ = await call(FixedScript(steps), behaviour=behaviour, timeout_s=30)
    first, second = report.utterances
    assert first.reply_ms is not None
    into_ms = second.started_at_ms - first.ended_at_ms - first.reply_ms
    assert 500 < into_ms < 2000
    assert second.silenced_ms is not None
    assert (report.interruptions, report.errors) == (1, [])


async def test_a_typed_line_over_a_silent_sound_is_answered() -> None:
    silent = Speak(bytes(2 * 24_000 * 8), 24_000)
    steps = [Step(silent, 0), Step(TypeText("hello"), 200)]
    report, _ = await call(FixedScript(steps), behaviour=Behaviour(answer_ms=600))
    assert (report.answered, report.errors, report.ended) == (True, [], "answered")
    (said,) = report.utterances
    assert said.reply_ms is not None
    assert report.ended_ms is not None
    assert report.ended_ms - said.ended_at_ms < 7_500


async def test_silence_after_a_turn_awaits_no_answer(bottle: Path) -> None:
    steps = [Step(TypeText("say nothing")), Step(Wait(0.5), at_ms=0)]
    report, _ = await call(FixedScript(steps), behaviour=Behaviour(answers=False))
    assert (report.answered, report.errors) == (False, [])
    assert report.ended == "the recording ended"


async def test_a_timeout_says_which_turn_was_not_answered() -> None:
    class Mute(Behaviour):
        asked = 0

        @property
        def answers(self) -> bool:
            self.asked += 1
            return self.asked < 2

        @answers.setter
        def answers(self, value: bool) -> None:
            pass

    steps = [Step(TypeText("one")), Step(TypeText("two")), Step(TypeText("three"))]
    report, server = await call(FixedScript(steps), behaviour=Mute(), timeout_s=2)
    assert (report.answered, report.ended) == (False, "timeout")
    assert report.errors == ["The agent hasn't answered 2 s after the caller's turn 2: two"]
    typed = [each["data"]["content"] for each in server.received if each["type"] == "send-text"]
    assert typed == ["one", "two"]


async def test_what_is_shown_later_is_seen_before_the_next_question(tmp_path: Path) -> None:
    red = make_image(tmp_path / "red.png", size=(64, 48))
    slide = make_image(tmp_path / "slide.png", size=(96, 64))
    steps = [Step(Show(red)), Step(Show(slide, "screen")), Step(TypeText("what do you see?"))]
    report, server = await call(FixedScript(steps))
    assert (report.answered, report.errors) == (True, [])
    assert server.peer.remoteDescription.sdp.count("m=video") == 2
    # The end of the screen share is signalled at the end of the call.
    assert switches(server) == [(1, True), (2, True), (2, False)]
    assert report.frames_sent >= 1
    with pytest.raises(BadRecording, match="There is no file"):
        await call(FixedScript([Step(Show(tmp_path / "nothing.png"))]))


async def test_a_picture_is_sent_in_parts_and_the_caller_stays_after_the_answer(
    tmp_path: Path,
) -> None:
    picture = tmp_path / "label.png"
    picture.write_bytes(bytes(range(256)) * 200)
    script = FixedScript([Step(SendPicture(picture, "label")), Step(TypeText("read"))], 3_000)
    report, server = await call(script, behaviour=Behaviour(responds=True))
    assert (report.answered, report.errors, report.ended) == (True, [], "answered")
    *sent, text = [e for e in server.received if e["type"] in ("client-message", "send-text")]
    assert text["data"]["content"] == "read"
    parts = [each["data"]["d"] for each in sent]
    assert [(each["part"], each["parts"], each["name"]) for each in parts] == [
        (0, 2, "label"),
        (1, 2, "label"),
    ]
    assert len({each["id"] for each in parts}) == 1
    assert b"".join(b64decode(each["data"]) for each in parts) == picture.read_bytes()
    (said,) = report.utterances
    assert report.ended_ms is not None
    assert said.reply_ms is not None
    assert report.ended_ms - said.ended_at_ms >= 3_000
    for content in (b"", bytes(1_000_000)):
        picture.write_bytes(content)
        with pytest.raises(BadRecording, match="it can't be sent into a call"):
            await call(script)


class Persona:
    """Asks a question made from the last answer."""

    shows = ()

    def __init__(self, turns: int) -> None:
        self.turns = turns
        self.heard: list[list[str]] = []

    async def next(self, so_far: list[TranscriptLine]) -> Step | None:
        self.heard.append([line.text for line in so_far if line.who == "agent"])
        if len(self.heard) > self.turns:
            return None
        return Step(TypeText(f"question {len(self.heard)}"))


async def test_a_persona_decides_its_next_step_by_what_it_has_heard() -> None:
    persona = Persona(2)
    report, _ = await call(persona)
    assert [len(lines) for lines in persona.heard] == [0, 1, 2]
    assert [each.typed for each in report.utterances] == ["question 1", "question 2"]
    assert (report.answered, report.errors) == (True, [])


async def test_a_persona_that_cannot_go_on_ends_the_call_with_its_reason() -> None:
    class Lost(Persona):
        async def next(self, so_far: list[TranscriptLine]) -> Step | None:
            raise CallFailed("The persona's model is away.")

    report, _ = await call(Lost(1))
    assert (report.answered, report.errors) == (False, ["The persona's model is away."])


async def test_the_report_of_a_script_is_json(tmp_path: Path) -> None:
    report, _ = await call(FixedScript([Step(TypeText("hello"))]))
    report.write_json(tmp_path / "report.json")
    (utterance,) = json.loads((tmp_path / "report.json").read_text())["utterances"]
    assert (utterance["turn"], utterance["typed"]) == (1, "hello")
