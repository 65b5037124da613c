"""One call over a network that loses, reorders and falls silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.networks.lossy_path import LossyPath, OverPath
from tests.networks.states import States
from tests.support.forked_product import ForkedServer
from tests.support.waiting import until
from vision_agent.caller.interactive_call import InteractiveCall
from vision_agent.caller.playout import Playout
from vision_agent.caller.tracks import MicrophoneTrack

NUMBERS = ("one", "two", "three", "four", "five")
SCENARIO = "engine: false\nanswers:\n" + "".join(
    f"  - {{when: {{words: hello, turn: {turn}}}, say: Number {number}.}}\n"
    for turn, number in enumerate(NUMBERS, 1)
)
SILENCE_S = 3.0
OUTAGE_S = 12.0
"""Longer than typed text counts as unsure (10 s), and than the server waits for a peer (8 s)."""


SET_UP = {
    "caller": ("check", "answer", "first flight", "third flight", "data"),
    "server": ("check", "answer", "second flight", "last flight", "data"),
}


@asynccontextmanager
async def calling(folder: Path, path: LossyPath, states: States) -> AsyncIterator[InteractiveCall]:
    """A call over the path to a server that answers "hello" with the next number."""
    scenario = folder / "scenario.yaml"
    scenario.write_text(SCENARIO)
    async with ForkedServer("--scenario", str(scenario)) as server, path.open():
        signalling = OverPath(server.url, None, 60, path=path)
        async with InteractiveCall(signalling, MicrophoneTrack(), None, Playout(), states) as call:
            yield call


async def test_a_call_is_set_up_although_the_first_packets_of_each_kind_are_lost_in_each_direction(
    tmp_path: Path,
) -> None:
    states, path = States(), LossyPath()
    path.loses_first = {"caller": 1, "server": 2}
    async with calling(tmp_path, path, states) as call:
        call.type("hello")
        assert await call.until_answered() == "answered"
    assert path.lost_of == {
        f"{sender}: {kind}": path.loses_first[sender]
        for sender in SET_UP
        for kind in SET_UP[sender]
    }
    assert "reconnecting" not in states.seen


async def test_a_conversation_stands_loss_of_a_fifth_reordering_and_three_seconds_of_silence(
    tmp_path: Path,
) -> None:
    states, path = States(), LossyPath()
    async with calling(tmp_path, path, states) as call:
        for path.loss, path.reordered in ((0.0, 0.0), (0.05, 0.1), (0.2, 0.1), (0.0, 0.0)):
            call.type("hello")
            assert await call.until_answered() == "answered"
        path.silent = True
        await asyncio.sleep(SILENCE_S)
        path.silent, passed = False, path.passed
        call.type("hello")
        await until(lambda: path.passed > passed, what="packets after the silence")
        assert await call.until_answered() == "answered"
        said = [text for who, text in call.transcript if who == "agent"]
    assert said == [f"Number {number}." for number in NUMBERS]
    assert path.lost > 0
    assert "reconnecting" not in states.seen


async def test_a_line_that_is_typed_into_an_outage_is_answered_once_though_that_lasts(
    tmp_path: Path,
) -> None:
    states, path = States(), LossyPath()
    async with calling(tmp_path, path, states) as call:
        call.type("hello")
        assert await call.until_answered() == "answered"
        path.silent = True
        call.type("hello")
        await asyncio.sleep(OUTAGE_S)
        path.silent = False
        assert await call.until_answered() == "answered"
        call.type("hello")
        assert await call.until_answered() == "answered"
        said = [text for who, text in call.transcript if who == "agent"]
    assert said == [f"Number {number}." for number in NUMBERS[:3]]
    assert "reconnecting" in states.seen
