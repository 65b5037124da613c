import asyncio

import pytest
from google.adk.agents.live_request_queue import LiveRequest
from google.genai import types

from vision_agent.live.live_queue import LiveQueue, WrongFormat
from vision_agent.live.notice_frames import off_jpeg, title_jpeg
from vision_agent.live.shown import MARKS, Shown, marked

CHUNK = bytes(640)
JPEG = b"\xff\xd8\xff"


async def taken(live_queue: LiveQueue) -> list[LiveRequest]:
    """Everything that waits, in order."""
    live_queue.close()
    requests = []
    while not (request := await asyncio.wait_for(live_queue.get(), 1)).close:
        requests.append(request)
    return requests


def chunk(number: int) -> bytes:
    return number.to_bytes(2, "little") * 320


def number(request: LiveRequest) -> int:
    assert request.blob is not None
    assert request.blob.data is not None
    return int.from_bytes(request.blob.data[:2], "little")


async def test_audio_comes_out_in_the_order_it_went_in():
    live_queue = LiveQueue()
    for i in range(50):
        live_queue.audio(chunk(i))
    assert [number(r) for r in await taken(live_queue)] == list(range(50))
    assert live_queue.counters.audio_ms == 1000
    assert live_queue.counters.audio_dropped_ms == 0


async def test_audio_is_labelled_as_the_live_api_wants_it():
    live_queue = LiveQueue()
    live_queue.audio(CHUNK)
    (request,) = await taken(live_queue)
    assert request.blob is not None
    assert request.blob.mime_type == "audio/pcm;rate=16000"


async def test_a_slow_model_costs_the_oldest_audio_and_every_drop_is_counted():
    live_queue = LiveQueue(audio_limit_ms=200)
    for i in range(30):
        live_queue.audio(chunk(i))
    assert [number(r) for r in await taken(live_queue)] == list(range(20, 30))
    assert live_queue.counters.audio_dropped_ms == 400


async def test_one_frame_waits_at_most_and_it_is_the_newest():
    live_queue = LiveQueue()
    live_queue.audio(chunk(1))
    live_queue.frame(JPEG + b"old")
    live_queue.audio(chunk(2))
    live_queue.frame(JPEG + b"new")
    requests = await taken(live_queue)
    assert [r.blob.data[3:] for r in requests if r.blob and r.blob.mime_type == "image/jpeg"] == [
        b"new"
    ]
    assert requests[-1].blob is not None
    assert requests[-1].blob.data == JPEG + b"new"
    assert live_queue.counters.frames == 2
    assert live_queue.counters.frames_replaced == 1


async def test_text_and_tool_results_are_never_dropped():
    live_queue = LiveQueue(audio_limit_ms=40)
    live_queue.text("first")
    for i in range(20):
        live_queue.audio(chunk(i))
        live_queue.frame(JPEG)
    result = types.Part(function_response=types.FunctionResponse(name="f", response={"a": 1}))
    live_queue.send_content(types.Content(role="user", parts=[result]))
    for i in range(20):
        live_queue.audio(chunk(i))
    contents = [r.content for r in await taken(live_queue) if r.content]
    assert [p.text or p.function_response.name for c in contents for p in c.parts] == ["first", "f"]
    assert (live_queue.counters.texts, live_queue.counters.tool_results) == (1, 1)


async def test_the_images_of_a_tool_are_counted_and_stay_with_its_result():
    live_queue = LiveQueue()
    image = types.FunctionResponsePart.from_bytes(data=JPEG, mime_type="image/jpeg")
    response = types.FunctionResponse(name="look", response={}, parts=[image])
    content = types.Content(role="user", parts=[types.Part(function_response=response)])
    live_queue.send_content(content)
    for _ in range(3):
        live_queue.frame(JPEG)
    assert [r.content for r in await taken(live_queue)] == [content, None]
    assert live_queue.counters.close_looks == 1


async def test_typed_text_is_one_content_with_the_frame_before_the_words():
    live_queue = LiveQueue()
    live_queue.text("What is this?", [Shown(JPEG + b"seen")])
    live_queue.frame(JPEG + b"streamed")
    content = (await taken(live_queue))[0].content
    assert [(p.inline_data and p.inline_data.data, p.text) for p in content.parts] == [
        (JPEG + b"seen", None),
        (None, "What is this?"),
    ]
    assert content.parts[0].inline_data.mime_type == "image/jpeg"


async def test_a_new_connection_gets_the_newest_frame_once_whether_it_was_sent_or_not():
    live_queue = LiveQueue()
    assert live_queue.take_frames() == []
    live_queue.frame(JPEG + b"sent")
    await live_queue.get()
    assert [blob.data for blob in live_queue.take_frames()] == [JPEG + b"sent"]
    live_queue.frame(JPEG + b"waits")
    assert [blob.data for blob in live_queue.take_frames()] == [JPEG + b"waits"]
    assert live_queue.visible == [Shown(JPEG + b"waits")]
    live_queue.source_off("camera")
    assert [blob.data for blob in live_queue.take_frames()] == [off_jpeg("camera")]
    assert live_queue.visible == []
    assert await taken(live_queue) == []
    assert live_queue.counters.frames_replaced == 0


SCREEN, CAMERA = title_jpeg("screen"), title_jpeg("camera")
SHARED = marked(JPEG + b"1", "screen")


