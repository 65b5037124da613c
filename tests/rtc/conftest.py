import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.rtc.by_hand import Line, NoFrames, Nothing
from tests.rtc.calling import Call
from vision_agent.rtc import install
from vision_agent.rtc.own import aioice
from vision_agent.rtc.udp_ports import OnePort


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    install()
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    call = Call()
    yield call
    await call.close()
    await asyncio.sleep(0)


@pytest.fixture
async def one_port() -> AsyncIterator[OnePort]:
    """A port on loopback that calls can share."""
    port = OnePort(0, needed=True)
    port.bind(["127.0.0.1"])
    await port.start()
    yield port
    await port.close()


@pytest.fixture
async def line(call: Call) -> Line:
    call.caller.addTrack(Nothing())
    call.caller.addTrack(NoFrames())
    await call.connect()
    types = {
        codec.mimeType: codec.payloadType
        for transceiver in call.caller.getTransceivers()
        for codec in reversed(transceiver._codecs)
    }
    return Line(call, types["audio/opus"], types["video/VP8"])
