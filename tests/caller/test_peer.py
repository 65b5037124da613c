import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.answering_server import Behaviour, answering_server
from vision_agent import CallClient, CallFailed
from vision_agent.replay import ReplayOptions, replay

FATAL = {
    "label": "rtvi-ai",
    "type": "error",
    "id": "e",
    "data": {"message": "The quota is used up.", "fatal": True},
}
NONSENSE = {
    "empty": lambda sdp: "",
    "no sdp": lambda sdp: "<html></html>",
    "no media": lambda sdp: sdp.split("m=")[0],
    "a kind that nobody has": lambda sdp: sdp.replace("m=audio", "m=smell"),
    "no password": lambda sdp: re.sub(r"a=ice-pwd:.*\r\n", "", sdp),
    "no fingerprint": lambda sdp: re.sub(r"a=fingerprint:.*\r\n", "", sdp),
    "no codec": lambda sdp: re.sub(r"a=rtpmap:.*\r\n", "", sdp),
    "cut": lambda sdp: sdp[:100],
    "port of letters": lambda sdp: sdp.replace("m=audio ", "m=audio x"),
    "other setup": lambda sdp: re.sub(r"a=setup:\w+", "a=setup:actpass", sdp),
}


def takes_at_most(size: int) -> Behaviour:
    """A peer whose answer allows messages of this many bytes."""
    line = f"a=max-message-size:{size}"
    return Behaviour(change_answer=lambda sdp: re.sub(r"a=max-message-size:\d+", line, sdp))


@pytest.mark.parametrize("change", NONSENSE.values(), ids=NONSENSE)
async def test_an_answer_that_cannot_be_used_is_a_sentence(change: Callable[[str], str]) -> None:
    async with answering_server(Behaviour(change_answer=change)) as server:
        with pytest.raises(CallFailed) as failed:
            async with CallClient(server.url, timeout_s=2):
                raise AssertionError("there is a call")
    assert re.fullmatch(r"[A-Z].*[^.][.]", str(failed.value), re.S)


async def test_a_line_typed_into_a_call_that_the_server_ended_says_why() -> None:
    async with (
        answering_server(Behaviour(ends_when_asked=FATAL)) as server,
        CallClient(server.url, timeout_s=10) as call,
    ):
        for _ in range(3):
            with pytest.raises(CallFailed, match=r"^The quota is used up\.$"):
                await call.type("hello")
        with pytest.raises(CallFailed, match="quota"):
            await call.listen()


async def test_a_connection_that_breaks_while_a_sound_is_spoken_ends_the_waiting() -> None:
    async with (
        answering_server(Behaviour(drops_when_asked=True)) as server,
        CallClient(server.url, timeout_s=10) as call,
    ):
        with pytest.raises(CallFailed):
            await call.type("hello")
        with pytest.raises(CallFailed):
            await call.say(b"\x00\x20\x00\xe0" * 16_000 * 4)


async def test_a_line_that_is_too_long_for_the_server_is_refused_and_the_call_goes_on() -> None:
    async with (
        answering_server(takes_at_most(500)) as server,
        CallClient(server.url, timeout_s=10) as call,
    ):
        with pytest.raises(CallFailed, match="can't be sent"):
            await call.type("long " * 200)
        assert (await call.type("short")).text == "I hear you."


async def test_a_peer_that_takes_no_greeting_is_a_failed_call() -> None:
    async with answering_server(takes_at_most(100)) as server:
        with pytest.raises(CallFailed, match="can't be sent"):
            async with CallClient(server.url, timeout_s=10):
                raise AssertionError("there is a call")


async def test_a_call_that_is_over_or_was_never_made_says_so() -> None:
    async with answering_server() as server:
        client = CallClient(server.url, timeout_s=10)
        with pytest.raises(CallFailed, match="no call yet"):
            await client.type("hello")
        async with client:
            pass
        with pytest.raises(CallFailed):
            await client.type("hello")


async def test_a_replay_whose_call_is_ended_when_it_asks_is_a_report_with_one_error(
    bottle: Path,
) -> None:
    async with answering_server(Behaviour(ends_when_asked=FATAL)) as server:
        report = await replay(ReplayOptions(bottle, server.url, typed="hello", timeout_s=10))
    assert (report.answered, report.ended) == (False, "The quota is used up.")
    assert report.errors == ["The quota is used up."]


async def test_a_replay_uses_the_ice_servers_that_the_server_names(bottle: Path) -> None:
    info = {"ice_servers": [{"urls": "stun:127.0.0.1:9", "credentialType": "password", "x": 1}]}
    async with answering_server(Behaviour(info=info)) as server:
        report = await replay(ReplayOptions(bottle, server.url, typed="hello", timeout_s=20))
    assert report.answered
