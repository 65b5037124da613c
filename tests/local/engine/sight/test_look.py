"""Sight looks off the event loop, for what was asked only, and says when it can not."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import cv2
import pytest

from tests.local.engine.sight.sight_frames import filled, jpeg, patch, shot, with_qr_code, written
from vision_agent.detection import object_detector
from vision_agent.local.contract import SeenFrame
from vision_agent.local.engine.sight import Observations, Sight, UnreadableFrame, look
from vision_agent.local.engine.sight.observations import NEEDS

RED_THING = jpeg(shot(patch((200, 30, 30), (225, 225, 225))))


@pytest.fixture
async def sight() -> AsyncIterator[Sight]:
    sight = Sight()
    yield sight
    await sight.close()


def frame(data: bytes, at_ms: int = 0) -> SeenFrame:
    return SeenFrame(data, at_ms)


async def test_everything_asked_for_is_told_and_nothing_else(sight: Sight) -> None:
    for need in NEEDS:
        seen = await sight.observe([frame(RED_THING)], frozenset({need}))
        told = {name for name in NEEDS - {"all_text"} if getattr(seen, name) is not None}
        assert told == {"text" if need == "all_text" else need}

    assert await sight.observe([frame(RED_THING)], frozenset()) == Observations()


async def test_the_newest_frame_is_the_one_looked_at(sight: Sight) -> None:
    blue = jpeg(shot(patch((40, 70, 180), (225, 225, 225))))

    seen = await sight.observe(
        [frame(RED_THING, 0), frame(blue, 4000)], frozenset({"colour", "changes"})
    )

    assert seen.colour is not None
    assert seen.colour.main == "blue"
    assert seen.changes is not None
    assert seen.changes.changed
    assert seen.changes.since_s == 4.0


async def test_without_an_earlier_frame_no_change_is_claimed(sight: Sight) -> None:
    seen = await sight.observe([frame(RED_THING)], frozenset({"changes"}))

    assert seen.changes is not None
    assert not seen.changes.changed
    assert seen.changes.what == "there is no earlier picture to compare with"


async def test_text_and_codes_are_told_together(sight: Sight) -> None:
    page = written(["SCAN ME"], 30, paper=(240, 240, 235))
    page[150:] = with_qr_code("hello", 220, at=(320, 300))[150:]

    seen = await sight.observe([frame(jpeg(shot(page)))], frozenset({"text", "codes"}))

    assert [line.text for line in seen.text or ()] == ["SCAN ME"]
    assert [code.text for code in seen.codes or ()] == ["hello"]


def _claiming(width: int, height: int) -> bytes:
    """A frame of the red thing whose header claims another size."""
    at = RED_THING.index(b"\xff\xc0") + 5
    return RED_THING[:at] + struct.pack(">HH", height, width) + RED_THING[at + 4 :]


UNREADABLE = {
    "empty": b"",
    "text": b"no picture at all, but a sentence",
    "a header only": RED_THING[:300],
    "a start marker only": b"\xff\xd8",
    "zeros": b"\xff\xd8" + bytes(5000),
    "a gigapixel": _claiming(65_000, 65_000),
    "a thread of pixels": jpeg(filled((9, 9, 9), (640, 3))),
    "too many bytes": RED_THING + bytes(8_000_000),
    "a broken PNG": b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 64, 64) + b"\x08\x02",
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_is_no_frame_is_refused_in_words(sight: Sight, name: str) -> None:
    with pytest.raises(UnreadableFrame, match=r"^The picture .+\.$"):
        await sight.observe([frame(UNREADABLE[name])], NEEDS)

    assert (await sight.observe([frame(RED_THING)], frozenset({"colour"}))).colour is not None


async def test_a_truncated_or_damaged_frame_never_crashes(sight: Sight) -> None:
    for cut in range(0, len(RED_THING), 997):
        damaged = RED_THING[:cut] + bytes(50) + RED_THING[cut + 50 :]
        for data in (RED_THING[:cut], damaged):
            try:
                seen = await sight.observe([frame(data)], frozenset({"colour", "quality"}))
            except UnreadableFrame:
                continue
            assert seen.quality is not None


async def test_a_png_is_looked_at_as_well(sight: Sight) -> None:
    png = cv2.imencode(".png", patch((200, 30, 30), (225, 225, 225)))[1].tobytes()

    seen = await sight.observe([frame(png)], frozenset({"colour"}))

    assert seen.colour is not None
    assert seen.colour.main == "red"


async def test_no_frame_and_unknown_needs_are_refused_in_words(sight: Sight) -> None:
    with pytest.raises(UnreadableFrame, match="There is no picture"):
        await sight.observe([], NEEDS)
    with pytest.raises(ValueError, match="Nobody can look for smell"):
        await sight.observe([frame(RED_THING)], frozenset({"smell", "colour"}))


async def test_two_looks_at_once_and_no_more_while_the_loop_goes_on(
    sight: Sight, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, most, count = threading.Semaphore(0), 0, 0
    go_on, lock = threading.Event(), threading.Lock()

    def slow(data: bytes) -> object:
        nonlocal most, count
        with lock:
            count += 1
            most = max(most, count)
        at_work.release()
        assert go_on.wait(20)
        with lock:
            count -= 1
        return decode(data)

    decode = look.decode
    monkeypatch.setattr(look, "decode", slow)
    looks = [
        asyncio.create_task(sight.observe([frame(RED_THING)], frozenset({"quality"})))
        for _ in range(5)
    ]
    for _ in range(2):
        assert await asyncio.to_thread(at_work.acquire, timeout=20)
    go_on.set()
    seen = await asyncio.gather(*looks)

    assert most == 2
    assert len({observed.quality for observed in seen}) == 1


async def test_many_conversations_at_once_get_the_same_answer(sight: Sight) -> None:
    seen = await asyncio.gather(
        *(sight.observe([frame(RED_THING)], NEEDS - {"changes"}) for _ in range(look.AT_ONCE + 1))
    )

    assert len(set(seen)) == 1


async def test_closing_ends_the_threads_and_refuses_further_looks() -> None:
    others = set(threading.enumerate())
    sight = Sight()
    await sight.observe([frame(RED_THING)], frozenset({"quality"}))
    its = {each for each in threading.enumerate() if each.name.startswith("sight")} - others
    assert its
    await sight.close()
    await sight.close()

    assert not its & set(threading.enumerate())
    with pytest.raises(RuntimeError):
        await sight.observe([frame(RED_THING)], frozenset({"quality"}))


@pytest.mark.usefixtures("networks_of_their_own")
async def test_a_sense_without_its_weights_says_so_and_the_others_go_on(
    sight: Sight, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = replace(object_detector.OBJECT_DETECTOR, sha256="0" * 64)
    monkeypatch.setattr(object_detector, "OBJECT_DETECTOR", damaged)

    seen = await sight.observe([frame(RED_THING)], frozenset({"named", "shown", "colour"}))

    (reason,) = seen.off
    assert reason.startswith("I can't name things: ")
    assert "object_detector.onnx of the package" in reason
    assert seen.named == ()
    assert seen.colour is not None
    assert seen.colour.main == "red"
