"""What to do about a connection that ended."""

import ssl

import pytest
from google.genai import errors
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from vision_agent.live.connection.close_policy import Verdict, judge

EXPIRED = "Session resumption handle is not valid: unknown or expired."
NO_KEY = "API key not valid. Please pass a valid API key."
NO_MODEL = "models/x is not found for API version v1alpha, or is not supported for bidi…"
NO_QUOTA = "You exceeded your current quota, please check your plan and billing details."


def closed(code: int, reason: str = "") -> ConnectionClosedError:
    return ConnectionClosedError(None if code == 1006 else Close(code, reason), None)


def status(code: int) -> InvalidStatus:
    return InvalidStatus(Response(code, "words", Headers()))


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014])
@pytest.mark.parametrize("resuming", [True, False])
def test_a_service_that_goes_away_is_asked_again_with_the_handle(code, resuming):
    assert judge(closed(code), resuming=resuming, settled=True) is Verdict.RESUME
    api_error = errors.APIError(code, {"message": "so it is"}, None)
    assert judge(api_error, resuming=resuming, settled=True) is Verdict.RESUME


@pytest.mark.parametrize("code", [1007, 1008])
def test_a_handle_that_is_refused_costs_the_handle_only(code):
    assert judge(closed(code, EXPIRED), resuming=True, settled=True) is Verdict.RESTART


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 4000])
def test_a_session_that_is_spoilt_is_begun_anew(code):
    error = closed(code, "The operation was cancelled.")
    assert judge(error, resuming=False, settled=True) is Verdict.RESTART


@pytest.mark.parametrize("reason", [NO_KEY, NO_QUOTA])
@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("code", [1007, 1008, 1011])
def test_what_trying_again_cannot_help_is_given_up(reason, settled, code):
    assert judge(closed(code, reason), resuming=settled, settled=settled) is Verdict.GIVE_UP


def test_a_model_that_is_not_there_is_given_up_and_what_a_call_loses_is_not():
    assert judge(closed(1008, NO_MODEL), resuming=False, settled=False) is Verdict.GIVE_UP
    lost = closed(1008, "Requested entity was not found.")
    assert judge(lost, resuming=False, settled=True) is Verdict.RESTART


def test_a_setup_that_is_refused_at_once_is_wrong_itself():
    error = closed(1007, "Request contains an invalid argument.")
    assert judge(error, resuming=False, settled=False) is Verdict.GIVE_UP


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (400, Verdict.GIVE_UP),
        (401, Verdict.GIVE_UP),
        (403, Verdict.GIVE_UP),
        (404, Verdict.GIVE_UP),
        (429, Verdict.RESUME),
        (500, Verdict.RESUME),
        (503, Verdict.RESUME),
    ],
)
def test_an_http_status_says_whether_to_come_back(code, verdict):
    assert judge(status(code), resuming=False, settled=True) is verdict


@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError(), OSError("no route")])
def test_a_network_that_fails_is_tried_again(error):
    assert judge(error, resuming=False, settled=False) is Verdict.RESUME


def test_a_certificate_that_is_not_trusted_will_not_be():
    error = ssl.SSLCertVerificationError(1, "self-signed")
    assert judge(error, resuming=False, settled=True) is Verdict.GIVE_UP


def test_what_nobody_has_seen_yet_costs_the_session_or_the_call():
    assert judge(ValueError("garbage"), resuming=False, settled=True) is Verdict.RESTART
    assert judge(ValueError("garbage"), resuming=False, settled=False) is Verdict.GIVE_UP
