"""Sessions that are resumed after their connection has ended."""

from __future__ import annotations

import pytest
from google.genai import errors, types

from tests.local.live_clients import MODEL_2, MODEL_3, MODEL_3_1, VERTEX_MODEL_2, Connect
from tests.local.live_talk import Heard, kinds, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.contract import Say, Turn

RESUMABLE = {"session_resumption": types.SessionResumptionConfig()}


def resuming(handle: str | None) -> dict[str, types.SessionResumptionConfig]:
    return {"session_resumption": types.SessionResumptionConfig(handle=handle)}


async def handle_after(heard: Heard, turns: int = 1) -> str:
    update = (await heard.until("session_resumption_update", turns)).session_resumption_update
    assert update is not None
    assert update.resumable is True
    assert update.new_handle
    return update.new_handle


@pytest.mark.parametrize("model", ["local", MODEL_2])
async def test_a_handle_after_each_turn_brings_back_words_and_frames(
    connect: Connect, engine: ScriptedEngine, model: str
) -> None:
    async with connect(model, **RESUMABLE) as session, Heard(session) as heard:
        await session.send_realtime_input(
            video=types.Blob(data=b"a picture", mime_type="image/jpeg")
        )
        await session.send_realtime_input(text="one")
        first = await handle_after(heard)
        said = [kind for message in heard.messages for kind in kinds(message)]
        assert said[0] == "not_resumable"
        assert said[-2:] == ["turn_complete", "session_resumption_update"]
        await session.send_realtime_input(text="two")
        second = await handle_after(heard, 2)
    assert first != second
    async with connect(model, **resuming(second)) as session, Heard(session) as heard:
        await session.send_realtime_input(text="three")
        third = await handle_after(heard)
    turn = engine.turns[-1]
    assert [text for _, text in turn.history] == ["one", "You said one.", "two", "You said two."]
    assert [frame.jpeg for frame in turn.frames] == [b"a picture"]
    assert turn.frames[0].at_ms <= 0 <= turn.now_ms
    # The handle of the first turn is still valid, and covers the first turn only.
    async with connect(model, **resuming(first)) as session, Heard(session) as heard:
        await session.send_realtime_input(text="two again")
        await heard.until("turn_complete")
    assert [text for _, text in engine.turns[-1].history] == ["one", "You said one."]
    assert third not in (first, second)


@pytest.mark.parametrize(
    ("model", "count"), [("local", 0), (MODEL_2, 0), (MODEL_3_1, 1), (MODEL_3, 1)]
)
async def test_3x_gives_one_handle_unasked_and_others_give_none(
    connect: Connect, model: str, count: int
) -> None:
    async with connect(model) as session, Heard(session) as heard:
        for turns in (1, 2):
            await type_text(session, "one")
            await heard.until("turn_complete", turns)
    said = [kind for message in heard.messages for kind in kinds(message)]
    assert said.count("session_resumption_update") == count
    assert "not_resumable" not in said
    if count:
        assert said.index("session_resumption_update") < said.index("audio")


async def test_3_8_gives_a_handle_at_the_start_of_each_turn_and_it_holds_the_turns_before(
    connect: Connect, engine: ScriptedEngine
) -> None:
    async with connect(MODEL_3, **RESUMABLE) as session, Heard(session) as heard:
        await handle_after(heard)  # soon after the setup
        for turns, text in ((1, "one"), (2, "two")):
            await session.send_realtime_input(text=text)
            await heard.until("turn_complete", turns)
        handle = await handle_after(heard, 3)
    said = [kind for message in heard.messages for kind in kinds(message)]
    assert said[-1] == "turn_complete"
    async with connect(MODEL_3, **resuming(handle)) as session, Heard(session) as heard:
        await session.send_realtime_input(text="three")
        await heard.until("turn_complete")
    assert [text for _, text in engine.turns[-1].history] == ["one", "You said one."]


async def test_3_1_gives_a_handle_again_and_again_to_a_client_that_asked(connect: Connect) -> None:
    async with connect(MODEL_3_1, **RESUMABLE) as session, Heard(session) as heard:
        assert session
        first = await handle_after(heard)
        assert await handle_after(heard, 2) != first


async def test_an_unknown_handle_is_refused(connect: Connect) -> None:
    with pytest.raises(errors.APIError) as refused:
        async with connect(**resuming("never given out")):
            pass
    assert refused.value.code == 1008
    assert "BidiGenerateContent session not found" in str(refused.value)


async def test_transparent_resumption_says_which_message_it_includes(connect: Connect) -> None:
    transparent = types.SessionResumptionConfig(transparent=True)
    async with (
        connect(VERTEX_MODEL_2, vertex=True, session_resumption=transparent) as session,
        Heard(session) as heard,
    ):
        await session.send_realtime_input(media=types.Blob(data=b"j", mime_type="image/jpeg"))
        await type_text(session, "one")
        update = (await heard.until("session_resumption_update")).session_resumption_update
    assert update is not None
    assert update.last_consumed_client_message_index == 2


async def test_what_the_engine_keeps_in_mind_goes_on_in_the_resumed_session(
    connect: Connect, engine: ScriptedEngine
) -> None:
    def answers(turn: Turn) -> list[Say]:
        turn.dialogue.misses += 1
        return [Say("Ok")]

    engine.answers = answers
    async with connect(**RESUMABLE) as session, Heard(session) as heard:
        await type_text(session, "one")
        handle = await handle_after(heard)
    async with connect(**resuming(handle)) as session, Heard(session) as heard:
        await type_text(session, "two")
        await heard.until("turn_complete")
    assert engine.turns[-1].dialogue.misses == 2
