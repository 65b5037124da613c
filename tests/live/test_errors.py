"""A failure on the model's side has one word in the metrics, and its full text in the log."""

import pytest
from google.adk.models.llm_response import LlmResponse
from google.genai import errors
from pydantic import ValidationError
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from vision_agent.live.errors import LiveFailure, OwnFault, cause_of, explain, kind_of
from vision_agent.live.local_process import LocalLiveApiAway


def closed(code: int, reason: str) -> ConnectionClosedError:
    return ConnectionClosedError(Close(code, reason), None)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (closed(1008, "API key not valid"), "key"),
        (closed(1011, "Quota exceeded"), "quota"),
        (closed(1011, "You exceeded your current quota, please check your plan and b"), "quota"),
        (closed(1007, "Token has been used too many times"), "token"),
        (closed(1011, "auth token has expired"), "token"),
        (closed(1008, "This API method requires billing to be enabled."), "billing"),
        (closed(1008, "Permission denied on resource project p."), "key"),
        (closed(1008, "models/x is not found"), "model"),
        (closed(1008, "BidiGenerateContent session not found"), "service"),
        (closed(1011, "Internal error"), "service"),
        (errors.ClientError(404, {"error": {"message": "no such model"}}), "model"),
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(111, "Connection refused"), "network"),
        (LocalLiveApiAway("It is being started again."), "local"),
        (KeyError("name"), "agent"),
        (OwnFault("noted"), "server"),
        (LiveFailure("The key is refused.", kind="key"), "key"),
    ],
)
def test_each_failure_has_a_kind_and_a_sentence(error, kind):
    assert kind_of(error) == kind
    assert explain(error, model="m").endswith(".")


def test_a_reason_that_the_service_has_cut_off_is_told_up_to_its_last_whole_sentence():
    quota = "You exceeded your current quota, please check your plan and billing details. "
    cut = closed(1011, (quota + "For more information on this error, head to: https://ai.go")[:123])
    assert explain(cut, model="m") == (
        f"The model service's quota is used up: {quota[:-2]}. Wait, or raise the quota."
    )
    words = "Connection aborted because the client failed to close the connection after receiving "
    ended = closed(1008, (words + "a GoAway signal once the session duration")[:123])
    assert explain(ended, model="m").endswith("once the session durat….")


def test_the_log_says_where_an_agents_code_failed_without_what_was_said():
    words = "my bank code is 4711"

    def tool() -> None:
        raise ValueError(words)

    try:
        try:
            tool()
        except ValueError as error:
            raise OwnFault("noted") from error
    except OwnFault as error:
        cause = cause_of(error)
    assert "4711" not in cause
    assert "ValueError, raised in" in cause
    assert "in tool" in cause
    assert "caused by" in cause


def test_the_log_does_not_quote_what_could_not_be_read():
    said = "my bank code is 4711"
    with pytest.raises(ValidationError) as refused:
        LlmResponse.model_validate({"interrupted": said})
    assert "4711" in str(refused.value)
    assert "4711" not in cause_of(refused.value).replace(f'said = "{said}"', "")
    assert "4711" not in explain(refused.value, model="m")


def test_the_log_has_the_services_own_words():
    try:
        try:
            raise closed(1011, "Quota exceeded")
        except ConnectionClosedError as error:
            raise LiveFailure("The quota is used up.", kind="quota") from error
    except LiveFailure as error:
        cause = cause_of(error)
    assert "The quota is used up." in cause
    assert "Quota exceeded" in cause
