"""WebRTC stacks other than aiortc and browsers hold a call in both directions.

Each asks by voice before its camera, waits for the answer, and asks again by text. Its call is
recorded, and the recording has both voices and its frames.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio

from tests.clients.conftest import SPEECH
from tests.clients.npm import HERE, node
from tests.clients.rtp_recording import write_rtp_recording
from tests.conftest import RECORDINGS
from tests.support.forked_product import ForkedServer
from tests.support.programs import run
from tests.support.waiting import until
from vision_agent.recordings.lines import EndedLine, SpokenLine
from vision_agent.recordings.recorded_call import RecordedCall

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The engine hears the first question, and looks for the second: a colour costs a tenth of a
# description's CPU.
SCENARIO = """
voice: tone
answers:
  - when: {words: what do you see}
    say: I see what you show me.
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps its recordings."""
    return tmp_path_factory.mktemp("calls")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    calls: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ForkedServer]:
    scenario = tmp_path_factory.mktemp("scenario") / "scenario.yaml"
    scenario.write_text(SCENARIO)
    async with ForkedServer("--scenario", str(scenario), "--record", str(calls)) as server:
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


async def was_recorded(calls: Path) -> None:
    """Asserts that the newest recording is whole: every frame decodes, and times of sound grow."""

    def over() -> RecordedCall | None:
        call = RecordedCall.open(max(calls.iterdir(), key=lambda each: each.stat().st_ctime))
        return call if any(isinstance(line, EndedLine) for line in call.lines) else None

    await until(over)
    call = over()
    assert call is not None
    found = {}
    with av.open(str(call.media)) as media:
        for packet in media.demux():
            title = packet.stream.metadata["title"]
            times, frames = found.setdefault(title, ([], []))
            frames += packet.decode()
            if packet.pts is not None:
                times.append(float(packet.pts * packet.time_base))
    assert found.keys() == {"camera", "caller", "agent"}
    for title in ("caller", "agent"):
        times, frames = found[title]
        assert all(b > a for a, b in pairwise(times))
        sound = np.concatenate([frame.to_ndarray().ravel() for frame in frames]).astype(float)
        assert np.abs(sound).max() > 0.05 * (1.0 if np.abs(sound).max() <= 1.0 else 32_768)
    times, frames = found["camera"]
    assert len(frames) == len(times) > 5
    # The question is spoken before the answer to it.
    spoken = {line.who: line.at_ms for line in reversed(call.lines) if isinstance(line, SpokenLine)}
    assert 1000 * found["caller"][0][0] < spoken["user"] <= spoken["agent"]


@pytest.mark.parametrize("stack", ["werift", "libdatachannel"])
async def test_a_stack_for_node_holds_a_call(
    server: ForkedServer, calls: Path, rtp_recording: Path, stack: str
) -> None:
    was_a_call(await run(node(), f"{stack}.mjs", server.url, rtp_recording, cwd=HERE))
    await was_recorded(calls)


@pytest.mark.parametrize(
    ("video", "sound"), [("VP8", "OPUS"), ("H264", "PCMU"), ("H264-HIGH", "PCMA")]
)
async def test_gstreamers_webrtcbin_holds_a_call(
    server: ForkedServer,
    calls: Path,
    long_speech: Path,
    system_python: str,
    video: str,
    sound: str,
) -> None:
    of = (server.url, long_speech, video, sound)
    printed = await run(system_python, HERE / "webrtcbin.py", *of, cwd=HERE)
    was_a_call(printed)
    assert "red" in json.loads(printed)["said"][-1]
    await was_recorded(calls)
