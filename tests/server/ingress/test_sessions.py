"""The sessions of `POST /start`."""

import pytest

from vision_agent.server.ingress import sessions
from vision_agent.server.ingress.sessions import (
    LIFETIME_S,
    MAX_DATA_BYTES,
    MAX_OF_ONE_ADDRESS,
    Sessions,
    TooMuchData,
)


def test_an_id_is_known_for_an_hour():
    ids = Sessions()
    one = ids.new("a", 0)
    assert ids.known(one, LIFETIME_S)
    assert not ids.known(one, LIFETIME_S + 1)
    assert not ids.known("made up", 0)


def test_an_address_pushes_out_its_own_ids_only():
    ids = Sessions()
    victim, first = ids.new("victim", 0), ids.new("a", 0)
    newest = [ids.new("a", 0) for _ in range(MAX_OF_ONE_ADDRESS)]
    assert ids.known(victim, 0)
    assert not ids.known(first, 0)
    assert all(ids.known(each, 0) for each in newest)


def test_many_addresses_take_bounded_room(monkeypatch):
    monkeypatch.setattr(sessions, "MAX_ADDRESSES", 3)
    ids = Sessions()
    given = [ids.new(str(n), 0) for n in range(9)]
    assert [ids.known(each, 0) for each in given] == [False] * 6 + [True] * 3


def test_a_session_keeps_what_it_was_begun_with_while_it_is_known():
    ids = Sessions()
    one = ids.new("a", 0, {"voice": "Kore", "silence_ms": 800})
    assert ids.began_with(one) == {"voice": "Kore", "silence_ms": 800}
    assert ids.began_with(ids.new("a", 0)) == {}
    assert ids.began_with("made up") == {}
    for _ in range(MAX_OF_ONE_ADDRESS):
        ids.new("a", 0)
    assert ids.began_with(one) == {}


def test_what_sessions_are_begun_with_takes_bounded_room(monkeypatch):
    monkeypatch.setattr(sessions, "MAX_ALL_DATA_BYTES", 3 * len('{"user": "0"}'))
    ids = Sessions()
    given = [ids.new(str(n), 0, {"user": str(n)}) for n in range(5)]
    assert [bool(ids.began_with(each)) for each in given] == [False] * 2 + [True] * 3
    assert all(ids.known(each, 0) for each in given)
    with pytest.raises(TooMuchData, match="requestData is larger than"):
        ids.new("a", 0, {"user": "x" * MAX_DATA_BYTES})
