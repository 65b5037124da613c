"""Offers with which a peer connection can continue, and their form for aiortc."""

import re

import pytest

from tests.rtc.offer_texts import CHROMIUM
from vision_agent.rtc.continued_offer import continued
from vision_agent.rtc.offer import CannotRenegotiate, Offer


def rejecting(sdp: str, mid: str) -> str:
    """An offer in which the section of an identifier is rejected, as browsers write it."""
    session, *sections = re.split("(?=^m=)", sdp, flags=re.M)
    session = re.sub(f"(a=group:BUNDLE.*) {mid}\\b", r"\1", session)
    for index, section in enumerate(sections):
        if f"a=mid:{mid}\r\n" in section:
            line = re.sub(r"^(m=\w+) \d+", r"\1 0", section.split("\r\n")[0])
            sections[index] = f"{line}\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:{mid}\r\n"
    return session + "".join(sections)


def test_a_stopped_section_stays_inactive_for_aiortc_and_is_rejected_for_good():
    first = Offer.parse(CHROMIUM)
    sdp = rejecting(CHROMIUM, "1")
    second = continued(first, Offer.parse(sdp))
    assert [section.stopped for section in second.sections].count(True) == 1
    assert second.sdp.count("m=") == first.sdp.count("m=")
    group = re.search("a=group:BUNDLE.*", first.sdp)[0]
    assert group in second.sdp
    stopped = next(s for s in re.split("(?=^m=)", second.sdp, flags=re.M) if "a=mid:1\r" in s)
    assert "a=inactive" in stopped
    assert "a=ice-ufrag" in stopped
    # The section stays rejected in every later offer, and aiortc still gets it.
    third = continued(second, Offer.parse(sdp))
    assert third.sdp == second.sdp
    assert third.position(2) == 2
    with pytest.raises(CannotRenegotiate, match="add another one"):
        continued(second, first)


@pytest.mark.parametrize(
    ("sdp", "words"),
    [
        (rejecting(CHROMIUM, "0"), "share"),
        (CHROMIUM.replace("a=mid:1\r", "a=mid:7\r").replace("BUNDLE 0 1", "BUNDLE 0 7"), "order"),
        (re.sub("a=ice-ufrag:.*", "a=ice-ufrag:else", CHROMIUM), "restarts ICE"),
        (CHROMIUM[: CHROMIUM.rindex("m=")].replace(" 3\r", "\r"), "every section"),
    ],
)
def test_what_a_connection_can_not_continue_with_is_said_in_a_sentence(sdp, words):
    with pytest.raises(CannotRenegotiate, match=words) as refused:
        continued(Offer.parse(CHROMIUM), Offer.parse(sdp))
    assert str(refused.value).endswith(".")
