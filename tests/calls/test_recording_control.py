"""A call is recorded as it went over the network, and the caller is told whether it is."""

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from fastapi import FastAPI
from google.adk.agents import Agent

from tests.support.dialling import Dialled
from tests.support.messages import said
from tests.support.serving_here import serving_here
from tests.support.waiting import until
from vision_agent import RecordingEnded, RecordingStarted, Settings, VideoAgent
from vision_agent.recordings.lines import (
    EndedLine,
    FrameLine,
    Line,
    ReceivedLine,
    SentLine,
    SpokenLine,
    ToolCallLine,
    ToolResultLine,
    TurnLine,
    UsageLine,
)
from vision_agent.recordings.recorded_call import RecordedCall

SCENARIO = """
engine: false
answers:
  - when: {words: keep}
    call: {name: keep, args: {what: keys}}
  - when: {tool: keep}
    say: "I kept your {what}."
otherwise: {say: Go on.}
"""


async def keep(what: str) -> dict[str, str]:
    """Keep something."""
    return {"what": what}


@asynccontextmanager
async def answering(folder: Path, **options: Any) -> AsyncIterator[tuple[VideoAgent, str, list]]:
    """A server that records in `calls`; where it is, and what it tells its program."""
    scenario = folder / "scenario.yaml"
    scenario.write_text(SCENARIO)
    events: list[Any] = []
    video = VideoAgent(
        Settings(
            _env_file=None,
            scenario=scenario,
            session_db="memory",
            data_dir=folder,
            **{"record": folder / "calls", "tool_reports": "none"} | options,
        ),
        agents=Agent(name="keeper", instruction="You keep.", tools=[keep]),
        on_event=events.append,
    )
    app = FastAPI(lifespan=video.lifespan)
    app.include_router(video.router)
    async with app.router.lifespan_context(app), serving_here(app) as url:
        yield video, url, events


def recorded(folder: Path) -> list[RecordedCall]:
    return [RecordedCall.open(each) for each in sorted((folder / "calls").iterdir())]


def of(call: RecordedCall, kind: type[Line]) -> list[Line]:
    return [line for line in call.lines if isinstance(line, kind)]


def tracks(path: Path) -> dict[str, list[float]]:
    """The times of all packets of each track, in seconds."""
    with av.open(str(path)) as media:
        found = {each.metadata["title"]: [] for each in media.streams}
        for packet in media.demux():
            if packet.pts is not None:
                at_s = float(packet.pts * packet.time_base)
                found[packet.stream.metadata["title"]].append(at_s)
    return found


def recording(message: dict) -> bool:
    return (message.get("data") or {}).get("kind") == "recording"


async def test_both_sides_of_a_call_are_recorded(tmp_path):
    async with answering(tmp_path) as (_, url, events):
        caller = Dialled(url, data={"user": "7" * 32, "voice": "Kore", "token": "a secret"})
        await caller.connect()
        caller.send("send-text", {"content": "Please keep it."})
        await caller.wait_for(lambda m: said(m) == "I kept your keys.")
        await caller.wait_for(lambda m: m["type"] == "bot-stopped-speaking")
        await caller.hang_up()
        await until(lambda: any(isinstance(each, RecordingEnded) for each in events))
        assert (await caller.wait_for(recording))["data"] == {"kind": "recording", "on": True}
    (call,) = recorded(tmp_path)
    assert (call.header.call_id, call.header.agent) == (caller.pc_id, "keeper")
    assert call.header.options == {"voice": "Kore"}
    (typed,) = of(call, ReceivedLine)[-1:]
    assert typed.message["data"] == {"content": "Please keep it."}
    assert {"bot-ready", "bot-transcription"} <= {
        line.message["type"] for line in of(call, SentLine)
    }
    # What the caller is shown of tools is another matter.
    assert [(line.name, line.arguments) for line in of(call, ToolCallLine)] == [
        ("keep", {"what": "keys"})
    ]
    assert [line.result for line in of(call, ToolResultLine)] == [{"what": "keys"}]
    assert [(line.who, line.author, line.text, line.typed) for line in of(call, SpokenLine)] == [
        ("user", "", "Please keep it.", True),
        ("agent", "keeper", "I kept your keys.", False),
    ]
    assert 0 < of(call, TurnLine)[-1].reply_ms < 5_000
    assert of(call, UsageLine)
    assert [line.reason for line in of(call, EndedLine)] == ["the caller hung up"]
    frame = of(call, FrameLine)[0]
    picture = call.frame(frame.file).read_bytes()
    assert (frame.source, frame.bytes, frame.width) == ("camera", len(picture), 160)
    captions = (call.folder / "transcript.vtt").read_text()
    assert "<v Caller>Please keep it.\n" in captions
    assert "<v keeper>I kept your keys.\n" in captions
    found = tracks(call.media)
    assert list(found) == ["camera", "caller", "agent"]
    for title, apart_s in (("camera", 0.2), ("caller", 0.02), ("agent", 0.02)):
        steps = [b - a for a, b in zip(found[title], found[title][1:], strict=False)]
        assert sorted(steps)[len(steps) // 2] == pytest.approx(apart_s, abs=0.002)
        assert found[title][-1] == pytest.approx(found["agent"][-1], abs=1.0)
    text = (call.folder / "call.jsonl").read_text()
    assert "a secret" not in text
    assert "7" * 32 not in text
    assert caller.answer["resume"] not in text
    paths = [call.folder, *call.folder.rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in paths}
    assert modes == {(True, 0o700), (False, 0o600)}
    about = [e for e in events if isinstance(e, RecordingStarted | RecordingEnded)]
    assert [(type(e), e.folder) for e in about] == [
        (RecordingStarted, call.folder),
        (RecordingEnded, call.folder),
    ]
    assert about[1].reason == "the caller hung up"
