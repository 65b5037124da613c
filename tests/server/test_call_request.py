"""The body of an offer is parsed to one checked value, or refused with a sentence."""

import json

import pytest
import pytest_asyncio

from tests.support.offers import offer
from vision_agent.calls.refusal import Refusal
from vision_agent.server.call_request import (
    CallRequest,
    NewCall,
    OngoingCall,
    TrickledCandidates,
    parse_query,
    read_form,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sdp():
    peer, body = await offer()
    yield body["sdp"]
    await peer.close()


def parse(sdp: str, /, **fields) -> CallRequest:
    return CallRequest.parse(json.dumps({"sdp": sdp, "type": "offer"} | fields).encode())


async def test_an_offer_alone_begins_a_call_of_an_unknown_caller_with_the_first_agent(sdp):
    request = parse(sdp)
    assert request.call == NewCall(agent=None, user=None, options={})
    assert request.resume is None
    assert request.offer.has_audio


@pytest.mark.parametrize("data", ["requestData", "request_data"])
@pytest.mark.parametrize("option", ["inputTranscription", "input_transcription"])
async def test_names_are_taken_in_both_spellings(sdp, data, option):
    asked = {"agent": "shop", "resume": "t0ken", option: False, "user": "ann", "other": 1}
    request = parse(sdp, **{data: asked})
    assert request.call == NewCall("shop", "ann", {"input_transcription": False})
    assert request.resume == "t0ken"


async def test_whether_a_call_is_recorded_is_asked_in_json_and_in_a_url(sdp):
    asked = parse(sdp, requestData={"record": False, "recordConsent": True}).call
    assert (asked.record, asked.record_consent) == (False, True)
    asked = parse_query({"record": "true", "record_consent": "1"})
    assert (asked.record, asked.record_consent) == (True, True)
    asked = parse_query({})
    assert (asked.record, asked.record_consent) == (None, False)
    for wrong in ("yes", 1, {}):
        with pytest.raises(Refusal, match="record must be true or false"):
            parse(sdp, requestData={"record": wrong})
    for no in ({"Record": False}, {"recording": False}, {"record-consent": True}):
        with pytest.raises(Refusal, match=r"is not an option\. Nearest: record"):
            parse(sdp, requestData=no)
    with pytest.raises(Refusal, match="is not an option"):
        parse_query({"recorded": "false"})
    assert parse(sdp, requestData={"record_id": 1, "records": [3]}).call.record is None


@pytest.mark.parametrize("restart", [True, False, None])
async def test_an_offer_with_an_id_is_about_that_call_and_what_it_began_with_is_settled(
    sdp, restart
):
    for names in (("pc_id", "restart_pc"), ("pcId", "restartPc")):
        fields = dict(zip(names, ("abc", restart), strict=True))
        request = parse(sdp, requestData={"user": 7, "agent": "none"}, **fields)
        assert request.call == OngoingCall("abc", restart)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"type": "answer"}, "must be 'offer'"),
        ({"sdp": "v=0"}, "no media section"),
        ({"sdp": 1}, "sdp:"),
        ({"pc_id": 1}, "pc_id:"),
        ({"requestData": []}, "requestData:"),
        ({"requestData": {"agent": {}}}, "requestData.agent must be the name"),
        ({"requestData": {"resume": "x" * 10_000}}, "requestData.resume"),
    ],
)
async def test_what_is_wrong_is_refused_with_a_sentence(sdp, fields, words):
    with pytest.raises(Refusal) as refused:
        parse(sdp, **fields)
    assert refused.value.status == 400
    assert words in refused.value.text
    assert refused.value.text.endswith(".")


async def test_candidates_that_are_sent_as_an_offer_are_told_from_one():
    body = json.dumps({"pc_id": "abc", "candidates": [{"candidate": ""}]}).encode()
    with pytest.raises(Refusal, match="sent with PATCH"):
        CallRequest.parse(body)


@pytest.mark.parametrize("names", [("sdp_mid", "sdp_mline_index"), ("sdpMid", "sdpMLineIndex")])
async def test_candidates_are_taken_as_the_transport_and_as_browsers_name_their_fields(names):
    candidate = {"candidate": "", **dict(zip(names, ("0", 0), strict=True))}
    body = json.dumps({"pc_id": "abc", "candidates": [candidate]}).encode()
    (read,) = read_form(body, TrickledCandidates).candidates
    assert (read.sdp_mid, read.sdp_mline_index) == ("0", 0)