async def test_a_frame_of_another_source_than_the_last_one_comes_after_one_that_says_so():
    live_queue = LiveQueue()
    streamed = []
    for source in ("camera", "screen", "screen", "camera", "camera"):
        live_queue.frame(JPEG + b"1", source)
        while live_queue._waiting:
            streamed.append((await live_queue.get()).blob.data)
    live_queue.source_off("screen")
    live_queue.frame(JPEG + b"2")
    streamed += [request.blob.data for request in await taken(live_queue)]
    one = JPEG + b"1"
    assert streamed == [
        *(one, SCREEN, SHARED, SHARED, CAMERA, one, one),
        *(off_jpeg("screen"), CAMERA, JPEG + b"2"),
    ]


async def test_one_frame_of_each_source_waits():
    live_queue = LiveQueue()
    for n in b"12":
        live_queue.frame(JPEG + bytes([n]), "screen")
        live_queue.frame(JPEG + bytes([n]))
    data = [request.blob.data for request in await taken(live_queue)]
    assert data == [SCREEN, marked(JPEG + b"2", "screen"), CAMERA, JPEG + b"2"]
    assert live_queue.counters.frames_replaced == 2


async def test_a_new_connection_is_told_again_which_frame_is_the_screen():
    live_queue = LiveQueue()
    live_queue.frame(JPEG + b"1", "screen")
    live_queue.frame(JPEG + b"2")
    told = [SCREEN, SHARED, CAMERA, JPEG + b"2"]
    assert [blob.data for blob in live_queue.take_frames()] == told
    assert live_queue.visible == [Shown(SHARED, "screen"), Shown(JPEG + b"2")]


async def test_a_content_says_in_words_which_picture_is_which():
    live_queue = LiveQueue()
    shown = [Shown(JPEG + b"1", "screen"), Shown(JPEG, "picture", "cat.png"), Shown(JPEG)]
    live_queue.text("Which?", shown)
    parts = (await taken(live_queue))[0].content.parts
    assert [part.text or part.inline_data.data for part in parts] == [
        "(The next picture is my shared screen:)",
        SHARED,
        "(The next picture is one that I have sent for this question, called cat.png:)",
        marked(JPEG, "picture"),
        "(The next picture is what my camera shows:)",
        JPEG,
        "Which?",
    ]
    assert MARKS["picture"] in parts[3].inline_data.data


async def test_nothing_is_accepted_after_close():
    live_queue = LiveQueue()
    live_queue.close()
    live_queue.text("too late")
    assert live_queue.closed
    assert (await live_queue.get()).close
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(live_queue.get(), 0.05)


async def test_a_cancelled_reader_loses_nothing():
    live_queue = LiveQueue()
    reader = asyncio.create_task(live_queue.get())
    await asyncio.sleep(0)
    live_queue.text("kept")
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    request = await asyncio.wait_for(live_queue.get(), 1)
    assert request.content is not None


async def test_what_is_held_waits_in_order_and_goes_out_when_it_is_released():
    live_queue = LiveQueue(audio_limit_ms=100, held_audio_limit_ms=200)
    live_queue.hold()
    reader = asyncio.create_task(live_queue.get())
    for number in range(15):
        live_queue.audio(bytes([number, 0]) * 320)
    live_queue.frame(JPEG + b"old")
    live_queue.text("words")
    live_queue.frame(JPEG + b"new")
    await asyncio.sleep(0.01)
    assert not reader.done()
    assert live_queue.counters.audio_dropped_ms == 100
    live_queue.release()
    requests = [await reader, *[await live_queue.get() for _ in range(11)]]
    sounds = [r.blob.data[0] for r in requests if r.blob and r.blob.mime_type.startswith("audio")]
    assert sounds == list(range(5, 15))
    assert [r.content.parts[0].text for r in requests if r.content] == ["words"]
    assert [r.blob.data for r in requests if r.blob and r.blob.mime_type == "image/jpeg"] == [
        JPEG + b"new"
    ]


async def test_what_was_held_is_not_dropped_after_it_was_released():
    live_queue = LiveQueue(audio_limit_ms=100, held_audio_limit_ms=1000)
    live_queue.hold()
    for _ in range(20):
        live_queue.audio(bytes(640))
    live_queue.release()
    live_queue.audio(bytes(640))
    assert live_queue.counters.audio_dropped_ms == 0
    for _ in range(21):
        await live_queue.get()
    for _ in range(6):
        live_queue.audio(bytes(640))
    assert live_queue.counters.audio_dropped_ms == 20


async def test_a_call_that_ends_is_not_held():
    live_queue = LiveQueue()
    live_queue.hold()
    live_queue.text("goodbye")
    live_queue.close()
    assert (await live_queue.get()).content is not None
    assert (await live_queue.get()).close


@pytest.mark.parametrize(
    ("hand_in", "words"),
    [
        (lambda live_queue: live_queue.audio(b"abc"), "even"),
        (lambda live_queue: live_queue.audio(b""), "bytes"),
        (lambda live_queue: live_queue.audio(bytes(32_002)), "a second"),
        (
            lambda live_queue: live_queue.audio(b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(624)),
            "WAV file",
        ),
        (lambda live_queue: live_queue.frame(b"\x89PNG"), "JPEG"),
        (lambda live_queue: live_queue.frame(b""), "JPEG"),
        (lambda live_queue: live_queue.frame(JPEG + bytes(2_000_000)), "at most"),
        (lambda live_queue: live_queue.text("What is this?", [Shown(b"GIF8")]), "JPEG"),
        (lambda live_queue: live_queue.text(" \n"), "empty"),
        (lambda live_queue: live_queue.text("a" * 20_001), "at most"),
    ],
)
async def test_wrong_formats_are_refused_at_the_door_with_the_reason(hand_in, words):
    live_queue = LiveQueue()
    with pytest.raises(WrongFormat, match=words):
        hand_in(live_queue)
    assert await taken(live_queue) == []
