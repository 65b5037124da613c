"""The messages that replay the conversation to a new connection, and their order."""

from types import SimpleNamespace

import pytest
from google.genai import types

from vision_agent.live.connection.ledger import Replay
from vision_agent.live.connection.observer import Nobody
from vision_agent.live.connection.replay import newest_turns, send_replay, turn_signals
from vision_agent.live.live_queue import LiveQueue

SOUND = types.Blob(data=bytes(640), mime_type="audio/pcm;rate=16000")


def said(role: str, text: str) -> types.Content:
    return types.Content(role=role, parts=[types.Part(text=text)])


RESULT = types.Content(
    role="user",
    parts=[types.Part(function_response=types.FunctionResponse(name="measure", response={}))],
)


class Link:
    """Records what is sent, through ADK's connection or past it."""

    def __init__(self, *, recent: bool = False) -> None:
        self.told: list[str] = []
        self._is_gemini_3_x_live = recent
        self._gemini_session = SimpleNamespace(send_client_content=self._content)

    async def _content(self, *, turns, turn_complete) -> None:
        self.told.append(f"{len(turns)} contents{' to answer' if turn_complete else ''}")

    async def send_history(self, history) -> None:
        self.told.append(f"{len(history)} of history")

    async def send_content(self, content) -> None:
        self.told.append(" ".join(part.text or "frame" for part in content.parts))

    async def send_realtime(self, blob) -> None:
        if not isinstance(blob, types.Blob):
            self.told.append(type(blob).__name__)
            return
        self.told.append("frame" if blob.mime_type == "image/jpeg" else "sound")


ONE, YES, TWO = said("user", "one"), said("model", "Yes."), said("user", "two")


@pytest.mark.parametrize(
    ("replay", "told"),
    [
        (Replay(None, [], [SOUND]), ["sound"]),
        (Replay(None, [ONE, YES], [SOUND]), ["2 of history", "sound"]),
        (Replay(None, [ONE, YES, TWO], []), ["3 of history"]),
        (Replay("H", [], [SOUND]), ["sound"]),
        (Replay("H", [TWO], [SOUND]), ["sound", "two"]),
        (Replay("H", [ONE, TWO], []), ["one\ntwo"]),
        (Replay("H", [ONE, RESULT], [], asked=2), ["2 contents to answer"]),
        (Replay("H", [ONE, YES], []), ["2 contents"]),
    ],
)
async def test_history_comes_before_sound_and_questions_after_it(replay, told):
    link = Link()
    await send_replay(link, replay, Nobody(), in_words=False)
    assert link.told == told


async def test_a_history_that_ends_with_the_model_is_completed_for_a_recent_one():
    link = Link(recent=True)
    await send_replay(link, Replay(None, [ONE, YES], [SOUND]), Nobody(), in_words=False)
    assert link.told == ["2 contents to answer", "sound"]


async def test_results_are_told_in_words_where_they_were_refused():
    link = Link()
    await send_replay(link, Replay("H", [ONE, RESULT], []), Nobody(), in_words=True)
    assert link.told == ["one\n(measure has given {}.)"]


def showing(*, on: bool) -> LiveQueue:
    live_queue = LiveQueue()
    live_queue.frame(b"\xff\xd8\xff")
    if not on:
        live_queue.source_off("camera")
    return live_queue


@pytest.mark.parametrize(
    ("replay", "on", "told"),
    [
        (Replay(None, [], [SOUND]), True, ["frame", "sound"]),
        (Replay(None, [ONE, YES], [SOUND]), True, ["2 of history", "frame", "sound"]),
        (Replay("H", [TWO], [SOUND], asked=1), True, ["frame", "sound", "frame two"]),
        (Replay("H", [TWO], [], asked=1), False, ["frame", "two"]),
        (Replay("H", [], []), False, ["frame"]),
    ],
)
async def test_the_newest_frame_comes_before_sound_and_rides_with_a_question_in_words(
    replay, on, told
):
    link = Link()
    await send_replay(link, replay, showing(on=on), in_words=False)
    assert link.told == told


CALL = types.Content(
    role="model",
    parts=[types.Part(function_call=types.FunctionCall(name="measure", args={}))],
)
HISTORY = [ONE, YES, TWO, CALL, RESULT, YES, said("user", "three"), said("user", "please"), YES]


@pytest.mark.parametrize(
    ("turns", "left"),
    [(None, 9), (9, 9), (3, 9), (2, 7), (1, 3), (0, 0)],
)
def test_a_new_session_is_told_the_newest_turns_and_always_what_awaits_an_answer(turns, left):
    replay = Replay(None, [*HISTORY, said("user", "now?")], [SOUND], asked=1)
    told = newest_turns(replay, turns)
    assert told.contents == replay.contents[9 - left :]
    assert (told.audio, told.asked, told.handle) == ([SOUND], 1, None)


def test_a_session_that_is_resumed_knows_its_turns():
    replay = Replay("handle", [said("user", "now?")], [], asked=1)
    assert newest_turns(replay, 0) is replay


@pytest.mark.parametrize(
    ("audio", "signalled", "open_turn", "told"),
    [
        ([SOUND], False, False, ["sound"]),
        ([SOUND], True, True, ["ActivityStart", "sound"]),
        ([SOUND], True, False, ["ActivityStart", "sound", "ActivityEnd"]),
        ([], True, True, ["ActivityStart"]),
        ([], True, False, []),
    ],
)
async def test_sound_is_told_as_a_turn_where_the_microphones_switch_makes_turns(
    audio, signalled, open_turn, told
):
    replay, link = Replay(None, [], audio), Link()
    signals = turn_signals(replay, signalled=signalled, open_turn=open_turn)
    await send_replay(link, replay, Nobody(), in_words=False, signals=signals)
    assert link.told == told
