import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rtc.calling import SoundSource
from tests.rtc.offer_texts import CHROMIUM, OFFERS, RECORDED
from vision_agent.rtc import BadOffer, Offer
from vision_agent.rtc.own.aiortc import RTCConfiguration, RTCPeerConnection


def edited(before: str, after: str, count: int = -1) -> str:
    assert before in CHROMIUM
    return CHROMIUM.replace(before, after, count)


async def test_chromiums_offer_with_camera_and_screen_passes():
    Offer.parse(CHROMIUM)


async def test_aiortcs_own_offer_passes():
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("chat")
    pc.addTrack(SoundSource())
    pc.addTransceiver("video")
    await pc.setLocalDescription(await pc.createOffer())
    Offer.parse(pc.localDescription.sdp)
    await pc.close()


def section(kind: str = "audio", lines: str = "") -> str:
    return (
        f"m={kind} 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:abcd\r\n"
        "a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=rtcp-mux\r\n"
        "a=fingerprint:sha-256 AA\r\na=setup:actpass\r\n"
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
        Offer.parse(HOSTILE[what])
    assert time.monotonic() - began < 0.1


@pytest.mark.parametrize(
    ("sdp", "sentence"),
    [
        ("", "session description"),
        ("hello", "session description"),
        ("a=ice-ufrag:9uB6\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host", "PATCH"),
        ("v=0\r\n", "no media section"),
        (edited("a=ice-ufrag", "a=nothing"), "user name"),
        (edited("a=ice-pwd", "a=nothing"), "password"),
        (edited("a=fingerprint", "a=nothing"), "fingerprint"),
        (edited("a=setup:actpass", "a=setup:both"), "DTLS role"),
        (OFFERS["g711_only"].replace(" 0 8 101", " 101"), "Opus .*, G.722 or G.711"),
        (edited("111 opus/48000/2", "111 opus/16000/1").replace(" 9 0 8 ", " "), "opus/16000"),
        (OFFERS["h264_main"].replace("H264", "H265"), "VP8 or H.264"),
        (edited("a=mid:1", "a=mid:0"), "identifier"),
        (edited("BUNDLE 0", "BUNDLE 9"), "bundles"),
        (edited("m=audio 9", "m=audio nine"), "media line"),
        (edited("a=fingerprint:sha-256", "a=fingerprint:md5"), "SHA-256"),
        (edited("a=max-message-size:262144", "a=max-message-size:130"), "too small"),
        (edited("a=max-message-size:262144", "a=max-message-size:16383"), "too small"),
        (edited("a=max-message-size:262144", "a=max-message-size:-1"), "too small"),
        (edited("a=max-message-size:262144", "a=max-message-size:many"), "too small"),
        (edited("a=sctp-port:5000", "a=sctp-port:99999"), "SCTP port"),
        (edited("a=extmap:1 ", "a=extmap:300 "), "impossible id"),
        (edited("a=extmap:1 ", "a=extmap:0 "), "impossible id"),
        (edited("a=mid:0", "a=mid:" + "0" * 100), "invalid section identifier"),
        (edited("a=mid:0", "a=mid:0\x00"), "invalid section identifier"),
        (edited("a=mid:0", "a=mid:0\r\na=mid:7"), "several identifiers"),
    ],
)
def test_the_refusal_says_what_is_wrong_in_one_sentence(sdp, sentence):
    with pytest.raises(BadOffer, match=sentence) as refused:
        Offer.parse(sdp)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


@given(st.text(max_size=2000))
@settings(max_examples=200)
def test_text_of_any_kind_is_refused_as_a_bad_offer(text):
    with pytest.raises(BadOffer):
        Offer.parse(text)


@given(st.lists(st.tuples(st.integers(0, 400), st.text(max_size=30)), min_size=1, max_size=5))
def test_an_edited_offer_passes_or_is_refused_as_a_bad_offer(edits):
    lines = CHROMIUM.splitlines()
    for at, text in edits:
        lines[at % len(lines)] = text
    sentence = "."
    try:
        Offer.parse("\r\n".join(lines))
    except BadOffer as refused:
        sentence = str(refused)
    assert sentence.endswith(".")


@pytest.mark.parametrize("size", ["0", "16384", "262144", "1073741823"])
def test_a_data_channel_for_messages_of_16_kb_and_more_passes(size):
    Offer.parse(edited("a=max-message-size:262144", f"a=max-message-size:{size}"))


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        ("1 1 udp 1 192.0.2.1 99999 typ host", "impossible port"),
        ("1 1 udp 1 192.0.2.1 65536 typ host", "impossible port"),
        ("1 1 udp 1 192.0.2.1 -5 typ host", "number"),
        ("1 1 udp 1 192.0.2.1 \u0665 typ host", "number"),
        ("1 1 udp 99999999999999999999 192.0.2.1 9 typ host", "too large"),
        ("1 1 udp 1 192.0.2.1 9 typ srflx raddr 0.0.0.0 rport x", "number"),
        ("1 1 udp", "understood"),
        ("", "understood"),
    ],
)
def test_a_candidate_that_is_none_is_refused(candidate, words):
    with pytest.raises(BadOffer, match=words) as refused:
        Offer.parse(edited("a=mid:0", f"a=mid:0\r\na=candidate:{candidate}"))
    assert str(refused.value).endswith(".")


