import asyncio

import pytest
from google.adk.agents.live_request_queue import LiveRequest
from google.genai import types

from vision_agent.live.live_queue import Intake, WrongFormat

CHUNK = bytes(640)
JPEG = b"\xff\xd8\xff"


async def taken(intake: Intake) -> list[LiveRequest]:
    """Everything that waits, in order."""
    intake.close()
    requests = []
    while not (request := await asyncio.wait_for(intake.get(), 1)).close:
        requests.append(request)
    return requests


def chunk(number: int) -> bytes:
    return number.to_bytes(2, "little") * 320


def number(request: LiveRequest) -> int:
    assert request.blob is not None
    assert request.blob.data is not None
    return int.from_bytes(request.blob.data[:2], "little")


async def test_audio_comes_out_in_the_order_it_went_in():
    intake = Intake()
    for i in range(50):
        intake.audio(chunk(i))
    assert [number(r) for r in await taken(intake)] == list(range(50))
    assert intake.counters.audio_ms == 1000
    assert intake.counters.audio_dropped_ms == 0


async def test_audio_is_labelled_as_the_live_api_wants_it():
    intake = Intake()
    intake.audio(CHUNK)
    (request,) = await taken(intake)
    assert request.blob is not None
    assert request.blob.mime_type == "audio/pcm;rate=16000"


async def test_a_slow_model_costs_the_oldest_audio_and_every_drop_is_counted():
    intake = Intake(audio_limit_ms=200)
    for i in range(30):
        intake.audio(chunk(i))
    assert intake.audio_waiting_ms == 200
    assert [number(r) for r in await taken(intake)] == list(range(20, 30))
    assert intake.counters.audio_dropped_ms == 400


async def test_one_picture_waits_at_most_and_it_is_the_newest():
    intake = Intake()
    intake.audio(chunk(1))
    intake.picture(JPEG + b"old")
    intake.audio(chunk(2))
    intake.picture(JPEG + b"new")
    requests = await taken(intake)
    assert [r.blob.data[3:] for r in requests if r.blob and r.blob.mime_type == "image/jpeg"] == [
        b"new"
    ]
    assert requests[-1].blob is not None
    assert requests[-1].blob.data == JPEG + b"new"
    assert intake.counters.pictures == 2
    assert intake.counters.pictures_replaced == 1


async def test_text_and_tool_results_are_never_dropped():
    intake = Intake(audio_limit_ms=40)
    intake.text("first")
    for i in range(20):
        intake.audio(chunk(i))
        intake.picture(JPEG)
    result = types.Part(function_response=types.FunctionResponse(name="f", response={"a": 1}))
    intake.send_content(types.Content(role="user", parts=[result]))
    for i in range(20):
        intake.audio(chunk(i))
    contents = [r.content for r in await taken(intake) if r.content]
    assert [p.text or p.function_response.name for c in contents for p in c.parts] == ["first", "f"]
    assert (intake.counters.texts, intake.counters.tool_results) == (1, 1)


async def test_a_close_look_stays_where_it_is_whatever_pictures_come():
    intake = Intake()
    intake.picture(JPEG + b"old")
    intake.close_look(JPEG + b"close")
    intake.picture(JPEG + b"new")
    assert [r.blob.data[3:] for r in await taken(intake) if r.blob] == [b"close", b"new"]
    assert intake.counters.close_looks == 1


async def test_nothing_is_accepted_after_close():
    intake = Intake()
    intake.close()
    intake.text("too late")
    assert intake.closed
    assert (await intake.get()).close
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(intake.get(), 0.05)


async def test_a_cancelled_reader_loses_nothing():
    intake = Intake()
    reader = asyncio.create_task(intake.get())
    await asyncio.sleep(0)
    intake.text("kept")
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    request = await asyncio.wait_for(intake.get(), 1)
    assert request.content is not None


async def test_what_is_held_waits_in_order_and_goes_out_when_it_is_released():
    intake = Intake(audio_limit_ms=100, held_audio_limit_ms=200)
    intake.hold()
    reader = asyncio.create_task(intake.get())
    for number in range(15):
        intake.audio(bytes([number, 0]) * 320)
    intake.picture(JPEG + b"old")
    intake.text("words")
    intake.picture(JPEG + b"new")
    await asyncio.sleep(0.01)
    assert not reader.done()
    assert intake.counters.audio_dropped_ms == 100
    intake.release()
    requests = [await reader, *[await intake.get() for _ in range(11)]]
    sounds = [r.blob.data[0] for r in requests if r.blob and r.blob.mime_type.startswith("audio")]
    assert sounds == list(range(5, 15))
    assert [r.content.parts[0].text for r in requests if r.content] == ["words"]
    assert [r.blob.data for r in requests if r.blob and r.blob.mime_type == "image/jpeg"] == [
        JPEG + b"new"
    ]


async def test_what_was_held_is_not_dropped_after_it_was_released():
    intake = Intake(audio_limit_ms=100, held_audio_limit_ms=1000)
    intake.hold()
    for _ in range(20):
        intake.audio(bytes(640))
    intake.release()
    intake.audio(bytes(640))
    assert intake.counters.audio_dropped_ms == 0
    for _ in range(21):
        await intake.get()
    for _ in range(6):
        intake.audio(bytes(640))
    assert intake.counters.audio_dropped_ms == 20


async def test_a_call_that_ends_is_not_held():
    intake = Intake()
    intake.hold()
    intake.text("goodbye")
    intake.close()
    assert (await intake.get()).content is not None
    assert (await intake.get()).close


@pytest.mark.parametrize(
    ("hand_in", "words"),
    [
        (lambda intake: intake.audio(b"abc"), "even"),
        (lambda intake: intake.audio(b""), "bytes"),
        (lambda intake: intake.audio(bytes(32_002)), "a second"),
        (lambda intake: intake.audio(b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(624)), "WAV file"),
        (lambda intake: intake.picture(b"\x89PNG"), "JPEG"),
        (lambda intake: intake.picture(b""), "JPEG"),
        (lambda intake: intake.picture(JPEG + bytes(2_000_000)), "at most"),
        (lambda intake: intake.close_look(b"GIF8"), "JPEG"),
        (lambda intake: intake.text(" \n"), "empty"),
        (lambda intake: intake.text("a" * 20_001), "at most"),
    ],
)
async def test_wrong_formats_are_refused_at_the_door_with_the_reason(hand_in, words):
    intake = Intake()
    with pytest.raises(WrongFormat, match=words):
        hand_in(intake)
    assert await taken(intake) == []
