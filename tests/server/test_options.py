"""The options that the packages below `server` get from `Settings`."""

import pytest

from vision_agent import Settings
from vision_agent.agents.options import OwnServices
from vision_agent.server.options import (
    admission_limits,
    call_settings,
    shared_counts,
    signalling_options,
)


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)


@pytest.mark.parametrize(("max_calls", "lines"), [(1, 1), (2, 2), (4, 3), (20, 15)])
def test_by_default_three_quarters_of_the_lines_are_one_address_s(max_calls, lines):
    assert admission_limits(settings(max_calls=max_calls)).calls_per_address == lines


def test_how_many_calls_an_address_may_have_can_be_said_and_unlimited():
    assert admission_limits(settings(calls_per_address=2)).calls_per_address == 2
    assert admission_limits(settings(calls_per_address=0)).calls_per_address == 0


def test_a_call_is_given_the_ice_servers_with_their_credentials():
    turn = '[{"urls": "turn:turn.example", "username": "u", "credential": "turn-s3cret"}]'
    (server,) = call_settings(settings(ice_servers=turn)).peer.ice_servers.for_call(0.0)
    assert server == {"urls": "turn:turn.example", "username": "u", "credential": "turn-s3cret"}


def test_media_is_received_everywhere_where_ice_servers_are_for_callers_from_elsewhere():
    assert signalling_options(settings()).media_host == ""
    assert signalling_options(settings(ice_servers="stun:stun.example")).media_host == "0.0.0.0"
    chosen = settings(ice_servers="stun:stun.example", media_host="192.0.2.1")
    assert signalling_options(chosen).media_host == "192.0.2.1"


@pytest.mark.parametrize(
    ("given", "shared", "said"),
    [
        ({"token": "s3cret"}, True, False),
        ({"daily_cost_per_user": 1}, True, False),
        ({"daily_minutes_per_address": 1, "session_db": "memory"}, False, True),
        ({"token": "s3cret", "session_db": "memory"}, False, True),
        ({"session_db": "memory"}, False, False),
        ({}, False, False),
    ],
)
def test_what_needs_counting_is_counted_in_the_database_or_the_log_says_where(
    given, shared, said, caplog, tmp_path
):
    caplog.set_level("INFO")
    counts = shared_counts(settings(data_dir=tmp_path, **given), OwnServices())
    assert (counts is not None, "in the memory of this process" in caplog.text) == (shared, said)
