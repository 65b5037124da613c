import asyncio

import pytest

from tests.support.answering_server import AnsweringServer, Behaviour, answering_server
from vision_agent.caller.call import OutgoingCall
from vision_agent.caller.failure import CallFailed, CallRefused
from vision_agent.caller.received_audio import ReceivedAudio
from vision_agent.caller.signalling import Signalling
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.caller.transcript import CallTranscript

LEFT = {"type": "signalling", "message": {"type": "peerLeft"}}


class Caller:
    """An `OutgoingCall` without a camera, with its parts."""

    def __init__(self, url: str, timeout_s: float = 10) -> None:
        self.microphone, self.transcript = MicrophoneTrack(), CallTranscript()
        self.states: list[str] = []
        self.call = OutgoingCall(
            Signalling(url, None, timeout_s),
            self.microphone,
            None,
            self.transcript,
            on_message=self.transcript.feed,
            on_audio=ReceivedAudio().feed,
            on_state=self.states.append,
            is_played=False,
            timeout_s=timeout_s,
        )


async def test_a_call_is_dialled_once_media_flows_and_the_agent_is_ready() -> None:
    async with answering_server() as server:
        caller = Caller(server.url)
        await caller.call.dial({"agent": "desk"})
        assert caller.states == ["dialling", "connecting"]
        assert caller.call.connected_ms is not None
        assert caller.transcript.ready
        assert await caller.call.hang_up() is None
        assert server.goodbyes == ["call-1"]
    assert caller.microphone.readyState == "ended"


async def test_a_call_that_was_not_answered_is_hung_up_without_a_goodbye() -> None:
    refusal = (503, {"error": "The house is full."}, {})
    async with answering_server(Behaviour(refuses=refusal)) as server:
        caller = Caller(server.url)
        with pytest.raises(CallRefused, match="The house is full"):
            await caller.call.dial({})
        assert await caller.call.hang_up() is None
        assert server.goodbyes == []
    assert caller.microphone.readyState == "ended"


async def test_a_server_that_is_gone_when_the_caller_hangs_up_is_said_to_be() -> None:
    async with answering_server() as server:
        caller = Caller(server.url)
        await caller.call.dial({})
        await close_http(server)
        refused = await caller.call.hang_up()
    assert refused is not None
    assert "can't be reached" in refused


async def test_waiting_ends_with_the_call_and_says_why() -> None:
    async with answering_server() as server:
        caller = Caller(server.url)
        await caller.call.dial({})
        waiting = asyncio.create_task(caller.call.until(lambda: False))
        server.calls[0].send(LEFT)
        with pytest.raises(CallFailed, match=r"^The server left\.$"):
            await waiting
        assert await caller.call.until_ended() == "The server left."
        with pytest.raises(CallFailed, match=r"^The server left\.$"):
            caller.call.type("hello")
        await caller.call.hang_up()
        assert server.goodbyes == []


async def test_a_condition_that_does_not_hold_in_time_is_false_and_the_call_goes_on() -> None:
    async with answering_server() as server:
        caller = Caller(server.url)
        await caller.call.dial({})
        assert await caller.call.until(lambda: True, 0)
        assert not await caller.call.until(lambda: False, 0)
        assert caller.call.ended is None
        await caller.call.hang_up()


async def test_a_line_typed_before_the_call_was_dialled_is_refused() -> None:
    with pytest.raises(CallFailed, match="not been dialled"):
        Caller("http://127.0.0.1:9").call.type("hello")


async def close_http(server: AnsweringServer) -> None:
    """Refuse further requests; the media continues."""
    for listening in server.web.servers:
        listening.close()
