"""A taught thing is known in the user's next call, and to no other user, until it is forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.local.engine.answers.asking import MUG, ask, frame, shown
from tests.local.engine.sight.sight_frames import (
    shot,
)
from tests.local.engine.sight.sight_scenes import (
    textured,
    wall,
)
from vision_agent.local.contract import Dialogue, Say, Transcript, Turn
from vision_agent.local.engine.answers.responder import Responder
from vision_agent.local.engine.answers.taught_objects import HOW_TO_TEACH, TaughtObjects
from vision_agent.local.engine.answers.taught_store import TaughtStore
from vision_agent.local.engine.sight import Sight

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_taught_is_known_in_the_next_call_and_by_its_user_only(
    sight: Sight, responder: Responder, tmp_path: Path
) -> None:
    unknown = await ask(responder, "What is this?", shown(MUG), user="ann")
    assert isinstance(unknown, str)
    assert "mug" not in unknown.removesuffix(HOW_TO_TEACH)
    assert await ask(responder, "This is my mug.", shown(MUG), user="ann") == (
        "I'll remember: this is your mug."
    )

    later = Responder(sight, TaughtObjects(sight, TaughtStore(tmp_path)))
    again = shown(MUG, turn_deg=25.0, scale=0.8, at=(480, 240))
    assert await ask(later, "What is this?", again, user="ann") == (
        "That is your mug, on the right."
    )
    seen = await ask(later, "What do you see?", again, user="ann")
    assert isinstance(seen, str)
    assert "your mug" in seen
    assert await ask(later, "where is my mug", again, user="ann") == "I see your mug on the right."
    yes = await ask(later, "is this my mug", again, user="ann")
    assert isinstance(yes, str)
    assert yes.startswith("Yes")
    assert await ask(later, "is this my mug", shown(textured(9)), user="ann") == (
        "I don't see your mug."
    )
    stranger = await ask(later, "What is this?", again, user="bob")
    assert isinstance(stranger, str)
    assert "I don't know this one" in stranger


async def test_it_tells_what_it_knows_and_forgets_what_it_is_told_to(responder: Responder) -> None:
    nothing = await ask(responder, "what do you know")
    assert isinstance(nothing, str)
    assert "haven't taught me anything" in nothing
    await ask(responder, "this is my mug", shown(MUG))
    await ask(responder, "this is called Bob", shown(textured(5)))
    assert await ask(responder, "what do you know?") == "I know your mug and Bob."
    assert await ask(responder, "forget my mug") == "I have forgotten your mug."
    assert await ask(responder, "forget my mug") == "I don't know any mug."
    assert await ask(responder, "forget this", shown(textured(5))) == "I have forgotten Bob."


async def test_it_does_not_learn_what_it_can_not_see(responder: Responder) -> None:
    for pixels, reason in ((wall(1) // 40, "too dark"), (wall(1), "can't make out")):
        said = await ask(responder, "this is my mug", frame(shot(pixels, noise=1)))
        assert isinstance(said, str)
        assert reason in said
    old = await ask(responder, "this is my mug", shown(MUG), now_ms=60_000)
    assert old == "Your camera is off; the last picture is 60 seconds old."
    assert isinstance(await ask(responder, "this is my mug"), str)
    said = await ask(responder, "what do you know")
    assert isinstance(said, str)
    assert "haven't taught" in said


async def test_a_file_that_can_not_be_read_is_told_of(sight: Sight, tmp_path: Path) -> None:
    store = TaughtStore(tmp_path)
    store.path("").write_bytes(b"scribble")
    said = await ask(Responder(sight, TaughtObjects(sight, store)), "what do you know")
    assert isinstance(said, str)
    assert "could not read what you taught me" in said
    assert "shared.unreadable-1" in said


async def test_to_forget_everything_needs_no_frame_and_speaks_of_none(
    responder: Responder,
) -> None:
    await ask(responder, "this is my mug", shown(MUG))
    old = replace(shown(MUG), at_ms=-60_000)
    assert await ask(responder, "forget everything", old) == "I have forgotten your mug."


async def test_a_taught_thing_that_is_asked_for_is_looked_for(responder: Responder) -> None:
    await ask(responder, "this is my mug", shown(MUG))
    assert str(await ask(responder, "is there a mug?", shown(MUG))).startswith(
        "Yes, that is your mug"
    )


async def test_a_name_that_was_heard_uncertainly_is_kept_only_after_yes(
    responder: Responder,
) -> None:
    for reply, kept in (("No.", False), ("What can you do?", False), ("Yes.", True)):
        dialogue = Dialogue()
        said = Transcript("This is my dog Rex.", unsure=True)
        turn = Turn(said, frames=(shown(MUG),), user="unsure", dialogue=dialogue)
        asked = [part.text async for part in responder.answer(turn) if isinstance(part, Say)]
        assert asked == ["Did you say dog rex? Say yes, and I remember it."]
        await ask(responder, reply, shown(MUG), user="unsure", dialogue=dialogue)
        known = await ask(responder, "Who is this?", shown(MUG), user="unsure")
        assert ("your dog rex" in str(known)) is kept
