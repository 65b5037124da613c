from tests.rtc.offer_texts import OFFERS
from vision_agent.calls.unused_media import MARK, UnusedMedia
from vision_agent.rtc import Offer


def test_caller_and_agent_are_told_once_that_the_video_cannot_be_seen():
    caller, agent = [], []
    unused = UnusedMedia(caller.append, lambda text, role: agent.append((text, role)))
    sdp = OFFERS["no_bundle_a_transport_for_each"]
    unused.take(Offer.parse(sdp))
    assert caller == []
    for _ in range(2):
        unused.take(Offer.parse(sdp.replace("VP8", "VP9")))
    [sentence] = caller
    assert "can't see your video: it is offered as VP9" in sentence
    assert agent == [(f"{MARK} {sentence}", "user")]
