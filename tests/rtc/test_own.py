"""A program that uses aiortc itself beside the product has it as it was installed."""

import asyncio
import subprocess
import sys

import aioice.ice
import aiortc
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.mediastreams import AudioStreamTrack

from tests.rtc.calling import Call
from vision_agent.rtc import install
from vision_agent.rtc.own import BY_FULL_NAME

STATE = """
import sys, aioice.ice, aioice.turn, aiortc, aiortc.codecs, aiortc.rtcrtpreceiver
def state():
    return {
        (name, part, attribute): id(what)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in ("aiortc", "aioice")
        for part, owner in [("", module), *vars(module).items()]
        if part == "" or isinstance(owner, type)
        for attribute, what in list(vars(owner).items())
        if not attribute.startswith("__")
    }
before = state()
import vision_agent.rtc, vision_agent.caller.peer
vision_agent.rtc.install()
now = state()
assert before, "nothing was compared"
print([each for each in now if before.get(each) != now[each]])
"""


def test_no_attribute_of_aiortc_and_aioice_changes():
    run = subprocess.run([sys.executable, "-c", STATE], capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "[]", run.stdout[:2000] + run.stderr[-2000:]


def test_the_copies_do_not_lead_to_the_originals():
    ours = {name: m for name, m in sys.modules.items() if name.startswith("vision_agent.rtc.own.")}
    assert {f"vision_agent.rtc.own.aiortc.{each}" for each in BY_FULL_NAME} <= ours.keys()
    for name, module in ours.items():
        leading = [
            attribute
            for attribute, what in vars(module).items()
            if str(getattr(what, "__module__", "")).partition(".")[0] in ("aiortc", "aioice")
        ]
        assert not leading, name


async def test_the_hosts_own_peers_talk_beside_a_call_of_ours(call: Call):
    install()
    call.caller.createDataChannel("chat")
    await call.connect()
    first, second = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    heard: asyncio.Future = asyncio.get_running_loop().create_future()
    second.on("datachannel", lambda channel: channel.on("message", heard.set_result))
    channel = first.createDataChannel("own")
    channel.on("open", lambda: channel.send("hello"))
    first.addTrack(AudioStreamTrack())
    try:
        await first.setLocalDescription(await first.createOffer())
        await second.setRemoteDescription(first.localDescription)
        await second.setLocalDescription(await second.createAnswer())
        await first.setRemoteDescription(second.localDescription)
        assert await asyncio.wait_for(heard, 20) == "hello"
        for peer in (first, second):
            assert type(peer.sctp) is aiortc.RTCSctpTransport
            transceiver = peer.getTransceivers()[0]
            assert type(transceiver.receiver) is aiortc.RTCRtpReceiver
            assert type(transceiver.sender) is aiortc.RTCRtpSender
            assert type(peer.sctp.transport) is aiortc.RTCDtlsTransport
            assert type(peer.sctp.transport.transport._connection) is aioice.ice.Connection
    finally:
        await first.close()
        await second.close()
