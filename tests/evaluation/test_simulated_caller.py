"""A simulated caller, with a model server that a test scripts, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.answering_server import answering_server
from tests.support.chat_server import ChatServer, chat_server, error
from tests.support.media_files import make_image
from vision_agent.caller.failure import CallFailed
from vision_agent.caller.transcript import TranscriptLine
from vision_agent.evaluation.caller_voice import CallerVoice
from vision_agent.evaluation.open_model import open_model
from vision_agent.evaluation.simulated_caller import SimulatedCaller
from vision_agent.evaluation.suite import Persona
from vision_agent.replay import ReplayOptions, replay
from vision_agent.replay.script import Action, Show, Speak, TypeText

GOAL = "to book a room for two nights"


class Letters(CallerVoice):
    """A voice that makes one sample for each letter."""

    async def speak(self, text: str, language: str | None = None) -> tuple[bytes, int]:
        return text.encode("utf-16-le"), 24_000


def said(action: Action) -> str:
    assert isinstance(action, Speak)
    return action.pcm.decode("utf-16-le")


@asynccontextmanager
async def playing(
    lines: Iterable[Any], **persona: Any
) -> AsyncIterator[tuple[SimulatedCaller, ChatServer]]:
    """A caller whose model says these lines in order."""
    written = iter(lines)
    async with chat_server() as server:
        server.answers = lambda request: [next(written)]
        model = open_model(url=server.url, environ={})
        caller = SimulatedCaller(Persona(**{"goal": GOAL} | persona), model, Letters())
        try:
            yield caller, server
        finally:
            await model.close()


async def talk(
    caller: SimulatedCaller, agent: Callable[[int], str] = lambda n: f"Answer {n}."
) -> list[Action]:
    """The caller's steps in a call whose agent answers each turn."""
    so_far: list[TranscriptLine] = []
    done: list[Action] = []
    while (step := await caller.next(so_far)) is not None:
        done.append(step.action)
        assert len(done) < 50
        if not isinstance(step.action, Show) and (answer := agent(len(done))):
            so_far.append(TranscriptLine("agent", answer, 1000 * len(done)))
    return done


async def test_a_caller_speaks_until_the_goal_is_reached() -> None:
    lines = ["Hello, a room, please.", "For two nights. [pause]", "Thank you, bye! [done]"]
    async with playing(lines, manner="in a hurry", knows="the name is Ada") as (caller, server):
        done = await talk(caller)
        requests = server.requests
    assert [said(action) for action in done] == [
        "Hello, a room, please.",
        "For two nights.",
        "Thank you, bye!",
    ]
    assert caller.outcome == "The caller says that the goal is reached."
    assert caller.reached is True
    instruction = requests[0]["messages"][0]["content"]
    assert all(words in instruction for words in (GOAL, "in a hurry", "the name is Ada"))
    # The model plays the caller: the agent's words are its user messages.
    assert [(one["role"], one["content"]) for one in requests[-1]["messages"][1:]] == [
        ("user", "(The call begins. You speak first.)"),
        ("assistant", "Hello, a room, please."),
        ("user", "Answer 1."),
        ("assistant", "For two nights."),
        ("user", "Answer 2."),
    ]


async def test_a_caller_shows_a_picture_by_naming_it_and_may_type(tmp_path: Path) -> None:
    bill, passport = tmp_path / "bill.png", tmp_path / "passport.jpg"
    for path in (bill, passport):
        path.write_bytes(b"")
    lines = ["[show passport] This is me.", "And this? [show: bill.png]", "[show cat.png] Well?"]
    persona = {"show": (bill, passport), "types": True, "turns": 3}
    async with playing(lines, **persona) as (caller, server):
        assert caller.shows == {"camera"}
        done = await talk(caller)
        assert "[show bill.png], [show passport.jpg]" in str(server.requests[0]["messages"][0])
    assert done == [
        Show(passport),
        TypeText("This is me."),
        Show(bill),
        TypeText("And this?"),
        TypeText("Well?"),
    ]
    assert "all 3 turns" in caller.outcome
    assert caller.reached is False


@pytest.mark.parametrize(
    ("lines", "spoken", "outcome"),
    [
        (["A room?", "A room!", "a room"], 1, "The caller said the same again."),
        (["A room?", "Answer 1.", "Answer 1"], 1, "The caller said the same again."),
        (["A room?", "A room!", "Two nights, then.", "[give up]"], 2, "The caller has given up."),
        (["*waves*", ""], 0, "The caller had nothing to say."),
        (["Agent: Hello!", "A room?", "[done]"], 1, "The caller says that the goal is reached."),
    ],
)
async def test_a_model_that_wanders_is_reminded_once_and_then_the_call_ends(
    lines: list[str], spoken: int, outcome: str
) -> None:
    async with playing(lines) as (caller, _):
        assert len(await talk(caller)) == spoken
    assert caller.outcome == outcome


async def test_a_caller_hangs_up_on_an_agent_that_says_nothing() -> None:
    async with playing(["Hello?", "Are you there?", "Anyone?"]) as (caller, server):
        assert len(await talk(caller, lambda n: "")) == 2
        assert "(The assistant says nothing.)" in server.requests[-1]["messages"][-1]["content"]
    assert caller.outcome == "The agent had not answered 2 times in a row."


async def test_a_model_that_fails_ends_the_call_and_says_why() -> None:
    async with playing([error(401, "no")]) as (caller, _):
        with pytest.raises(CallFailed, match=r"Nobody plays the caller\. The model .*the key"):
            await caller.next([])
        assert caller.has_failed
        assert caller.verdict.passed is None


async def test_a_played_caller_makes_a_real_call(tmp_path: Path) -> None:
    bill = make_image(tmp_path / "bill.png")
    lines = ["Hello there.", "[show bill.png] And what is this?", "Thank you. [done]"]
    async with playing(lines, show=(bill,), types=True) as (caller, model):
        async with answering_server() as server:
            report = await replay(ReplayOptions(None, server.url, script=caller, timeout_s=20))
            frames = len(server.calls[0].frames)
        heard = model.requests[-1]["messages"][-1]["content"]
    assert (report.answered, report.errors) == (True, [])
    typed = [one.typed for one in report.utterances]
    assert typed == ["Hello there.", "And what is this?", "Thank you."]
    assert frames > 0
    assert heard == [one.text for one in report.transcript if one.who == "agent"][1]
    assert caller.verdict.passed is True