def test_the_offer_for_aiortc_has_no_candidates_and_never_says_that_there_will_be_none():
    assert ".local" in CHROMIUM
    offer = Offer.parse(CHROMIUM + "a=end-of-candidates\r\n")
    assert "candidate" not in offer.sdp
    assert [found.candidate.usable for found in offer.candidates] == [False] * len(offer.candidates)


def test_the_candidates_of_a_bundle_are_those_of_its_first_section():
    candidate = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host"
    offer = Offer.parse(edited("a=rtcp-mux\r\n", f"a=rtcp-mux\r\n{candidate}\r\n"))
    usable = [found for found in offer.candidates if found.candidate.usable]
    assert [(found.mid, found.candidate.host) for found in usable] == [("0", "192.0.2.1")]


def test_parsing_the_same_offer_again_gives_the_same():
    assert Offer.parse(CHROMIUM) == Offer.parse(CHROMIUM)


REFUSED = {
    "refused_plain_rtp": "ICE user name",
    "refused_sha1_only": "SHA-256",
    "refused_without_dtls": "fingerprint",
    "refused_without_rtcp_mux": "one port",
}


@pytest.mark.parametrize("kind", [name for name in OFFERS if not name.startswith("refused_")])
def test_offers_of_other_stacks_pass(kind):
    assert Offer.parse(OFFERS[kind]).sdp.startswith("v=0\r\n")


@pytest.mark.parametrize("kind", [name for name in OFFERS if name.startswith("refused_")])
def test_what_another_stacks_offer_lacks_is_named(kind):
    with pytest.raises(BadOffer, match=REFUSED[kind]):
        Offer.parse(OFFERS[kind])


UNANSWERABLE = {
    "freeswitch-no-dtls-aiortc-tests": "lacks a certificate fingerprint",
    "rtcp-without-port-aiortc-tests": "lacks an ICE user name",
}


@pytest.mark.parametrize("name", UNANSWERABLE)
def test_a_recorded_offer_without_dtls_or_ice_is_refused(name):
    with pytest.raises(BadOffer, match=UNANSWERABLE[name]):
        Offer.parse(RECORDED[name])


@pytest.mark.parametrize(
    ("formats", "codec"),
    [("0 111 9 8", "opus"), ("0 8 9", "g722"), ("8 0", "pcma"), ("0 8", "pcmu")],
)
def test_opus_comes_before_wideband_and_wideband_before_telephone_quality(formats, codec):
    # The numbers of G.711 and G.722 need no a=rtpmap line (RFC 3551 6).
    sdp = OFFERS["g711_only"].replace("SAVPF 0 8 101", f"SAVPF {formats}")
    sdp = re.sub("a=rtpmap:[08] .*\n", "", sdp) + "a=rtpmap:111 OPUS/48000/2\r\n"
    assert Offer.parse(sdp).voice_codec == codec


def offered_video(*codecs: str) -> str:
    """An offer of sound and of a video with these codecs: "VP9", "H264 packetization-mode=1"."""
    sdp = OFFERS["no_bundle_a_transport_for_each"].replace("SAVPF 120", "SAVPF 96 97 98 99")
    lines = [f"a=rtpmap:{96 + n} {codec.split()[0]}/90000" for n, codec in enumerate(codecs)]
    lines += [f"a=fmtp:{96 + n} {c.partition(' ')[2]}" for n, c in enumerate(codecs) if " " in c]
    return sdp.replace("a=rtpmap:120 VP8/90000", "\r\n".join(lines))


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "packetization-mode=0",
        "profile-level-id=42e01f",
        "profile-level-id=4d0033;packetization-mode=1",
        "profile-level-id=640c1f;packetization-mode=1;level-asymmetry-allowed=1",
        "PROFILE-LEVEL-ID=f4001f; packetization-mode=0",
        "sprop-parameter-sets=Z0IAKeKQFAe2AtwEBAaQeJEV,aM48gA==;packetization-mode=1",
    ],
)
def test_h264_of_any_kind_is_taken_and_answered_as_it_was_offered(parameters):
    offer = Offer.parse(offered_video(f"H264 {parameters}".strip()))
    assert offer.unused == ()
    stated = offer.sections[1].parameters["96"].split(";")
    wanted = {part.strip().lower() for part in parameters.split(";")} - {""}
    assert {part for part in stated if part} == {p for p in wanted if "sprop" not in p}
    (sets,) = offer.parameter_sets
    assert sets.startswith(b"\0\0\0\1\x67\x42" if "sprop" in parameters else b"")
    assert bool(sets) == ("sprop" in parameters)


