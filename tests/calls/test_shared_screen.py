"""A caller who shares a screen beside the camera, over real peer connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import cv2
import numpy as np
from google.genai import types

from tests.rtc.calling import Call, FrameSource, Listener, plain
from tests.support.waiting import until
from vision_agent.calls.call_trace import CallTrace
from vision_agent.calls.caller_input import CallerInput
from vision_agent.calls.caller_view import CallerView
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.options import FrameOptions, VideoOptions
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.notice_frames import off_jpeg, title_jpeg
from vision_agent.live.shown import MARKS
from vision_agent.rtc import Channel, Offer
from vision_agent.rtc.own.aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)

CAMERA = FrameOptions(rate_hz=1.0, max_px=768, max_bytes=40_000, change=6.0, max_gap_s=10.0)
SCREEN = FrameOptions(rate_hz=2.0, max_px=1536, max_bytes=300_000, change=8.0, max_gap_s=30.0)


class Client:
    """A `ChannelListener` that ignores everything."""

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: None


class Screen(FrameSource):
    """A white screen with a black bar at `bar_at`, which a test moves."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(self.painted, fps=4)
        self.size = width, height
        self.bar_at = 0

    def painted(self, n: int) -> np.ndarray:
        pixels = plain(240, 240, 240, *self.size)
        pixels[10:20, self.bar_at : self.bar_at + 40] = 0
        return pixels


class Sharing(Listener):
    """A caller's videos on their way to the live queue."""

    def __init__(self) -> None:
        super().__init__()
        self.live_queue = LiveQueue()
        self.shown: list[dict] = []
        view = CallerView(Channel(Client(), {}), lambda _: None)
        view.show = lambda message: self.shown.append(message.data())
        view.channel.error = lambda text, fatal: self.shown.append({"error": text})
        options = VideoOptions(CAMERA, SCREEN)
        trace = CallTrace(metrics := Metrics(), 0.0, {})
        self.media = CallerInput(self.live_queue, view, options, metrics, trace, lambda *_: None)
        self.tasks: list[asyncio.Task[None]] = []

    def on_camera(self, track: MediaStreamTrack) -> None:
        self.tasks.append(asyncio.ensure_future(self.media.camera.watch(track)))

    def on_screen(self, track: MediaStreamTrack) -> None:
        self.tasks.append(asyncio.ensure_future(self.media.screen.watch(track)))

    async def streamed(self, wanted: bytes) -> list[bytes]:
        """The frames that are streamed, up to one whose first bytes contain `wanted`."""
        frames: list[bytes] = []
        async with asyncio.timeout(20):
            while not frames or wanted not in frames[-1][:80]:
                blob = (await self.live_queue.get()).blob
                frames += [blob.data] if isinstance(blob, types.Blob) else []
        return frames

    async def screen_of(self, width: int, height: int) -> None:
        def seen() -> bool:
            sizes = [(m["width"], m["height"]) for m in self.shown if m.get("source") == "screen"]
            return (width, height) in sizes

        await until(seen, what=f"a screen of {width}x{height}")


@asynccontextmanager
async def sharing(screen: MediaStreamTrack | None) -> AsyncIterator[tuple[Call, Sharing]]:
    call = Call()
    # Without this policy, the caller's aiortc leaves its second video on a stopped transport.
    call.caller = RTCPeerConnection(RTCConfiguration([], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    call.listener = listener = Sharing()
    call.caller.addTransceiver(FrameSource(fps=4), direction="sendonly")
    if screen is not None:
        call.caller.addTransceiver(screen, direction="sendonly")
    await call.connect()
    try:
        yield call, listener
    finally:
        listener.media.close()
        await call.close()
        await asyncio.gather(*listener.tasks)


async def test_the_model_is_told_which_frame_is_the_screen_and_when_it_is_off():
    async with sharing(Screen(1921, 1081)) as (_, listener):
        streamed = await listener.streamed(MARKS["screen"])
        assert streamed[-2] == title_jpeg("screen")
        pixels = cv2.imdecode(np.frombuffer(streamed[-1], np.uint8), cv2.IMREAD_COLOR)
        assert pixels.shape == (864, 1536, 3)
        assert (await listener.streamed(b"[notice] The next"))[-1] == title_jpeg("camera")
        listener.media.typed("What is this?")
        while (content := (await listener.live_queue.get()).content) is None:
            pass
        words = [part.text or "picture" for part in content.parts]
        assert words == [
            *("(The next picture is my shared screen:)", "picture"),
            *("(The next picture is what my camera shows:)", "picture"),
            "What is this?",
        ]
        listener.media.screen.switch(False)
        assert off_jpeg("screen") in await listener.streamed(b"[notice] The screen")
        assert listener.media.screen.shown_at_s is None


async def test_a_screen_changes_its_size_and_its_track_and_ends():
    screen = Screen(700, 1211)
    async with sharing(screen) as (call, listener):
        await listener.screen_of(700, 1211)
        screen.size = 401, 301
        await listener.screen_of(401, 301)
        call.caller.getSenders()[1].replaceTrack(other := Screen(2161, 97))
        await listener.screen_of(1536, 69)
        other.stop()
        await until(lambda: not listener.media.screen.on, 20, "the screen to be off")
        assert listener.media.camera.on


async def test_a_screen_that_shows_nothing_new_is_sent_once_and_again_when_a_word_changes():
    screen = Screen(1280, 720)
    async with sharing(screen) as (_, listener):
        await until(lambda: listener.media.screen.changes.skipped >= 4, what="skipped frames")
        sent = listener.media.screen.input.sent
        assert sent <= 2  # the first may still be blurred
        screen.bar_at = 600
        await until(lambda: listener.media.screen.input.sent > sent, what="the changed screen")


async def test_a_screen_is_added_to_a_call_that_began_without_one():
    async with sharing(None) as (call, listener):
        call.caller.addTransceiver(Screen(640, 400), direction="sendonly")
        answer = await call.peer.renegotiate(Offer.parse(await call.offer()))
        await call.caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await listener.screen_of(640, 400)
        await until(lambda: listener.media.camera.sent is not None)


async def test_a_screen_too_large_to_decode_is_refused_in_words():
    async with sharing(Screen(4112, 32)) as (_, listener):
        await until(lambda: any("error" in m for m in listener.shown), what="a refusal")
        (told,) = [m["error"] for m in listener.shown if "error" in m]
        assert told.startswith("Your screen's pictures are too large (4112x32 pixels)")
        await until(lambda: listener.media.camera.sent is not None)
