import re

import pytest

from tests.rtc.offer_texts import CHROMIUM, OFFERS
from vision_agent.rtc import Offer


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("sendrecv", "sendrecv", "Only your first microphone is listened to."),
        ("sendrecv", "recvonly", None),
        ("sendrecv", "inactive", None),
        ("inactive", "sendrecv", "it sends nothing"),
        ("recvonly", "sendrecv", "it sends nothing"),
        ("sendonly", "sendrecv", "voice is sent on your first audio section only"),
        ("sendonly", "sendonly", "Only your first microphone is listened to."),
    ],
)
def test_what_a_second_audio_section_would_have_been_for_is_told(first, second, told):
    unused = with_two_audio_sections(first, second).unused
    assert len(unused) == (told is not None)
    assert told is None or told in unused[0]


@pytest.mark.parametrize(("first", "second"), [("recvonly", "sendonly"), ("sendonly", "recvonly")])
def test_the_microphone_and_the_agents_voice_may_have_a_section_each(first, second):
    offer = with_two_audio_sections(first, second)
    assert offer.unused == ()
    audio = [section for section in offer.sections if section.kind == "audio"]
    assert [section.accepted for section in audio] == [True, True]
    assert audio[offer.voice_at].receives
    assert offer.voice_codec == audio[offer.voice_at].codec


def with_two_audio_sections(first: str, second: str) -> Offer:
    section = CHROMIUM[CHROMIUM.index("m=audio") : CHROMIUM.index("m=video")]
    assert "a=sendrecv" in section
    head = CHROMIUM.replace("a=sendrecv", f"a={first}", 1)
    more = section.replace("a=mid:0", "a=mid:9").replace("a=sendrecv", f"a={second}")
    return Offer.parse(head + more)


def test_videos_that_send_go_before_inactive_ones():
    head, *videos = re.split("(?=m=)", OFFERS["no_bundle_a_transport_for_each"])
    sound, video = videos[:2]
    idle, sends = (f"{video.rstrip()}\r\na={way}\r\n" for way in ("inactive", "sendonly"))
    sections = [re.sub("a=(mid:.*|sendrecv)\r?\n", "", s) for s in (sound, idle, idle, sends)]
    offer = Offer.parse(head + "".join(sections))
    assert [section.accepted for section in offer.sections] == [True, False, False, True]
    two = Offer.parse(head + "".join(sections[:3]))
    assert [section.accepted for section in two.sections] == [True, True, True]
