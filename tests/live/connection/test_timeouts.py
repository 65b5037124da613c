"""How long a connection may still be used after its end is announced, and socket options."""

import pytest
from google.adk.models.google_llm import Gemini
from google.genai import types

from vision_agent.live.call_options import CallOptions
from vision_agent.live.connection.gemini import made_resilient
from vision_agent.live.connection.timeouts import Timeouts


@pytest.mark.parametrize(
    ("time_left", "in_s"),
    [
        ("50s", 48),
        ("10s", 8),
        ("60.000s", 58),
        ("9.500s", 7.5),
        ("50.s", 48),
        ("50", 48),
        (" 50 s ", 48),
        ("1s", 0.5),
        ("0s", 0),
        ("-3s", 0),
        (None, 8),
        ("", 8),
        ("soon", 8),
    ],
)
def test_it_is_left_a_moment_before_its_end(time_left, in_s):
    go_away = types.LiveServerGoAway(time_left=time_left)
    assert Timeouts(go_away_margin_s=2).leaves_in_s(go_away) == in_s


@pytest.mark.parametrize(
    ("asked", "stall_s"),
    [
        ({}, 10),
        ({"thinking_level": "low"}, 10),
        ({"thinking_budget": 0}, 10),
        ({"thinking_level": "high"}, 30),
        ({"thinking_budget": -1}, 30),
        ({"thinking_budget": 20_000}, 30),
    ],
)
def test_a_model_that_may_think_for_long_is_waited_for_longer(asked, stall_s):
    assert Timeouts().for_options(CallOptions.read(asked)).stall_s == stall_s
    assert Timeouts(stall_s=50).for_options(CallOptions.read(asked)).stall_s == 50
    assert Timeouts().for_options(None) == Timeouts()


def test_a_service_as_slow_as_the_slowest_reported_one_is_waited_for():
    options = Timeouts().socket_options
    assert options["ping_timeout"] > 30
    assert options["close_timeout"] > 3


def test_a_model_of_an_agents_own_gets_the_socket_options_that_it_does_not_set_itself():
    args = {"ping_timeout": 90.0}
    own = Gemini(
        model="gemini-3.8-live",
        client_kwargs={"api_key": "k", "http_options": {"async_client_args": args, "timeout": 9}},
    )
    kwargs = made_resilient(own).client_kwargs
    assert kwargs is not None
    assert kwargs["api_key"] == "k"
    assert kwargs["http_options"].timeout == 9
    given = kwargs["http_options"].async_client_args
    assert given.items() >= {**Timeouts().socket_options, "ping_timeout": 90.0}.items()
    assert own.client_kwargs["http_options"]["async_client_args"] == args
