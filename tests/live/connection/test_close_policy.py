"""The reaction to a connection that has ended."""

import ssl

import pytest
from google.genai import errors
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from vision_agent.live.connection.close_policy import Verdict, judge

EXPIRED = [
    "BidiGenerateContent session not found",
    "Requested entity was not found.",
    "Invalid session handle",
    "Session resumption handle is not valid: unknown or expired.",
]
NO_MODEL = "models/x is not found for API version v1alpha, or is not supported for bidi"
SAID_GO_AWAY = (
    "Connection aborted because the client failed to close the connection after receiving a "
    "GoAway signal once the session durat"
)
HOPELESS = [
    "API key not valid. Please pass a valid API key.",
    "API key expired. Please renew the API key.",
    "Method doesn't allow unregistered callers (callers without established identity). Please",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie",
    "Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com",
    "Generative Language API has not been used in project 1 before or it is disabled. Enable it",
    "You exceeded your current quota, please check your plan and billing details. For more",
    "Resource has been exhausted (e.g. check quota).",
    "This API method requires billing to be enabled. Please enable billing on project #1",
    "Your prepayment credits are depleted. Please go to AI Studio to manage your project",
    "Token has been used too many times",
    "auth token has expired",
    NO_MODEL,
    "Publisher model projects/p/locations/l/publishers/google/models/x was not found or your",
]


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


@pytest.mark.parametrize("reason", EXPIRED)
@pytest.mark.parametrize("code", [1007, 1008, 1011])
def test_a_handle_that_is_refused_costs_the_handle_only(code, reason):
    error = closed(code, reason)
    for settled in (True, False):
        assert judge(error, resuming=True, settled=settled) is Verdict.RESTART
    assert judge(error, resuming=False, settled=True) is Verdict.RESTART


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1008, SAID_GO_AWAY),
        (1008, SAID_GO_AWAY[:60]),
        (1011, "Deadline expired before operation could complete."),
        (1000, "The operation was cancelled."),
    ],
)
@pytest.mark.parametrize("resuming", [True, False])
def test_a_connection_that_has_reached_its_end_keeps_its_handle(code, reason, resuming):
    assert judge(closed(code, reason), resuming=resuming, settled=True) is Verdict.RESUME


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 4000])
def test_a_session_that_is_spoilt_is_begun_anew(code):
    error = closed(code, "The operation was cancelled.")
    assert judge(error, resuming=False, settled=True) is Verdict.RESTART


@pytest.mark.parametrize("reason", HOPELESS)
@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("code", [1007, 1008, 1011])
def test_what_trying_again_cannot_help_is_given_up(reason, settled, code):
    assert judge(closed(code, reason), resuming=settled, settled=settled) is Verdict.GIVE_UP


def test_what_is_not_found_is_given_up_before_a_call_and_restarted_in_it():
    lost = closed(1008, "Requested entity was not found.")
    assert judge(lost, resuming=False, settled=False) is Verdict.GIVE_UP
    assert judge(lost, resuming=False, settled=True) is Verdict.RESTART


@pytest.mark.parametrize(
    "reason",
    [
        "Resource exhausted. Please try again later.",
        "The input token count exceeds the maximum number of tokens allowed (131072).",
        "Function response scheduling is not supported for this model",
    ],
)
def test_what_only_sounds_hopeless_is_tried_again(reason):
    assert judge(closed(1011, reason), resuming=False, settled=True) is Verdict.RESUME
    assert judge(closed(1007, reason), resuming=False, settled=True) is Verdict.RESTART


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
