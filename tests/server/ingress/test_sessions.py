"""Session ids of `POST /start`."""

from vision_agent.server.ingress import sessions
from vision_agent.server.ingress.sessions import LIFETIME_S, MAX_OF_ONE_ADDRESS, Sessions


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
