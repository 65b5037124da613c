"""A call is recorded as it went over the network, and the caller is told whether it is."""

import asyncio
import json
import shutil
import stat
import urllib.error
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from fastapi import FastAPI
from google.adk.agents import Agent

from tests.support.dialling import DarkCamera, Dialled, request
from tests.support.messages import said
from tests.support.scenarios import KEEPS
from tests.support.serving_here import serving_here
from tests.support.waiting import until
from vision_agent import CallEnded, RecordingEnded, RecordingStarted, Settings, VideoAgent
from vision_agent.recordings.lines import (
    EndedLine,
    FrameLine,
    Line,
    ReceivedLine,
    SentLine,
    SpokenLine,
    SwitchedLine,
    ToolCallLine,
    ToolResultLine,
    TurnLine,
    UsageLine,
)
from vision_agent.recordings.recorded_call import BadRecordedCall, RecordedCall


async def keep(what: str) -> dict[str, str]:
    """Keep something."""
    return {"what": what}


@asynccontextmanager
async def answering(folder: Path, **options: Any) -> AsyncIterator[tuple[VideoAgent, str, list]]:
    """Runs a server that records in `calls`; yields its address and the events of its program."""
    events: list[Any] = []
    video = VideoAgent(
        Settings(
            _env_file=None,
            scenario=KEEPS,
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


def written(folder: Path) -> set[str]:
    """The titles of the tracks of which the folder's one recording has packets so far."""
    try:
        found = tracks(recorded(folder)[0].media)
    except (FileNotFoundError, BadRecordedCall, av.error.EOFError):
        return set()
    return {title for title, times in found.items() if times}


def recording(message: dict) -> bool:
    return (message.get("data") or {}).get("kind") == "recording"


async def test_both_sides_of_a_call_are_recorded(tmp_path):
    async with answering(tmp_path) as (_, url, events):
        data = {"user": "7" * 32, "voice": "Kore", "token": "a secret"}
        caller = Dialled(url, data=data, microphone=AudioStreamTrack())
        await caller.connect()
        caller.send("send-text", {"content": "Please keep it."})
        await caller.wait_for(lambda m: said(m) == "I kept your keys.")
        await until(lambda: len(caller.of("bot-stopped-speaking")) == 1)
        caller.send("send-text", {"content": "Hello."})
        await until(lambda: len(caller.of("bot-stopped-speaking")) == 2)
        await caller.hang_up()
        await until(lambda: any(isinstance(each, RecordingEnded) for each in events))
        assert (await caller.wait_for(recording))["data"] == {"kind": "recording", "on": True}
    (call,) = recorded(tmp_path)
    assert (call.header.call_id, call.header.agent) == (caller.pc_id, "keeper")
    assert call.header.options == {"voice": "Kore"}
    typed = [line.message["data"] for line in of(call, ReceivedLine)[-2:]]
    assert typed == [{"content": "Please keep it."}, {"content": "Hello."}]
    assert {"bot-ready", "bot-transcription"} <= {
        line.message["type"] for line in of(call, SentLine)
    }
    # The recording has the arguments of tools, which the caller may not be shown.
    assert [(line.name, line.arguments) for line in of(call, ToolCallLine)] == [
        ("keep", {"what": "keys"})
    ]
    assert [line.result for line in of(call, ToolResultLine)] == [{"what": "keys"}]
    assert [(line.who, line.author, line.text, line.typed) for line in of(call, SpokenLine)] == [
        ("user", "", "Please keep it.", True),
        ("agent", "keeper", "I kept your keys.", False),
        ("user", "", "Hello.", True),
        ("agent", "keeper", "Go on.", False),
    ]
    # An answer lasts as long as its speech, and a typed line no time.
    assert [line.lasted_ms > 200 for line in of(call, SpokenLine)] == [False, True] * 2
    assert [0 < line.reply_ms < 10_000 for line in of(call, TurnLine)] == [True, True]
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
        steps = [b - a for a, b in pairwise(found[title])]
        assert sorted(steps)[len(steps) // 2] == pytest.approx(apart_s, rel=0.11)
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


def switch(caller: Dialled, index: int, on: bool) -> None:
    message = {"type": "trackStatus", "receiver_index": index, "enabled": on}
    caller.channel.send(json.dumps({"type": "signalling", "message": message}))


async def test_what_is_switched_off_is_a_gap_and_a_new_connection_goes_on(tmp_path):
    async with answering(tmp_path) as (_, url, _events):
        caller = Dialled(url)
        await caller.connect()
        await caller.wait_for(recording)
        # The file is written twice a second, and the camera's first key frame has no fixed time.
        await until(lambda: {"camera", "caller"} <= written(tmp_path))
        for on in (False, True):
            switch(caller, 0, on)
            switch(caller, 1, on)
            caller.send("send-text", {"content": f"The microphone is {on}."})
            await caller.wait_for(lambda m, on=on: len(caller.of("turn_complete")) > on)
            await asyncio.sleep(1.2)
        # The caller's network changes: the call gets a new peer connection.
        again = Dialled(url, camera=DarkCamera())
        await again.connect(restart=caller.pc_id)
        await asyncio.sleep(1.5)
        await again.hang_up()
        await caller.peer.close()
        await until(lambda: of(recorded(tmp_path)[0], EndedLine))
    (call,) = recorded(tmp_path)
    off, on = [line.at_ms / 1000 for line in of(call, SwitchedLine) if line.what == "camera"]
    assert on - off > 1
    found = tracks(call.media)
    for title in ("camera", "caller"):
        inside = [at for at in found[title] if off + 0.3 < at < on - 0.05]
        assert not inside, title
        assert [at for at in found[title] if at < off]
        assert [at for at in found[title] if at > on + 1.5]
    steps = [b - a for a, b in pairwise(found["agent"])]
    assert max(steps) < 1.0


@pytest.mark.parametrize(
    ("options", "asked", "told"),
    [
        ({"record": None}, {"record": True}, "this server records no calls"),
        ({"record": None}, {}, None),
        ({"record_consent": True}, {"record": True}, "you have not agreed to it"),
        ({}, {"record": False}, None),
    ],
)
async def test_a_call_that_is_not_recorded_is_answered(tmp_path, options, asked, told):
    async with answering(tmp_path, **options) as (_, url, events):
        caller = Dialled(url, data={"agent": "keeper", **asked})
        await caller.connect()
        caller.send("send-text", {"content": "Please keep it."})
        await caller.wait_for(lambda m: said(m) == "I kept your keys.")
        await caller.hang_up()
        expected = [] if told is None else [{"kind": "recording", "on": False, "reason": told}]
        assert caller.of("recording") == expected
        assert not [e for e in events if isinstance(e, RecordingStarted | RecordingEnded)]
    assert not list((tmp_path / "calls").glob("*"))


async def test_a_server_says_before_a_call_whether_it_records_and_takes_agreement(tmp_path):
    options = {"record_consent": True, "record_calls": "asked"}
    async with answering(tmp_path, **options) as (video, url, _):
        caller = Dialled(url, data={"record": True, "recordConsent": True})
        await caller.connect()
        assert (await caller.wait_for(recording))["data"]["on"] is True
        info = await asyncio.to_thread(request, "GET", f"{url}/api/info")
        assert info["recording"] == {"calls": "asked", "needs_consent": True}
        # The caller withdraws the consent.
        caller.send("client-message", {"t": "recording", "d": {"on": False}})
        await caller.wait_for(lambda m: recording(m) and not m["data"]["on"])
        assert caller.of("recording")[-1]["reason"] == "you have ended it"
        caller.send("send-text", {"content": "Please keep it."})
        await caller.wait_for(lambda m: said(m) == "I kept your keys.")
        await caller.hang_up()
        # The next call shows its caller the unrecorded lines, and does not record them.
        asked = {"record": True, "record_consent": True, "resume": caller.answer["resume"]}
        again = Dialled(url, data=asked)
        await again.connect()
        shown = await again.wait_for(lambda m: (m.get("data") or {}).get("kind") == "resumed")
        assert shown["data"]["earlier"][-1]["text"] == "I kept your keys."
        await again.wait_for(recording)
        await again.hang_up()
        bad = Dialled(url, data={"record": "perhaps"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            await bad.offer()
        assert json.load(refused.value) == {"error": "requestData.record must be true or false."}
        await bad.peer.close()
        assert video.metrics.registry.get_sample_value("vision_agent_recordings") == 0
    calls = recorded(tmp_path)
    assert {call.lines[-1].reason for call in calls} == {"you have ended it", "the caller hung up"}
    for call in calls:
        assert not of(call, ToolCallLine)
        assert "keys" not in (call.folder / "call.jsonl").read_text()
    assert any('"resumed"' in (call.folder / "call.jsonl").read_text() for call in calls)


async def test_a_program_around_the_server_begins_and_ends_a_recording(tmp_path):
    async with answering(tmp_path, record_calls="asked") as (video, url, events):
        caller = Dialled(url)
        await caller.connect()
        assert not caller.of("recording")
        video.registry.find(caller.pc_id).recording.start()
        await caller.wait_for(recording)
        await asyncio.sleep(1)
        video.registry.find(caller.pc_id).recording.stop("that was all")
        await caller.wait_for(lambda m: recording(m) and not m["data"]["on"])
        await caller.hang_up()
        await until(lambda: any(isinstance(each, CallEnded) for each in events))
    (call,) = recorded(tmp_path)
    assert tracks(call.media)["camera"][0] < 1.0
    assert of(call, EndedLine)[0].reason == "that was all"
    assert [e.reason for e in events if isinstance(e, RecordingEnded)] == ["that was all"]


async def test_a_full_disk_ends_the_recording_and_the_call_goes_on(tmp_path, caplog):
    async with answering(tmp_path, record_max_mb=0.012) as (video, url, events):
        caller = Dialled(url)
        await caller.connect()
        over = await caller.wait_for(lambda m: recording(m) and not m["data"]["on"])
        assert over["data"]["reason"] == "a recording has 0 MB at most"
        caller.send("send-text", {"content": "Please keep it."})
        await caller.wait_for(lambda m: said(m) == "I kept your keys.")
        await caller.hang_up()
        await until(lambda: isinstance(events[-1], CallEnded))
        metrics = video.metrics.registry
        ended = {"kind": "limit"}
        name = "vision_agent_recording_failures_total"
        assert metrics.get_sample_value(name, ended) == 1
        assert metrics.get_sample_value("vision_agent_recording_bytes_total") > 12_000
    assert "has ended, and the call goes on: a recording has 0 MB at most." in caplog.text
    (call,) = recorded(tmp_path)
    (told,) = [e for e in events if isinstance(e, RecordingEnded)]
    assert (told.folder, told.reason) == (call.folder, "a recording has 0 MB at most")
    assert tracks(call.media)["agent"]


async def test_what_ends_at_once_or_can_not_be_written_to_its_end_is_told_once(tmp_path):
    async with answering(tmp_path, record_calls="asked") as (video, url, events):
        callers = [Dialled(url), Dialled(url)]
        for caller in callers:
            await caller.connect()
        at_once, gone = (video.registry.find(each.pc_id).recording for each in callers)
        at_once.start()
        at_once.stop("it was a mistake")
        gone.start()
        await callers[1].wait_for(recording)
        (folder,) = {each.folder for each in events if isinstance(each, RecordingStarted)}
        shutil.rmtree(folder)
        gone.lines.recording.frame("picture", b"jpeg", 1, 1)
        gone.stop("that was all")
        for caller in callers:
            await caller.hang_up()
        await until(lambda: len([e for e in events if isinstance(e, CallEnded)]) == 2)
        metrics = video.metrics.registry
        assert metrics.get_sample_value("vision_agent_recordings") == 0
        name = "vision_agent_recording_failures_total"
        assert metrics.get_sample_value(name, {"kind": "disk"}) == 1
    assert [message["on"] for message in callers[0].of("recording")] == [False]
    assert [message["on"] for message in callers[1].of("recording")] == [True, False]
    reasons = [each.reason for each in events if isinstance(each, RecordingEnded)]
    assert reasons == ["it was a mistake", "that was all"]


async def test_a_whip_client_agrees_in_its_url(tmp_path):
    options = {"record_consent": True, "record_calls": "asked"}
    async with (
        answering(tmp_path, **options) as (video, url, _),
        httpx.AsyncClient(base_url=url) as http,
    ):
        for query in ("record=true&record_consent=true", "record=true", "record_consent=true"):
            peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
            peer.addTransceiver(AudioStreamTrack())
            await peer.setLocalDescription(await peer.createOffer())
            begun = await http.post(
                f"/whip?{query}",
                content=peer.localDescription.sdp,
                headers={"content-type": "application/sdp"},
            )
            assert begun.status_code == 201, begun.text
            await peer.setRemoteDescription(RTCSessionDescription(begun.text, "answer"))
            await until(lambda peer=peer: peer.connectionState == "connected")
            (call,) = map(video.registry.find, video.registry.ids)
            await until(lambda call=call: call.connected)
            if query.startswith("record=true&"):
                await until(lambda: any((tmp_path / "calls").glob("*/call.mkv")))
                await asyncio.sleep(1.2)
            assert (await http.delete(begun.headers["location"])).status_code == 200
            await peer.close()
    (call,) = recorded(tmp_path)
    assert tracks(call.media)["caller"]
    assert of(call, EndedLine)
