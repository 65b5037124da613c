"""Calls from this machine have one user on each server, and a different one on every other."""

import stat

from vision_agent.live.sessions.caller_identity import CallerIdentity
from vision_agent.talk.identity import identity


def test_it_is_the_same_in_each_call_and_another_on_another_machine(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    mine = identity(here, "http://127.0.0.1:1234")
    assert identity(here, "http://localhost:5678") == identity(here, "http://[::1]:1") == mine
    assert identity(there, "http://127.0.0.1:1234") != mine
    assert CallerIdentity.claimed(mine).user_id


def test_a_server_elsewhere_is_told_another_one_than_a_second_server(tmp_path):
    urls = (
        "http://127.0.0.1:1",
        "https://a.example",
        "https://b.example",
        "https://a.example:8443",
    )
    assert len({identity(tmp_path, url) for url in urls}) == 4
    assert identity(tmp_path, "https://A.example/") == identity(tmp_path, "https://a.example")


def test_the_secret_behind_it_is_its_owners_alone(tmp_path):
    identity(tmp_path / "data", "http://127.0.0.1:1")
    assert stat.S_IMODE((tmp_path / "data" / "caller").stat().st_mode) == 0o600
