"""A caller whose network changes: the address vanishes, and another one appears."""

import asyncio
from pathlib import Path

from tests.networks.in_namespace import run_inside
from tests.networks.islands import CALLER, DOOR, MIDDLE, OTHER_CALLER, Islands, islands
from tests.networks.states import States
from tests.support.waiting import until
from vision_agent.caller.interactive_call import InteractiveCall
from vision_agent.caller.playout import Playout
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.tracks import MicrophoneTrack

SCENARIO = """
engine: false
answers:
  - {when: {words: hello, turn: 1}, say: The first.}
  - {when: {words: hello, turn: 2}, say: The second.}
otherwise: {say: Pardon.}
"""


async def talk_while_moving(net: Islands) -> None:
    states = States()
    server = Signalling(f"http://{MIDDLE}:{DOOR}", None, 60)
    async with InteractiveCall(server, MicrophoneTrack(), None, Playout(), states) as call:
        call.type("hello")
        assert await call.until_answered() == "answered"
        pc_id = call.pc_id
        await asyncio.to_thread(net.unlink, net.caller, CALLER)
        await asyncio.to_thread(net.link, net.caller, OTHER_CALLER)
        await until(lambda: "reconnecting" in states.seen)
        call.type("hello")
        assert await call.until_answered() == "answered"
        assert [text for who, text in call.transcript if who == "agent"] == [
            "The first.",
            "The second.",
        ]
        assert call.pc_id == pc_id


async def test_a_call_continues_from_another_address(tmp_path: Path, monkeypatch) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    monkeypatch.setenv("VISION_AGENT_ALLOWED_HOSTS", MIDDLE)
    with islands() as net:
        net.forward()
        arguments = ("--scenario", str(scenario))
        async with net.server_process(*arguments, log=tmp_path / "server.log"):
            await run_inside(net.caller, lambda: talk_while_moving(net))
