"""The sessions of `POST /start`."""

import math

import pytest

from tests.server.ingress.application import application, offered
from vision_agent.server.ingress import sessions
from vision_agent.server.ingress.sessions import (
    LIFETIME_S,
    MAX_DATA_BYTES,
    MAX_OF_ONE_ADDRESS,
    SURE_S,
    Sessions,
    TooManySessions,
    TooMuchData,
)


def test_an_id_is_known_for_an_hour():
    ids = Sessions()
    one = ids.new("a", 0)
    assert ids.known(one, LIFETIME_S)
    assert not ids.known(one, LIFETIME_S + 1)
    assert not ids.known("made up", 0)
    ids.new("b", LIFETIME_S + 1)
    assert len(ids._all) == len(ids._of) == 1


def test_an_id_is_kept_for_a_minute_whatever_its_address_asks_for_and_then_makes_room():
    ids = Sessions()
    victim, used, first = ids.new("victim", 0), ids.new("a", 0), ids.new("a", 1)
    ids.offered(used)
    newest = [ids.new("a", 2) for _ in range(MAX_OF_ONE_ADDRESS - 1)]
    for _ in range(1_500):
        with pytest.raises(TooManySessions, match="100 sessions of your address") as refused:
            ids.new("a", SURE_S)
    assert refused.value.wait_s == 1
    newest.append(ids.new("a", SURE_S + 1))
    assert not ids.known(first, SURE_S)
    assert all(ids.known(each, SURE_S) for each in (victim, used, *newest))


def test_of_those_that_have_had_their_offer_an_address_keeps_the_newest():
    ids = Sessions()
    given = [ids.new("a", 0) for _ in range(MAX_OF_ONE_ADDRESS)]
    for each in given * 2:
        ids.offered(each)
    ids.offered(one_more := ids.new("a", 0))
    assert [ids.known(each, 0) for each in (*given[:2], one_more)] == [False, True, True]
    ids.offered("made up")


def test_many_addresses_take_bounded_room(monkeypatch):
    monkeypatch.setattr(sessions, "MAX_ALL", 3)
    ids = Sessions()
    given = [ids.new(str(n), n * SURE_S) for n in range(9)]
    assert [ids.known(each, 0) for each in given] == [False] * 6 + [True] * 3
    with pytest.raises(TooManySessions, match="Too many sessions"):
        ids.new("a", 7 * SURE_S - 1)


def test_a_session_keeps_what_it_was_begun_with_while_it_is_known():
    ids = Sessions()
    one = ids.new("a", 0, {"voice": "Kore", "silence_ms": 800})
    assert ids.began_with(one) == {"voice": "Kore", "silence_ms": 800}
    assert ids.began_with(ids.new("a", 0)) == {}
    assert ids.began_with("made up") == {}


def test_what_sessions_are_begun_with_takes_bounded_room_and_no_session_loses_it(monkeypatch):
    monkeypatch.setattr(sessions, "MAX_ALL_DATA_BYTES", 3 * len('{"user": "0"}'))
    ids = Sessions()
    given = [ids.new(str(n), n * SURE_S, {"user": str(n)}) for n in range(5)]
    assert [ids.known(each, 0) for each in given] == [False] * 2 + [True] * 3
    assert [bool(ids.began_with(each)) for each in given] == [False] * 2 + [True] * 3
    with pytest.raises(TooMuchData, match="requestData is larger than"):
        ids.new("a", 0, {"user": "x" * MAX_DATA_BYTES})


async def test_an_address_begins_so_many_sessions_a_minute_and_a_session_its_call():
    async with (
        application(offers_per_minute=2) as client,
        client("192.0.2.1") as one,
        client("192.0.2.2") as other,
        offered() as body,
    ):
        answers = [await one.post("/start") for _ in range(60)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(refused) == 20  # forty at once, and one a minute
        assert int(refused[-1].headers["retry-after"]) > 0
        assert "Too many sessions have been begun from your address." in refused[-1].text
        session_id = answers[0].json()["sessionId"]
        assert (await other.post("/start")).status_code == 200
        path = f"/sessions/{session_id}/api/offer"
        assert (await one.post(path, json=body)).status_code == 200


async def test_a_full_list_of_sessions_says_when_to_try_again(monkeypatch):
    monkeypatch.setattr(sessions, "MAX_OF_ONE_ADDRESS", 2)
    monkeypatch.setattr(sessions, "MAX_ALL", 3)
    async with (
        application() as client,
        client("192.0.2.1") as one,
        client("192.0.2.2") as other,
    ):
        for answers in (200, 200, 429):
            refused = await one.post("/start")
            assert refused.status_code == answers
        for answers in (200, 429):
            refused = await other.post("/start")
            assert refused.status_code == answers
        assert math.isclose(int(refused.headers["retry-after"]), SURE_S, abs_tol=30)
