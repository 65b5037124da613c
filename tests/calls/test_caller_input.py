"""The caller's sound and frames, from a real peer through to the answer."""

import asyncio
import json
import random

import av
import numpy as np
import pytest
import pytest_asyncio

from tests.conftest import serving
from tests.local.recordings import SPEECH
from tests.rtc.calling import FrameSource, plain
from tests.support.dialling import TEXT, Dialled
from tests.support.messages import said, state
from tests.support.scenarios import ASKS_FOR_A_COLOUR
from tests.support.waiting import until
from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.rtc.own.aiortc.mediastreams import MediaStreamError

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("every_packet")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url():
    async with serving("--scenario", str(ASKS_FOR_A_COLOUR)) as server:
        yield server.url


def kind(message: dict) -> str | None:
    return (message.get("data") or {}).get("kind")


def error(message: dict) -> str | None:
    return message["data"]["message"] if message["type"] == "error" else None


async def answer_to(caller: Dialled, text: str) -> str:
    before = len(caller.messages)
    caller.send("send-text", {"content": text})
    return said(await caller.wait_for(lambda m: bool(said(m)) and m in caller.messages[before:]))


async def test_a_camera_whose_frames_are_too_large_is_said_once_and_the_call_goes_on(url):
    def huge(n: int) -> np.ndarray:
        return plain(10, 20, 30, 4112, 32)

    caller = Dialled(url, FrameSource(huge, fps=4), TEXT)
    await caller.connect()
    try:
        told = await caller.wait_for(lambda m: bool(error(m)))
        assert error(told) == (
            "Your camera's pictures are too large (4112x32 pixels): at most 4096x2304 are looked "
            "at. Choose a lower resolution."
        )
        assert await answer_to(caller, "hello")
        assert sum(bool(error(m)) for m in caller.messages) == 1
    finally:
        await caller.peer.close()


QUESTION = read_sound(SPEECH / "what-colour-is-this.wav")


def voiced(sound: np.ndarray) -> np.ndarray:
    """A recording from its first loud sample to its last."""
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 500)
    return sound[loud[0] : loud[-1]]


class PushToTalk(MicrophoneTrack):
    """A microphone that sends packets only during speech.

    Args:
        ends: Whether the track ends with the speech.
        pause_frames: In silence, every so many frames one packet is sent, as with DTX; 0: none.
    """

    def __init__(self, *, ends: bool = False, pause_frames: int = 0) -> None:
        super().__init__()
        self.ends, self.pause_frames = ends, pause_frames
        self.said = asyncio.Event()

    async def recv(self) -> av.AudioFrame:
        while True:
            talking = self._position < len(self._sound)
            if not talking and len(self._sound):
                self.said.set()
                if self.ends:
                    self.stop()
                    raise MediaStreamError
            frame = await super().recv()
            if talking or (self.pause_frames and self._frames % self.pause_frames == 0):
                return frame


async def talking(url: str, microphone: MicrophoneTrack, data: dict | None = TEXT) -> Dialled:
    caller = Dialled(url, FrameSource(lambda n: plain(220, 30, 30), fps=5), data, microphone)
    await caller.connect()
    await caller.wait_for(lambda m: state(m) == "listening")
    return caller


def turns(caller: Dialled) -> tuple[int, int]:
    kinds = [m["type"] for m in caller.messages]
    return kinds.count("user-started-speaking"), kinds.count("user-stopped-speaking")


@pytest.mark.parametrize("how", ["packets pause", "the track ends", "no track", "BYE"])
async def test_a_question_is_answered_when_no_packet_comes_after_it(url, how):
    microphone = PushToTalk(ends=how == "the track ends")
    caller = await talking(url, microphone)
    try:
        microphone.speak(voiced(QUESTION))
        await microphone.said.wait()
        sender = caller.peer.getSenders()[0]
        if how == "no track":
            sender.replaceTrack(None)
        elif how == "BYE":
            await sender.stop()
        assert said(await caller.wait_for(lambda m: bool(said(m)), 20))
        assert turns(caller) == (1, 1)
    finally:
        await caller.peer.close()


