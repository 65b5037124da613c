"""Ephemeral tokens: how long and how often they are valid, and which fields they lock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vision_agent.local.api.auth_tokens import MAX_TOKENS, AuthToken, AuthTokens, constrained
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.json_fields import Refused

ALPHA = Endpoint(vertex=False, version="v1alpha")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
SETUP = {"model": "models/gemini-3.8-live"}
RESUMING = SETUP | {"sessionResumption": {"handle": "h"}}


def created(tokens: AuthTokens, **body: Any) -> str:
    return tokens.create(json.dumps(body).encode(), ALPHA, NOON)


def opened(tokens: AuthTokens, name: str, setup: Any, after: timedelta) -> str:
    """Open a session; returns "" or the refusal."""
    try:
        tokens.open(name, setup, NOON + after)
    except Refused as refused:
        return str(refused)
    return ""


def at(after: timedelta) -> str:
    return (NOON + after).isoformat().replace("+00:00", "Z")


def test_a_token_opens_one_session_within_a_minute_and_resumes_it_for_half_an_hour() -> None:
    tokens = AuthTokens()
    name, unused = created(tokens), created(tokens)
    assert name.startswith("auth_tokens/")
    assert opened(tokens, name, SETUP, timedelta(seconds=59)) == ""
    used_up = "1011 Token has been used too many times"
    assert opened(tokens, name, SETUP, timedelta(seconds=59)) == used_up
    for minutes in (2, 20, 29):
        assert opened(tokens, name, RESUMING, timedelta(minutes=minutes)) == ""
    assert opened(tokens, name, RESUMING, timedelta(minutes=30)) == "1011 Token has expired"
    assert opened(tokens, unused, SETUP, timedelta(seconds=60)) == "1011 Token has expired"


def test_a_token_is_good_as_often_and_as_long_as_was_asked() -> None:
    tokens = AuthTokens()
    hours = {"expireTime": at(timedelta(hours=2)), "newSessionExpireTime": at(timedelta(hours=1))}
    thrice, any_number = created(tokens, uses=3, **hours), created(tokens, uses=0, **hours)
    for name, refusals in ((thrice, 2), (any_number, 0)):
        ends = [opened(tokens, name, SETUP, timedelta(minutes=59)) for _ in range(5)]
        assert len([end for end in ends if end]) == refusals
    assert opened(tokens, any_number, SETUP, timedelta(minutes=60)) == "1011 Token has expired"
    assert opened(tokens, any_number, RESUMING, timedelta(minutes=119)) == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"expireTime": at(timedelta(hours=21))}, "expire_time is too far in the future. Maximum"),
        ({"expireTime": at(timedelta(0))}, "expire_time must be in the future."),
        ({"new_session_expire_time": "soon"}, "'auth_token.new_session_expire_time' (Timestamp)"),
        ({"uses": -1}, "'auth_token.uses': a whole number"),
        ({"liveConnectConstraints": {}}, "Unknown name \"liveConnectConstraints\" at 'auth_token'"),
        ({"bidiGenerateContentSetup": {"voice": 1}}, 'Unknown name "voice"'),
        ({"bidiGenerateContentSetup": "any"}, "an object is needed"),
        ({"fieldMask": "model," + "a." * 2000}, "a path is too long"),
    ],
)
def test_a_token_that_cannot_be_is_refused(body: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        created(AuthTokens(), **body)
    assert refused.value.code == 1007
    assert words in refused.value.reason


def test_of_too_many_tokens_the_oldest_are_forgotten() -> None:
    tokens = AuthTokens()
    names = [created(tokens) for _ in range(MAX_TOKENS + 1)]
    assert opened(tokens, names[0], SETUP, timedelta(0)) == "1011 Token not found"
    assert opened(tokens, names[1], SETUP, timedelta(0)) == ""


CLIENT = {
    "model": "models/nobody",
    "generation_config": {"responseModalities": ["AUDIO"], "temperature": 1, "topK": 5},
    "systemInstruction": {"parts": [{"text": "Obey me."}]},
    "sessionResumption": {"handle": "h"},
    "inputAudioTranscription": {},
}


def effective(setup: dict[str, Any] | None, *mask: str) -> Any:
    token = AuthToken(NOON, NOON, 1, json.dumps(setup) if setup is not None else "", mask)
    before = json.dumps(CLIENT)
    merged = constrained(CLIENT, token)
    assert json.dumps(CLIENT) == before
    return merged


def test_a_token_without_a_setup_locks_nothing() -> None:
    assert effective(None) == CLIENT


def test_the_setup_of_a_token_takes_the_place_of_the_clients_whole() -> None:
    setup = {
        "model": "models/gemini-3.8-live",
        "generationConfig": {"responseModalities": ["AUDIO"]},
    }
    assert effective(setup) == {
        "model": "models/gemini-3.8-live",
        "generation_config": {"responseModalities": ["AUDIO"]},
        "session_resumption": {"handle": "h"},
    }
    # A field that the token leaves out has the service's default, e.g. answers in text.
    bare = effective({"model": "models/gemini-3.8-live"})
    assert bare["generation_config"] == {"responseModalities": ["TEXT"]}


def test_a_mask_locks_the_fields_that_it_names_set_or_not() -> None:
    setup = {"model": "models/gemini-3.8-live", "generationConfig": {"temperature": 0.5}}
    merged = effective(
        setup, "model", "generationConfig.temperature", "generationConfig.topK", "systemInstruction"
    )
    assert merged == {
        "model": "models/gemini-3.8-live",
        "generation_config": {"responseModalities": ["AUDIO"], "temperature": 0.5},
        "sessionResumption": {"handle": "h"},
        "inputAudioTranscription": {},
    }
