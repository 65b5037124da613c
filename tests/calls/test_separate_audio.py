"""Callers whose microphone and whose agent's voice have an audio section each."""

import re

import pytest

from tests.conftest import serving
from tests.support.answering_server import ToneTrack
from tests.support.dialling import Dialled
from tests.support.messages import said
from tests.support.scenarios import TONES
from tests.support.waiting import until


class Apart(Dialled):
    """A caller that offers a section for its microphone and one for the agent's voice."""

    def __init__(self, url: str, directions: tuple[str, str]) -> None:
        super().__init__(url, microphone=ToneTrack())
        for direction in directions:
            given = self.microphone if direction == "sendonly" else "audio"
            self.peer.addTransceiver(given, direction=direction)
        # Without the sections that `offer` would add.
        self.peer.addTrack = lambda track: None
        self.peer.addTransceiver(self.camera, direction="sendonly")


@pytest.mark.parametrize(
    ("directions", "answered"),
    [
        (("sendonly", "recvonly"), ["recvonly", "sendonly"]),
        (("recvonly", "sendonly"), ["sendonly", "recvonly"]),
    ],
)
async def test_both_are_served(directions, answered) -> None:
    async with serving("--scenario", str(TONES)) as server:
        caller = Apart(server.url, directions)
        caller.microphone.pending = 50
        await caller.connect()
        sections = re.split("(?=^m=)", caller.answer["sdp"], flags=re.M)
        audio = [each for each in sections if each.startswith("m=audio")]
        stated = [
            re.findall(r"^a=(sendonly|recvonly|inactive|sendrecv)\r", each, re.M) for each in audio
        ]
        assert stated == [[each] for each in answered]
        await caller.wait_for(lambda m: m["type"] == "user-started-speaking")
        await caller.wait_for(lambda m: m["type"] == "user-stopped-speaking")
        assert not any(caller.voiced)
        caller.send("send-text", {"content": "hello"})
        await caller.wait_for(lambda m: said(m) == "Hello.")
        await until(lambda: sum(caller.voiced) > 5)
        assert not caller.of("error")
        await caller.hang_up()