def test_vp8_and_baseline_h264_come_before_h264_of_other_kinds():
    main = "H264 profile-level-id=4d0033;packetization-mode=1"
    usual = "H264 profile-level-id=42001f;packetization-mode=1"
    assert "UDP/TLS/RTP/SAVPF 97 98\r\n" in Offer.parse(offered_video(main, usual, "VP8")).sdp


@pytest.mark.parametrize("codecs", [["VP9"], ["AV1", "H265"], ["H264 packetization-mode=2"]])
def test_without_a_video_that_can_be_seen_the_call_goes_on_and_says_so(codecs):
    offer = Offer.parse(offered_video(*codecs))
    assert [section.accepted for section in offer.sections] == [True, False]
    names = " and ".join(codec.split()[0] for codec in codecs)
    assert f"it is offered as {names}, and only VP8" in offer.unused[0]
    silent = Offer.parse(offered_video(*codecs).replace("a=sendrecv", "a=recvonly"))
    assert silent.unused == ()


def test_sections_beyond_those_that_are_used_are_rejected_one_by_one():
    section = CHROMIUM[CHROMIUM.index("m=audio") : CHROMIUM.index("m=video")]
    more = section.replace("a=mid:0", "a=mid:9")
    text = "m=text 9 RTP/AVP 98\r\nm=application 9 UDP/BFCP *\r\na=mid:x\r\n"
    offer = Offer.parse(CHROMIUM + more + text)
    assert [s.accepted for s in offer.sections][-4:] == [True, False, False, False]
    assert offer.unused == ("Only your first microphone is listened to.",)
    assert "9" not in offer.bundled


