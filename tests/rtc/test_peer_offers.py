"""A peer's answers to offers of other stacks, and to broken ones."""

import asyncio
import random
import re

import pytest

from tests.rtc.calling import Leftovers, Listener
from tests.rtc.offer_texts import CHROMIUM, OFFERS, RECORDED
from tests.rtc.strict_client import faults
from vision_agent.rtc import (
    BadOffer,
    Offer,
    Peer,
    Speaker,
)

BROKEN = {
    "short candidate": ("a=mid:0", "a=mid:0\r\na=candidate:1"),
    "bad port": ("a=sctp-port:5000", "a=sctp-port:x"),
    "empty fingerprint": ("a=fingerprint:sha-256", "a=fingerprint:\r\na=x:"),
    "bad extmap": ("a=extmap:1 ", "a=extmap:x "),
    "version": ("v=0", "v=0x"),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_what_can_not_be_read_is_a_bad_offer_and_leaves_nothing_behind(what):
    broken = CHROMIUM.replace(*BROKEN[what], 1)
    assert broken != CHROMIUM
    leftovers = Leftovers()
    listener = Listener()
    with pytest.raises(BadOffer, match=r"^[A-Z].*\.$"):
        await Peer(listener, Speaker()).accept(Offer.parse(broken))
    await leftovers.nothing()
    assert listener.closed == []


async def test_what_is_not_used_may_be_malformed():
    odd = CHROMIUM
    for before, after in [
        ("a=fmtp:111 ", "a=fmtp:99 "),
        (" 63 ", " x 72 "),
        ("a=rtpmap:63 red/48000/2", "a=rtpmap:63"),
        ("a=ssrc-group:FID ", "a=ssrc-group:FID x "),
        ("c=IN IP4 0.0.0.0", "c=IN IP4 host.example"),
        ("a=rtcp:9 IN IP4 0.0.0.0", "a=rtcp:x"),
        ("a=msid-semantic:", "a=msid-semantic"),
    ]:
        assert before in odd, before
        odd = odd.replace(before, after, 1)
    odd = re.sub(r"a=ssrc:\d+ cname", "a=ssrc:x cname", odd)
    peer = Peer(Listener(), Speaker())
    assert faults(odd, await peer.accept(Offer.parse("\r\n" + odd.replace("\r\n", "\n")))) == []
    await peer.close()


async def accepted(peer: Peer, sdp: str) -> str:
    return await peer.accept(Offer.parse(sdp))


@pytest.mark.parametrize("kind", [name for name in OFFERS if not name.startswith("refused_")])
async def test_offers_of_other_stacks_are_answered(kind):
    leftovers = Leftovers()
    offer = Offer.parse(OFFERS[kind])
    peer = Peer(Listener(), Speaker())
    answer = await peer.accept(offer)
    assert faults(OFFERS[kind], answer) == []
    await peer.close()
    await leftovers.nothing()


async def test_a_strict_client_accepts_the_answer_to_every_recorded_offer():
    wrong = {}
    for name, sdp in RECORDED.items():
        if "no-dtls" in name or "rtcp-without-port" in name:
            continue
        peer = Peer(Listener(), Speaker())
        wrong[name] = faults(sdp, await peer.accept(Offer.parse(sdp)))
        await peer.close()
    assert len(wrong) > 20
    assert {name: found for name, found in wrong.items() if found} == {}


async def test_a_video_on_which_nothing_is_sent_is_answered_in_its_own_codec():
    sdp = RECORDED["firefox-videofirst-bundleonly-audio-sendrecv-completed"].replace("VP8", "H261")
    peer = Peer(Listener(), Speaker())
    answer = await peer.accept(Offer.parse(sdp))
    assert faults(sdp, answer) == []
    assert "a=rtpmap:120 H261/90000" in answer.partition("m=audio")[0]
    assert "a=inactive" in answer.partition("m=audio")[0]
    await peer.close()


async def test_payload_types_below_96_are_the_same_in_the_answer():
    sdp = OFFERS["h264_baseline"].replace("126", "45")
    peer = Peer(Listener(), Speaker())
    answer = await peer.accept(Offer.parse(sdp))
    assert "a=rtpmap:45 H264/90000" in answer
    await peer.close()


async def test_offers_with_random_damage_are_answered_or_refused_and_leave_nothing_behind():
    dice = random.Random(5)
    originals = [CHROMIUM, *RECORDED.values()]
    answered, sentences = 0, set()
    leftovers = Leftovers()
    for _ in range(120):
        lines = dice.choice(originals).splitlines()
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(lines))
            match dice.randrange(5):
                case 0:
                    lines[at] = ""
                case 1:
                    lines[at] = lines[at][: dice.randint(0, len(lines[at]))]
                case 2:
                    lines.insert(at, lines[dice.randrange(len(lines))])
                case 3:
                    text = lines[at]
                    cut = dice.randint(0, len(text))
                    lines[at] = text[:cut] + dice.choice(" :=;/x9\t\x00é") + text[cut + 1 :]
                case 4:
                    other = dice.choice(originals).splitlines()
                    lines.insert(at, dice.choice(other))
        peer = Peer(Listener(), Speaker())
        try:
            await asyncio.wait_for(accepted(peer, "\r\n".join(lines) + "\r\n"), 5)
            answered += 1
        except BadOffer as refused:
            sentences.add(str(refused))
        await asyncio.wait_for(peer.close(), 7)
    assert 10 < answered < 120
    assert all(re.fullmatch(r"[A-Z][^\n]*\.", sentence) for sentence in sentences)
    await leftovers.nothing()