async def test_what_is_said_before_the_microphone_was_stopped_in_mid_word_is_over(url):
    microphone = PushToTalk()
    caller = await talking(url, microphone)
    try:
        microphone.speak(voiced(QUESTION)[: SOUND_RATE_HZ // 2])
        await microphone.said.wait()
        await caller.wait_for(lambda m: m["type"] == "user-stopped-speaking")
        await caller.wait_for(lambda m: state(m) == "thinking")
    finally:
        await caller.peer.close()


async def test_a_caller_who_pushes_to_talk_again_is_answered_again(url):
    microphone = PushToTalk()
    caller = await talking(url, microphone, data=None)
    try:
        for answers in (1, 2):
            microphone.said.clear()
            microphone.speak(voiced(QUESTION))
            await microphone.said.wait()
            await until(lambda n=answers: sum(bool(said(m)) for m in caller.messages) >= n)
            await caller.wait_for(lambda m: m["type"] == "bot-stopped-speaking")
        assert turns(caller) == (2, 2)
    finally:
        await caller.peer.close()


async def test_a_pause_in_a_question_is_no_end_though_dtx_sends_next_to_nothing(url):
    microphone = PushToTalk(pause_frames=20)
    caller = await talking(url, microphone)
    try:
        sound = voiced(QUESTION)
        microphone.speak(sound)
        await microphone.said.wait()
        assert said(await caller.wait_for(lambda m: bool(said(m)), 20))
        assert turns(caller) == (1, 1)
    finally:
        await caller.peer.close()


@pytest.mark.parametrize("line", ["loses and jitters", "reorders"])
async def test_a_bad_line_does_not_cut_a_question_in_two(url, line):
    microphone = MicrophoneTrack()
    caller = await talking(url, microphone)
    try:
        rng, transport = random.Random(5), caller.peer.getSenders()[0].transport
        send = transport._send_rtp

        async def later(data: bytes) -> None:
            late_s = rng.choice([0, 0.1]) if line == "reorders" else rng.uniform(0, 0.06)
            await asyncio.sleep(late_s)
            await send(data)

        late: set[asyncio.Task[None]] = set()

        async def badly(data: bytes) -> None:
            if line == "reorders" or rng.random() > 0.15:
                task = asyncio.ensure_future(later(data))
                late.add(task)
                task.add_done_callback(lambda done: (late.discard(done), done.exception()))

        transport._send_rtp = badly
        microphone.speak(QUESTION)
        await caller.wait_for(lambda m: m["type"] == "user-stopped-speaking")
        await caller.wait_for(lambda m: bool(said(m)), 20)
        assert turns(caller) == (1, 1)
    finally:
        await caller.peer.close()


class SwitchedCamera(FrameSource):
    """A camera that can be paused, and whose track can be ended."""

    def __init__(self) -> None:
        super().__init__(lambda n: plain(220, 30, 30), fps=5)
        self.on = asyncio.Event()
        self.on.set()

    async def recv(self) -> av.VideoFrame:
        await self.on.wait()
        return await super().recv()


def switched(caller: Dialled, index: int, on: bool) -> None:
    status = {"type": "trackStatus", "receiver_index": index, "enabled": on}
    caller.channel.send(json.dumps({"type": "signalling", "message": status}))


async def seen(url: str) -> tuple[Dialled, SwitchedCamera]:
    camera = SwitchedCamera()
    caller = Dialled(url, camera, TEXT)
    await caller.connect()
    await caller.wait_for(lambda m: kind(m) == "frame")
    return caller, camera


OFF = "Your camera is off; the last picture is "


async def test_a_camera_that_is_switched_off_is_off_at_once_and_on_again_at_once(url):
    caller, _ = await seen(url)
    try:
        assert OFF not in await answer_to(caller, "what colour is this?")
        switched(caller, 1, False)
        # Frames that still arrive no longer count.
        assert (await answer_to(caller, "what colour is this?")).startswith(OFF)
        switched(caller, 2, True)  # a screen is no camera
        assert (await answer_to(caller, "what colour is this?")).startswith(OFF)
        switched(caller, 1, True)
        assert OFF not in await answer_to(caller, "what colour is this?")
    finally:
        await caller.peer.close()


@pytest.mark.parametrize("how", ["pictures stop", "the track ends", "no track", "BYE"])
async def test_a_camera_that_sends_nothing_more_is_off_without_a_word_of_its_client(url, how):
    caller, camera = await seen(url)
    try:
        sender = caller.peer.getSenders()[1]
        match how:
            case "pictures stop":
                camera.on.clear()
            case "the track ends":
                camera.stop()
            case "no track":
                sender.replaceTrack(None)
            case "BYE":
                await sender.stop()
        async with asyncio.timeout(20):
            # tests/calls/test_video_presence.py asserts how soon it is noticed.
            while not (await answer_to(caller, "what colour is this?")).startswith(OFF):
                await asyncio.sleep(0.5)
        if how == "pictures stop":
            camera.on.set()
            before = len(caller.messages)
            await caller.wait_for(lambda m: kind(m) == "frame" and m in caller.messages[before:])
            assert OFF not in await answer_to(caller, "what colour is this?")
    finally:
        await caller.peer.close()
