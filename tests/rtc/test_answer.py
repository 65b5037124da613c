from tests.rtc.offer_texts import CHROMIUM, OFFERS
from vision_agent.rtc import Offer
from vision_agent.rtc.answer import answer_for

ANSWER = (
    "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\na=mid:0\r\n"
    "a=fingerprint:sha-256 AA\r\na=fingerprint:sha-384 BB\r\na=fingerprint:sha-512 CC\r\n"
    "m=video 9 X 120\r\na=mid:1\r\na=fingerprint:sha-256 AA\r\na=fingerprint:sha-384 BB\r\n"
)


def test_the_answer_tells_opus_to_correct_errors():
    answer = answer_for(Offer.parse(OFFERS["no_direction"]), ANSWER)
    assert "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1" in answer


def test_opus_that_is_offered_as_mono_is_answered_as_it_was_offered():
    mono = (
        OFFERS["no_direction"].replace("109 opus/48000/2", "111 opus/48000").replace("109", "111")
    )
    assert "a=rtpmap:111 opus/48000\r\n" in mono
    answer = answer_for(Offer.parse(mono), ANSWER)
    assert "a=rtpmap:111 opus/48000\r\na=fmtp:111 minptime=10;useinbandfec=1" in answer


def test_the_answer_has_one_fingerprint_in_each_section():
    answer = answer_for(Offer.parse(OFFERS["no_direction"]), ANSWER)
    prints = [line for line in answer.splitlines() if "fingerprint" in line]
    assert prints == ["a=fingerprint:sha-256 AA"] * 2


def test_sections_that_the_offer_does_not_bundle_are_not_bundled_in_the_answer():
    assert "BUNDLE 0 1" in answer_for(Offer.parse(OFFERS["no_direction"]), ANSWER)
    apart = answer_for(Offer.parse(OFFERS["no_bundle_a_transport_for_each"]), ANSWER)
    assert "BUNDLE" not in apart


def test_a_rejected_section_is_answered_in_its_place_with_port_0():
    answer = answer_for(Offer.parse(OFFERS["a_rejected_section_first"]), ANSWER)
    sections = [line for line in answer.splitlines() if line.startswith("m=")]
    # The answer repeats the offered profile (RFC 9429 5.3.1).
    assert sections == [
        "m=audio 0 UDP/TLS/RTP/SAVPF 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=video 9 UDP/DTLS/SCTP 120",
    ]
    assert "a=group:BUNDLE 1 2" in answer


def test_no_section_of_chromiums_offer_is_lost():
    offer = Offer.parse(CHROMIUM)
    answer = answer_for(offer, offer.sdp)
    assert [s[:5] for s in answer.split("m=")[1:]] == [s[:5] for s in CHROMIUM.split("m=")[1:]]
