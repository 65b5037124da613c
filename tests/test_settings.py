"""The options: read, checked, and never shown where they are secret."""

import pytest
from pydantic import ValidationError

from vision_agent import IceServer, Settings

SECRETS = {
    "token": "t0ken-s3cret",
    "session_db": "postgresql://user:passw0rd-s3cret@host/name",
    "ice_servers": '[{"urls": "turn:turn.example", "username": "u", "credential": "turn-s3cret"}]',
}


def test_no_secret_is_in_what_is_printed_of_them():
    settings = Settings(_env_file=None, **SECRETS)
    for text in (repr(settings), str(settings), repr(settings.ice_servers)):
        assert "s3cret" not in text
    (server,) = settings.rtc_ice_servers()
    assert server.credential == "turn-s3cret"
    assert settings.database_url() == SECRETS["session_db"]


def test_no_secret_is_in_what_is_said_about_a_mistake():
    with pytest.raises(ValidationError) as mistake:
        Settings(_env_file=None, ice_servers='[{"urls": 1, "credential": "turn-s3cret"}]')
    assert "s3cret" not in str(mistake.value)


def test_a_turn_server_is_described_whole_for_browsers():
    server = IceServer(urls="turn:turn.example", username="u", credential="c")
    assert server.described() == {"urls": "turn:turn.example", "username": "u", "credential": "c"}
    assert IceServer(urls="stun:stun.example").described() == {"urls": "stun:stun.example"}


@pytest.mark.parametrize("proxy", ["nonsense", "10.0.0.0/99", "127.0.0.1:80"])
def test_a_proxy_is_an_address_or_a_network(proxy):
    with pytest.raises(ValidationError, match="trusted_proxies"):
        Settings(_env_file=None, trusted_proxies=proxy)


def test_what_tools_get_and_give_is_not_reported_unless_it_is_asked_for():
    assert Settings(_env_file=None).tool_reports == "name"
    with pytest.raises(ValueError, match="none"):
        Settings(_env_file=None, tool_reports="everything")
