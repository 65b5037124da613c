import asyncio

import pytest
from google.adk.agents.live_request_queue import LiveRequest
from google.genai import types

from vision_agent.live.intake import Intake

CHUNK = bytes(640)


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
    intake.picture(b"old")
    intake.audio(chunk(2))
    intake.picture(b"new")
    requests = await taken(intake)
    assert [r.blob.data[:3] for r in requests if r.blob and r.blob.mime_type == "image/jpeg"] == [
        b"new"
    ]
    assert requests[-1].blob is not None
    assert requests[-1].blob.data == b"new"
    assert intake.counters.pictures == 2
    assert intake.counters.pictures_replaced == 1


async def test_text_and_tool_results_are_never_dropped():
    intake = Intake(audio_limit_ms=40)
    intake.text("first")
    for i in range(20):
        intake.audio(chunk(i))
        intake.picture(b"x")
    result = types.Part(function_response=types.FunctionResponse(name="f", response={"a": 1}))
    intake.send_content(types.Content(role="user", parts=[result]))
    for i in range(20):
        intake.audio(chunk(i))
    contents = [r.content for r in await taken(intake) if r.content]
    assert [p.text or p.function_response.name for c in contents for p in c.parts] == ["first", "f"]


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


def test_half_a_sample_is_refused():
    with pytest.raises(ValueError, match="even"):
        Intake().audio(b"abc")


async def test_what_is_held_waits_in_order_and_goes_out_when_it_is_released():
    intake = Intake(audio_limit_ms=100, held_audio_limit_ms=200)
    intake.hold()
    reader = asyncio.create_task(intake.get())
    for number in range(15):
        intake.audio(bytes([number, 0]) * 320)
    intake.picture(b"old")
    intake.text("words")
    intake.picture(b"new")
    await asyncio.sleep(0.01)
    assert not reader.done()
    assert intake.counters.audio_dropped_ms == 100
    intake.release()
    requests = [await reader, *[await intake.get() for _ in range(11)]]
    sounds = [r.blob.data[0] for r in requests if r.blob and r.blob.mime_type.startswith("audio")]
    assert sounds == list(range(5, 15))
    assert [r.content.parts[0].text for r in requests if r.content] == ["words"]
    assert [r.blob.data for r in requests if r.blob and r.blob.mime_type == "image/jpeg"] == [
        b"new"
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