WRITTEN = {
    "line feeds only": lambda sdp: sdp.replace("\r\n", "\n"),
    "a byte order mark, and blanks at the ends of lines": lambda sdp: (
        "\ufeff" + sdp.replace("\r\n", " \r\n")
    ),
    "another profile": lambda sdp: sdp.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
    "several certificates": lambda sdp: sdp.replace(
        "a=fingerprint:", "a=fingerprint:sha-1 AA\r\na=fingerprint:sha-512 BB\r\na=fingerprint:"
    ),
    "the role in capitals": lambda sdp: sdp.replace("actpass", "ACTPASS"),
    "no role, which means active": lambda sdp: sdp.replace("a=setup:actpass\r\n", ""),
    "forty candidates in each section": lambda sdp: sdp.replace(
        "a=rtcp-mux\r\n",
        "a=rtcp-mux\r\n" + "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * 40,
    ),
    "addresses that are names": lambda sdp: re.sub("c=IN.*\n", "c=IN IP4 gw.example\n", sdp),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_the_same_offer_in_another_writing_is_the_same_call(how):
    offer = Offer.parse(WRITTEN[how](CHROMIUM))
    same = Offer.parse(CHROMIUM)
    assert re.findall("^[ma]=(?!fingerprint).*", offer.sdp, re.M) == re.findall(
        "^[ma]=(?!fingerprint).*", same.sdp, re.M
    )


def test_candidates_to_which_nothing_can_be_sent_are_left_out_and_the_others_are_used():
    lines = [
        "0 1 UDP 2113929471 192.0.2.195 0 typ host",
        "3 1 udp 9 0000:0000:0000:0000:0000:0000:0000:0000 0 typ relay raddr ::/0 rport 0",
        "2 1 udp 8 media.default.svc.cluster.local. 40000 typ host",
        "4 1 udp 8 gw.example.com 40000 typ srflx raddr 0.0.0.0 rport 0",
        "5 1 udp 8 2130706433 40000 typ host",
        "6 1 udp 8 fe80::1%eth0 40000 typ host",
        "1 1 udp 7 192.0.2.46 51603 typ srflx raddr 0.0.0.0 rport 0",
    ]
    named = "".join(f"a=candidate:{line}\r\n" for line in lines)
    offer = Offer.parse(edited("a=rtcp-mux\r\n", f"a=rtcp-mux\r\n{named}", 1))
    usable = [found.candidate for found in offer.candidates if found.candidate.usable]
    assert [candidate.host for candidate in usable] == ["192.0.2.46"]


def test_sections_need_no_identifiers():
    sdp = OFFERS["no_bundle_a_transport_for_each"]
    offer = Offer.parse(re.sub("a=mid.*\n", "", sdp))
    assert [section.mid for section in offer.sections] == ["", ""]
    assert offer.bundled == ()


def test_a_bundle_whose_first_section_the_caller_rejects_goes_on_with_the_second():
    offer = Offer.parse(edited("m=audio 9", "m=audio 0"))
    assert [section.accepted for section in offer.sections] == [False, True, True, True]
    assert "a=group:BUNDLE 1 2 3\r\n" in offer.sdp


def test_a_video_that_cannot_be_seen_keeps_the_transport_that_a_bundle_shares():
    sdp = RECORDED["firefox-videofirst-bundleonly-audio-sendrecv-completed"].replace("VP8", "H261")
    offer = Offer.parse(sdp)
    assert [section.accepted for section in offer.sections] == [True, True]
    assert offer.sections[0].renamed == {"120": "H261/90000"}
    assert "a=inactive" in offer.sdp
    assert "H261, VP9 and AV1" in offer.unused[0]


def test_of_forty_candidates_the_best_of_every_kind_come_first():
    hosts = [f"a=candidate:{n} 1 udp {1000 + n} 192.0.2.{n} 9 typ host" for n in range(1, 39)]
    hosts += ["a=candidate:50 1 udp 5 198.51.100.1 9 typ srflx raddr 0.0.0.0 rport 0"]
    hosts += ["a=candidate:51 1 udp 4 2001:db8::1 9 typ host"]
    lines = "\r\n".join(hosts)
    offer = Offer.parse(edited("a=mid:0", f"a=mid:0\r\n{lines}"))
    usable = [found.candidate.host for found in offer.candidates if found.candidate.usable]
    assert len(usable) == 40
    assert usable[:4] == ["192.0.2.38", "198.51.100.1", "2001:db8::1", "192.0.2.37"]


def test_of_simulcast_one_layer_is_received():
    rids = "a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\n"
    old = "a=ssrc-group:SIM 1 2\r\na=ssrc-group:FID 1 3\r\na=ssrc-group:FID 2 4\r\n"
    old += "".join(f"a=ssrc:{n} cname:x\r\n" for n in (1, 2, 3, 4))
    sdp = Offer.parse(OFFERS["h264_baseline"] + rids + old).sdp
    assert "simulcast" not in sdp
    assert re.findall(r"a=ssrc:(\d+)", sdp) == ["1", "3"]


def test_a_section_without_a_direction_sends_and_receives():
    assert Offer.parse(OFFERS["no_direction"]).sdp.count("a=sendrecv\r\n") == 2
    assert "a=sendonly" in Offer.parse(OFFERS["direction_in_the_session"]).sdp.partition("m=")[2]


def test_a_bundled_section_has_the_transport_of_the_first():
    offer = Offer.parse(OFFERS["transport_in_the_first_section_of_the_bundle"])
    assert offer.sdp.count("a=ice-ufrag:Tx9q\r\n") == 3
    assert {section.credentials[0] for section in offer.sections} == {"Tx9q"}


def test_in_a_bundle_the_first_sections_role_holds_for_all():
    head, sections = edited("setup:actpass", "setup:passive", 1).split("m=", 1)
    offer = Offer.parse(f"{head}a=setup:actpass\r\nm={sections}")
    assert set(re.findall(r"a=setup:\w+", offer.sdp)) == {"a=setup:passive"}


def test_a_rejected_section_is_kept_for_the_answer_only():
    offer = Offer.parse(OFFERS["a_rejected_section_first"])
    assert [(section.kind, section.accepted) for section in offer.sections] == [
        ("audio", False), ("video", True), ("application", True),
    ]  # fmt: skip
    assert not offer.has_audio
    assert "m=audio" not in offer.sdp
    assert [offer.position(index) for index in (-1, 0, 1, 2, 3)] == [None, None, 0, 1, None]


def test_the_peer_opens_dtls_unless_it_says_that_it_waits():
    assert "actpass" not in Offer.parse(CHROMIUM).sdp
    assert "a=setup:passive" in Offer.parse(edited("setup:actpass", "setup:passive")).sdp
