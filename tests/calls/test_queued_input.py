"""The caller's sound, frames and text in the model's queue."""

import asyncio
from contextlib import asynccontextmanager

from tests.rtc.calling import FrameSource
from tests.support.waiting import until
from vision_agent import call_scope
from vision_agent.calls.call_trace import CallTrace
from vision_agent.calls.caller_input import MAX_PICTURES, CallerInput
from vision_agent.calls.caller_view import CallerView
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.options import FrameOptions, VideoOptions
from vision_agent.calls.tool_context import CallToolContext
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.notice_frames import off_jpeg
from vision_agent.live.shown import Shown
from vision_agent.rtc import Channel
from vision_agent.tools.look import look_closely
from vision_agent.tools.point import point_at
from vision_agent.tools.watch import watch_for

CAMERA = FrameOptions(rate_hz=1.0, max_px=768, max_bytes=40_000, change=6.0, max_gap_s=10.0)
SCREEN = FrameOptions(rate_hz=2.0, max_px=1536, max_bytes=300_000, change=8.0, max_gap_s=30.0)
FRAMES = VideoOptions(CAMERA, SCREEN)


class Client:
    """A `ChannelListener` that does nothing."""

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: None


async def test_a_camera_that_is_off_is_off_for_every_tool_and_the_model_is_shown_so():
    live_queue, view = LiveQueue(), CallerView(Channel(Client(), {}), lambda _: None)
    trace = CallTrace(metrics := Metrics(), 0.0, {})
    media = CallerInput(live_queue, view, FRAMES, metrics, trace, lambda *_: None)
    call = CallToolContext(view, media)
    call_scope.enter("", call)
    watching = asyncio.ensure_future(media.camera.watch(FrameSource(fps=10)))

    async def says_off() -> bool:
        answers = [
            await look_closely("the label"),
            await point_at("cup", [0, 0, 500, 500]),
            await watch_for("a cat"),
        ]
        assert len({"error" in answer for answer in answers}) == 1
        return all("camera is off" in answer.get("error", "") for answer in answers)

    async def newest_frame() -> bytes:
        while True:
            blob = (await live_queue.get()).blob
            if blob is not None:
                return blob.data

    try:
        for _ in range(2):
            await until(lambda: call.shown_at_s() is not None)
            assert not await says_off()
            media.camera.switch(False)
            assert await says_off()
            async with asyncio.timeout(10):
                while await newest_frame() != off_jpeg("camera"):
                    pass
            # Frames that arrive after it are not shown.
            frames = live_queue.counters.frames
            await until(lambda: media.camera.input.sent >= 1)
            assert live_queue.counters.frames == frames
            media.camera.switch(True)
    finally:
        watching.cancel()
        await call.close()
        media.close()


@asynccontextmanager
async def watched():
    """A caller without a peer whose camera is watched: the caller's input, and the queue."""
    live_queue, view = LiveQueue(), CallerView(Channel(Client(), {}), lambda _: None)
    trace = CallTrace(metrics := Metrics(), 0.0, {})
    media = CallerInput(live_queue, view, FRAMES, metrics, trace, lambda *_: None)
    call = CallToolContext(view, media)
    view.set_state("listening")
    source = FrameSource(fps=10)
    watching = asyncio.ensure_future(media.camera.watch(source))
    try:
        yield source, media, call, live_queue
    finally:
        watching.cancel()
        await call.close()
        media.close()


async def next_turn(live_queue: LiveQueue) -> tuple[list[bytes], list[object]]:
    """The frames that are streamed up to the next content, and that content."""
    streamed: list[bytes] = []
    async with asyncio.timeout(10):
        while (request := await live_queue.get()).content is None:
            if request.blob is not None:
                streamed.append(request.blob.data)
    parts = request.content.parts
    return streamed, [part.text or part.inline_data.data for part in parts]


