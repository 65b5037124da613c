"""WebRTC stacks other than aiortc and browsers hold a call: they are heard, seen and answered.

Each asks by voice before its camera, waits for the answer, and asks again by text.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.clients.conftest import SPEECH
from tests.clients.npm import HERE, node
from tests.clients.rtp_recording import write_rtp_recording
from tests.conftest import RECORDINGS
from tests.support.forked import ForkedServer
from tests.support.programs import run

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[ForkedServer]:
    async with ForkedServer() as server:
        yield server


@pytest.fixture(scope="module")
def rtp_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rtp") / "recording.json"
    return write_rtp_recording(SPEECH, RECORDINGS / "bottle.mp4", out)


def was_a_call(printed: str) -> None:
    report = json.loads(printed)
    assert report["ready"]
    assert report["heard"][0] == "What do you see?"
    assert len(report["said"]) >= 2
    # The agent's voice never pauses: 50 packets a second, and the answers take some seconds.
    assert report["voicePackets"] > 100


@pytest.mark.parametrize("stack", ["werift", "libdatachannel"])
async def test_a_stack_for_node_holds_a_call(
    server: ForkedServer, rtp_recording: Path, stack: str
) -> None:
    was_a_call(await run(node(), f"{stack}.mjs", server.url, rtp_recording, cwd=HERE))


@pytest.mark.parametrize(
    ("video", "sound"), [("VP8", "OPUS"), ("H264", "PCMU"), ("H264-HIGH", "PCMA")]
)
async def test_gstreamers_webrtcbin_holds_a_call(
    server: ForkedServer, long_speech: Path, system_python: str, video: str, sound: str
) -> None:
    of = (server.url, long_speech, video, sound)
    printed = await run(system_python, HERE / "webrtcbin.py", *of, cwd=HERE)
    was_a_call(printed)
    assert "red" in json.loads(printed)["said"][-1]
