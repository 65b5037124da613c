"""The options are read and checked, and secret ones are never shown."""

import logging
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from vision_agent import IceServer, Settings, unknown_options
from vision_agent.live.call_options import CallOptions

SECRETS = {
    "token": "t0ken-s3cret",
    "session_db": "postgresql://user:passw0rd-s3cret@host/name",
    "ice_servers": '[{"urls": "turn:turn.example", "username": "u", "credential": "turn-s3cret"}]',
}


def test_no_secret_is_in_what_is_printed_of_them():
    settings = Settings(_env_file=None, **SECRETS)
    for text in (repr(settings), str(settings), repr(settings.ice_servers)):
        assert "s3cret" not in text
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


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("allowed_hosts", "https://agent.example"),
        ("allowed_hosts", "agent.example:7860"),
        ("allowed_hosts", "agent.example/agent"),
        ("allowed_hosts", "a*.example"),
        ("cors_origins", "shop.example"),
        ("cors_origins", "https://shop.example/page"),
        ("cors_origins", "*.shop.example"),
        ("frame_ancestors", "https://a.example; script-src *"),
        ("frame_ancestors", "https://a.example https://b.example"),
        ("host", ""),
        ("operator_host", " "),
    ],
)
def test_a_name_or_a_site_that_would_never_be_met_is_refused(option, value):
    with pytest.raises(ValidationError, match=f"{option}\n.*write "):
        Settings(_env_file=None, **{option: value})


def test_names_and_sites_are_taken_in_every_form_that_a_request_may_have():
    hosts = [
        "agent.example",
        "*.agent.example",
        "*",
        "192.0.2.1",
        "2001:db8::1",
        "[::1]",
        "münchen.example",
    ]
    origins = "https://Shop.example/, http://localhost:3000, capacitor://localhost, *, null"
    settings = Settings(_env_file=None, allowed_hosts=hosts, cors_origins=origins)
    assert settings.allowed_hosts == hosts
    assert settings.cors_origins == [
        "https://shop.example",
        "http://localhost:3000",
        "capacitor://localhost",
        "*",
        "null",
    ]
    ancestors = ["'self'", "*", "https://*.example.org", "https:"]
    assert Settings(_env_file=None, frame_ancestors=ancestors).frame_ancestors == ancestors


def test_what_tools_get_and_give_is_not_reported_unless_it_is_asked_for():
    assert Settings(_env_file=None).tool_reports == "name"
    with pytest.raises(ValueError, match="none"):
        Settings(_env_file=None, tool_reports="everything")


def test_the_example_of_a_env_file_lists_every_option_once():
    text = (Path(__file__).parent.parent / ".env.example").read_text()
    listed = re.findall(r"^#?VISION_AGENT_(\w+)=", text, re.MULTILINE)
    assert sorted(name.lower() for name in listed) == sorted(Settings.model_fields)


def test_a_keyword_that_is_no_option_is_an_error_that_names_the_nearest():
    with pytest.raises(ValidationError, match=r"'max_cals' is not an option\. Nearest: max_calls"):
        Settings(_env_file=None, max_cals=3)


def test_a_variable_that_is_no_option_is_told_once_with_the_nearest(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(unknown_options, "_told", set())
    file = tmp_path / ".env"
    file.write_text("GOOGLE_API_KEY=x\nVISION_AGENT_TOKN=x\nVISION_AGENT_PORT=0\n")
    monkeypatch.setenv("VISION_AGENT_MAX_CALS", "3")
    monkeypatch.setenv("VISION_AGENT_LOCAL_KEY", "x")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert Settings(_env_file=file).port == 0
    assert [record.getMessage() for record in caplog.records] == [
        "VISION_AGENT_TOKN (.env) is not an option. Nearest: VISION_AGENT_TOKEN.",
        "VISION_AGENT_MAX_CALS (environment) is not an option. Nearest: VISION_AGENT_MAX_CALLS.",
    ]


@pytest.mark.parametrize("path", ["agent", "/agent/", "/a b"])
def test_a_prefix_is_a_path_without_its_last_slash(path):
    with pytest.raises(ValidationError, match="root_path"):
        Settings(_env_file=None, root_path=path)


def test_the_settings_of_an_answer_are_those_that_a_call_may_ask_for() -> None:
    assert set(Settings().answers()) == set(CallOptions.model_fields)


def test_a_voice_that_is_an_address_is_no_voice_of_the_model():
    assert Settings(voice="http://a.example/v1").answers()["voice"] is None
    assert Settings(voice="Kore").answers()["voice"] == "Kore"


def test_ports_and_public_addresses_are_read_in_every_form():
    settings = Settings(_env_file=None, udp_ports=" 50000 - 50100", public_ip="203.0.113.5, ::1")
    assert settings.port_range() == (50000, 50100)
    assert settings.public_ip == ["203.0.113.5", "::1"]
    assert Settings(_env_file=None, public_ip=["auto", "stun:a:1,10.0.0.1"]).public_ip == [
        "auto",
        "stun:a:1",
        "10.0.0.1",
    ]
    with_port = ["203.0.113.5:40000", "[2001:db8::5]:40000"]
    assert Settings(_env_file=None, public_ip=with_port).public_ip == with_port
    assert Settings(_env_file=None, udp_port="", udp_ports="").udp_port is None


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ({"udp_port": 70000}, "udp_port"),
        ({"udp_ports": "50100-50000"}, "50000-50100"),
        ({"udp_ports": "all"}, "50000-50100"),
        ({"udp_ports": "0-9"}, "from 1 to 65535"),
        ({"udp_ports": "1-2-3"}, "50000-50100"),
        ({"udp_port": 1, "udp_ports": "1-2"}, "choose one"),
        ({"public_ip": "example.org"}, "'example.org' is not an IP address"),
        ({"public_ip": "0.0.0.0"}, "Callers can't reach a server"),
        ({"public_ip": "stun:"}, "not the address of a STUN"),
        ({"public_ip": "203.0.113.5:0"}, "Callers can't reach a server"),
        ({"public_ip": "203.0.113.5:x"}, "is not an IP address"),
        ({"public_ip": "203.0.113.5:99", "udp_ports": "1-2"}, "names one port"),
    ],
)
def test_a_port_or_an_address_that_cannot_be_is_refused_in_words(mistake, words):
    with pytest.raises(ValidationError, match=words):
        Settings(_env_file=None, **mistake)


@pytest.mark.parametrize("option", [{"record_consent": True}, {"keep_recordings": 30}])
def test_what_recordings_need_is_refused_without_their_folder(option):
    with pytest.raises(ValidationError, match=f"{next(iter(option))}: recordings have no folder"):
        Settings(_env_file=None, **option)


def test_recordings_are_not_deleted_while_their_calls_may_go_on():
    with pytest.raises(ValidationError, match=r"an hour .* at least"):
        Settings(_env_file=None, record="x", keep_recordings=0.04)
    assert Settings(_env_file=None, record="x", keep_recordings=0.042).keep_recordings == 0.042


@pytest.mark.parametrize("limit", ["max_minutes", "max_mb", "min_free_mb"])
def test_a_recordings_limit_is_a_number_that_there_is(limit):
    with pytest.raises(ValidationError, match="finite number"):
        Settings(_env_file=None, record="x", **{f"record_{limit}": "inf"})


@pytest.mark.parametrize("token", ["REPLACE with a secret", "two\nlines", " padded", "padded "])
def test_a_token_that_no_client_can_send_as_it_is_is_refused(token):
    with pytest.raises(ValidationError, match="token: it is the example's"):
        Settings(_env_file=None, token=token)
