import time
from pathlib import Path

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rtc.calling import SoundSource
from vision_agent.rtc import BadOffer, check_offer
from vision_agent.rtc.offer import for_the_caller, is_local_name, without_local_names

CHROMIUM = (Path(__file__).parent / "chromium_offer.sdp").read_bytes().decode()


def edited(before: str, after: str, count: int = -1) -> str:
    assert before in CHROMIUM
    return CHROMIUM.replace(before, after, count)


async def test_chromiums_offer_with_camera_and_screen_passes():
    check_offer(CHROMIUM)


async def test_aiortcs_own_offer_passes():
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("chat")
    pc.addTrack(SoundSource())
    pc.addTransceiver("video")
    await pc.setLocalDescription(await pc.createOffer())
    check_offer(pc.localDescription.sdp)
    await pc.close()


def section(kind: str = "audio", lines: str = "") -> str:
    return (
        f"m={kind} 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:abcd\r\n"
        "a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 AA\r\na=setup:actpass\r\n"
        f"a=rtpmap:111 opus/48000/2\r\n{lines}"
    )


HOSTILE = {
    "rtpmap times rtcp-fb": "v=0\r\n"
    + section(lines="a=rtpmap:1 x/1\r\na=rtcp-fb:* nack\r\n" * 2000),
    "one megabyte of ssrc": "v=0\r\n"
    + section(lines="".join(f"a=ssrc:{n} cname:x\r\n" for n in range(45_000))),
    "ssrc within the length": "v=0\r\n"
    + section(lines="".join(f"a=ssrc:{n} cname:x\r\n" for n in range(1500))),
    "candidates": "v=0\r\n" + section(lines="a=candidate:1 1 udp 1 1.2.3.4 5 typ host\r\n" * 500),
    "sections": "v=0\r\n" + section() * 100,
    "formats in the m line": "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF" + " 111" * 7000,
    "unknown lines": "v=0\r\n" + section(lines="a=x\r\n" * 5000),
    "fmtp": "v=0\r\n" + section(lines="a=fmtp:111 a=b\r\n" * 1000),
    "one long line": "v=0\r\n" + "a" * 30_000,
    "line breaks": "v=0\r\n" + "\n" * 32_000,
    "megabytes": "v=0" * 4_000_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_offers_are_refused_at_once(what):
    began = time.monotonic()
    with pytest.raises(BadOffer):
        check_offer(HOSTILE[what])
    assert time.monotonic() - began < 0.1


@pytest.mark.parametrize(
    ("sdp", "sentence"),
    [
        ("", "session description"),
        ("hello", "session description"),
        ("v=0\r\n", "no media section"),
        (edited("m=application", "m=text"), "unknown kind"),
        (edited("m=video", "m=audio"), "3 audio sections"),
        (edited("a=ice-ufrag", "a=nothing"), "user name"),
        (edited("a=ice-pwd", "a=nothing"), "password"),
        (edited("a=fingerprint", "a=nothing"), "fingerprint"),
        (edited("a=setup:actpass", "a=setup:both"), "DTLS role"),
        (edited("opus/48000", "opium/48000"), "Opus"),
        (edited("VP8/90000", "VP7/90000").replace("H264/90000", "H269/90000"), "VP8 or H.264"),
        (edited("a=mid:1", "a=mid:0"), "identifier"),
        (edited("BUNDLE 0", "BUNDLE 9"), "bundles"),
        (edited("m=audio 9", "m=audio nine"), "media line"),
    ],
)
def test_the_refusal_says_what_is_wrong_in_one_sentence(sdp, sentence):
    with pytest.raises(BadOffer, match=sentence) as refused:
        check_offer(sdp)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


@given(st.text(max_size=2000))
@settings(max_examples=200)
def test_text_of_any_kind_is_refused_as_a_bad_offer(text):
    with pytest.raises(BadOffer):
        check_offer(text)


@given(st.lists(st.tuples(st.integers(0, 400), st.text(max_size=30)), min_size=1, max_size=5))
def test_an_edited_offer_passes_or_is_refused_as_a_bad_offer(edits):
    lines = CHROMIUM.splitlines()
    for at, text in edits:
        lines[at % len(lines)] = text
    sentence = "."
    try:
        check_offer("\r\n".join(lines))
    except BadOffer as refused:
        sentence = str(refused)
    assert sentence.endswith(".")


def test_hidden_addresses_are_left_out_and_the_end_of_candidates_with_them():
    assert ".local" in CHROMIUM
    left = without_local_names(CHROMIUM + "a=end-of-candidates\r\n")
    assert ".local" not in left
    assert "end-of-candidates" not in left
    assert left.count("\r\n") == CHROMIUM.count("\r\n") - CHROMIUM.count(".local")
    assert is_local_name("candidate:1 1 udp 2113937151 807ff16a-27de.local 48592 typ host")
    assert not is_local_name("candidate:1 1 udp 2113937151 192.0.2.7 48592 typ host")


def test_the_answer_tells_opus_to_correct_errors():
    answer = for_the_caller("v=0\r\nm=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\na=mid:0\r\n")
    assert "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1" in answer
    assert answer.endswith("a=mid:0\r\n")
