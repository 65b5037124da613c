import base64
import io

import pytest
from PIL import Image

from vision_agent.calls.picture_file import MAX_PX, NotAPicture, read_picture
from vision_agent.calls.sent_pictures import BURST, MAX_PART_CHARS, MAX_PARTS, SentPictures
from vision_agent.live.shown import Shown
from vision_agent.rtc.rtvi import BadMessage


def file(width: int, height: int, kind: str = "JPEG", **how: object) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width // 2, height))
    written = io.BytesIO()
    picture.save(written, kind, **how)
    return written.getvalue()


def colours(jpeg: bytes) -> list[str]:
    """The colours at the top left and at the bottom right."""
    picture = Image.open(io.BytesIO(jpeg))
    places = ((5, 5), (picture.width - 6, picture.height - 6))
    return ["red" if picture.getpixel(at)[0] > 128 else "blue" for at in places]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_shrunk_and_stays_what_it_is(kind):
    jpeg, width, height = read_picture(file(3000, 1500, kind))
    assert (width, height) == (MAX_PX, MAX_PX // 2)
    assert colours(jpeg) == ["red", "blue"]


def test_a_phones_picture_is_turned_upright_and_loses_what_else_is_in_the_file():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    exif[0x010F] = "maker"
    jpeg, width, height = read_picture(file(400, 200, exif=exif.tobytes()))
    assert (width, height) == (200, 400)
    assert colours(jpeg) == ["red", "blue"]
    assert b"maker" not in jpeg


def bomb() -> bytes:
    """A PNG that claims 60,000 x 60,000 pixels."""
    data = bytearray(file(20, 20, "PNG"))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"%PDF-1.7 no picture", "not a picture"),
        (b"", "not a picture"),
        (bomb(), "too large|broken|not a picture"),
        (file(5000, 4000), "too large"),
        (file(8, 400), "too small"),
        (file(400, 400)[:900], "broken"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(data, why):
    with pytest.raises(NotAPicture, match=why):
        read_picture(data)


def part(data: bytes, number: int = 0, parts: int = 1, **more: object) -> dict[str, object]:
    text = base64.b64encode(data).decode()
    return {"id": "a", "part": number, "parts": parts, "data": text, **more}


async def test_parts_make_a_picture_and_what_is_typed_meanwhile_waits_for_it():
    shown: list[Shown] = []
    pictures, order = SentPictures(shown.append), []
    data = file(640, 480)
    half = len(data) // 2
    assert pictures.take(part(data[:half], 0, 2, name="my\n dog.jpg")) == {"received": 0}
    reading = pictures.take(part(data[half:], 1, 2))
    pictures.after(lambda: order.append(len(shown)))
    assert order == []
    assert await reading == {"width": 640, "height": 480}
    pictures.after(lambda: order.append("at once"))
    assert order[-1] == "at once"
    assert (shown[0].source, shown[0].name) == ("picture", "my dog.jpg")
    await pictures.close()
    assert order[0] == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "needs part"),
        (part(b"x", 1, 2), "missing"),
        (part(b"x", 0, MAX_PARTS + 1), "too large"),
        ({"part": 0, "parts": 1, "data": "A" * (MAX_PART_CHARS + 4)}, "too large"),
        ({"part": 0, "parts": 1, "data": "?"}, "base64"),
    ],
)
async def test_a_part_that_is_none_is_refused(data, why):
    with pytest.raises(BadMessage, match=why):
        SentPictures(lambda _: None).take(data)


async def test_pictures_that_come_too_fast_are_refused():
    pictures = SentPictures(lambda _: None)
    for _ in range(BURST):
        pictures.take(part(b"x", 0, 2))
    with pytest.raises(BadMessage, match="too fast"):
        pictures.take(part(b"x", 0, 2))
