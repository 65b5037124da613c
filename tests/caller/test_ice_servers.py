from typing import Any

import pytest

from vision_agent.caller.ice_servers import read_ice_servers


def test_a_server_is_read_with_its_credential() -> None:
    turn = {"urls": ["turn:example.org"], "username": "u", "credential": "c"}
    (server,) = read_ice_servers([turn])
    assert (server.urls, server.username, server.credential) == (["turn:example.org"], "u", "c")


def test_keys_that_are_not_known_are_left_out() -> None:
    described = [{"urls": "stun:example.org", "credentialType": "password", "hostname": "x"}]
    assert [server.urls for server in read_ice_servers(described)] == ["stun:example.org"]


@pytest.mark.parametrize(
    "described",
    [
        None,
        "stun:example.org",
        {},
        [None, 3, "stun:example.org", []],
        [{}, {"urls": None}, {"urls": 7}, {"urls": [[]]}, {"urls": "http://example.org"}],
        [{"urls": "stun:"}, {"urls": "turn:a:b:c"}],
    ],
)
def test_what_is_no_server_is_left_out(described: Any) -> None:
    assert read_ice_servers(described) == []