async def test_typed_words_carry_the_newest_frame_and_once_that_the_camera_is_off():
    async with watched() as (source, media, _, live_queue):
        await until(lambda: media.camera.on)
        media.typed("What is this?")
        streamed, turn = await next_turn(live_queue)
        assert turn == [streamed[-1], "What is this?"], "the first frame is waited for"
        media.typed("And now?")
        # The streamed frame is still fresh.
        assert (await next_turn(live_queue))[1] == [streamed[-1], "And now?"]
        media.camera.switch(False)
        media.typed("Do you see me?")
        assert (await next_turn(live_queue))[1] == [off_jpeg("camera"), "Do you see me?"]
        media.typed("Really not?")
        assert (await next_turn(live_queue))[1] == ["Really not?"]
        media.camera.switch(True)
        media.typed("Again?")
        streamed, turn = await next_turn(live_queue)
        assert turn == [streamed[-1], "Again?"]
        source.stop()
        await until(lambda: not media.camera.on)
        media.typed("Still there?")
        assert (await next_turn(live_queue))[1] == [off_jpeg("camera"), "Still there?"]


async def test_what_a_tool_says_on_its_own_carries_the_newest_frame():
    async with watched() as (_, _, call, live_queue):
        await until(lambda: call.shown_at_s() is not None)
        call.tell_agent("Something has moved.")
        streamed, (frame, words) = await next_turn(live_queue)
        assert frame == streamed[-1]
        assert words.startswith("[notice] Something has moved.")


async def test_the_microphones_switch_makes_the_turns_where_the_model_does_not_detect_them():
    live_queue, view = LiveQueue(), CallerView(Channel(Client(), {}), lambda _: None)
    trace = CallTrace(metrics := Metrics(), 0.0, {})
    media = CallerInput(
        live_queue,
        view,
        FRAMES,
        metrics,
        trace,
        lambda *_: None,
        signals_turns=True,
    )
    hear, loses = media._on_audio, media._on_sound_over
    media.mute(True)
    hear(bytes(640))
    media.mute(False)
    for _ in range(2):
        hear(bytes(640))
    media.mute(True)
    media.mute(True)
    media.mute(False)
    hear(bytes(640))
    loses()  # no packets come any more
    loses()
    live_queue.close()
    order = []
    while not (request := await live_queue.get()).close:
        order += [name for name in ("activity_start", "activity_end") if getattr(request, name)]
        order += ["sound"] if request.blob else []
        assert not request.audio_stream_end
    one = ["activity_start", "sound"]
    assert order == [*one, "sound", "activity_end", *one, "activity_end"]


async def test_pictures_that_are_sent_belong_to_the_next_question_alone():
    picture = b"\xff\xd8\xffpicture"
    async with watched() as (_, media, call, live_queue):
        await until(lambda: call.shown_at_s() is not None)
        media.show_picture(Shown(picture, "picture", "dog.jpg"))
        call.tell_agent("Something has moved.")
        assert (await next_turn(live_queue))[1][-1].startswith("[notice]")
        media.typed("What is this?")
        label, sent, *_, question = (await next_turn(live_queue))[1]
        assert "called dog.jpg" in label
        assert picture[3:] in sent
        assert question == "What is this?"
        media.typed("And this?")
        assert len((await next_turn(live_queue))[1]) == 2
        sent = [Shown(picture + b"%d" % n, "picture", f"{n}.jpg") for n in range(MAX_PICTURES + 1)]
        left_out = [media.show_picture(each) for each in sent]
        assert left_out == [*[None] * MAX_PICTURES, sent[0]]
        for _ in "begins", "ends":  # queued pictures are not sent twice
            media._speech_ended(0.0)
        streamed = [request.blob.data for request in live_queue._waiting if request.blob]
        assert [data[-8:] for data in streamed if b"[frame]" in data] == [
            each.jpeg[-8:] for each in sent[1:]
        ]
        media.question_transcribed()
        media.typed("And that?")
        assert len((await next_turn(live_queue))[1]) == 2
