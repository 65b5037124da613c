"""STUN and TURN servers, as configured and as given to a call."""

import base64
import hashlib
import hmac

import pytest
from pydantic import ValidationError

from vision_agent import Settings
from vision_agent.ice_servers import IceUrl, turn_credentials


def settings(**given) -> Settings:
    return Settings(_env_file=None, **given)


def mistake(**given) -> str:
    with pytest.raises(ValidationError) as error:
        settings(**given)
    return "\n".join(problem["msg"] for problem in error.value.errors())


@pytest.mark.parametrize(
    ("url", "host", "port", "transport", "tls"),
    [
        ("turn:a.example", "a.example", 3478, "udp", False),
        ("turn:a.example:80?transport=tcp", "a.example", 80, "tcp", False),
        ("turns:a.example", "a.example", 5349, "tcp", True),
        ("turns:192.0.2.1:443?transport=tcp", "192.0.2.1", 443, "tcp", True),
        ("turn:[2001:db8::1]:3479", "2001:db8::1", 3479, "udp", False),
        ("stun:a.example", "a.example", 3478, "udp", False),
    ],
)
def test_a_url_says_how_its_server_is_reached(url, host, port, transport, tls):
    at = IceUrl.parse(url)
    assert (at.host, at.port, at.transport, at.tls) == (host, port, transport, tls)
    assert at.is_turn == url.startswith("turn")


@pytest.mark.parametrize(
    "url",
    [
        *("a.example:3478", "turn://a.example", "turn:", "http://a.example", "turn:a.example:0"),
        *("turn:a.example:70000", "turn:a b", "turn:u@a.example", "turn:a:3478?transport=sctp"),
        *("turns:a.example?transport=udp", "stun:a.example?transport=udp", "turn:[::1"),
    ],
)
def test_what_no_browser_could_use_is_refused_in_words(url):
    with pytest.raises(ValueError, match="'") as refused:
        IceUrl.parse(url)
    assert url in str(refused.value)


def test_a_name_ends_at_a_time_and_the_password_is_its_hmac():
    name, password = turn_credentials("s3cret", 1_790_000_000, "ab12")
    assert name == "1790000000:ab12"
    digest = hmac.digest(b"s3cret", name.encode(), hashlib.sha1)
    assert base64.b64decode(password) == digest


def test_every_connection_gets_credentials_of_its_own_for_a_limited_time():
    turn = "turn:a.example, turns:a.example"
    ice = settings(turn=turn, turn_secret="s3cret", turn_lifetime_s=600).ice()
    one, other = ice.for_call(1000.0)[0], ice.for_call(1000.0)[0]
    assert one["urls"] == ["turn:a.example", "turns:a.example"]
    assert one["username"].startswith("1600:")
    assert one["username"] != other["username"]
    assert "s3cret" not in f"{one}{ice!r}"


def test_servers_with_a_fixed_password_stand_beside_them():
    fixed = '[{"urls": "turn:b.example", "username": "u", "credential": "c"}]'
    ice = settings(ice_servers=fixed, turn="turn:a.example", turn_secret="s").ice()
    assert [server["urls"] for server in ice.for_call(0.0)] == [
        "turn:b.example",
        ["turn:a.example"],
    ]
    assert "'c'" not in repr(ice)
    assert not settings().ice()
    assert settings().ice().for_call(0.0) == []


def test_a_secret_can_stand_in_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    read = settings(turn="turn:a.example", turn_secret_file=file)
    assert read.ice().secret == "s3cret"
    assert "s3cret" not in repr(read)
    file.write_text("\n")
    assert "is empty" in mistake(turn="turn:a.example", turn_secret_file=file)
    gone = tmp_path / "none"
    assert "No such file" in mistake(turn="turn:a.example", turn_secret_file=gone)


def test_a_secret_without_a_server_is_no_mistake_since_other_commands_read_it_too():
    assert not settings(turn_secret="s").ice()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"turn": "a.example", "turn_secret": "s"}, "not the address of a STUN or TURN server"),
        ({"turn": "stun:a.example", "turn_secret": "s"}, "not a TURN server"),
        ({"turn": "turn:a.example"}, "secret is missing"),
        ({"turn": "turn:a.example", "turn_secret": ""}, "secret is missing"),
        ({"ice_servers": "turn:a.example"}, "needs a username and a credential"),
        ({"ice_servers": "a.example"}, "not the address of a STUN or TURN server"),
    ],
)
def test_what_cannot_work_is_said_in_a_sentence(given, words):
    assert words in mistake(**given)
