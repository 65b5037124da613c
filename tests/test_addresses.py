"""The caller's address, directly and through proxies."""

import logging

import pytest

from vision_agent.addresses import Proxies, RealCaller, counted_as, is_loopback


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded_for", "caller"),
    [
        ([], "9.9.9.9", [], "9.9.9.9"),
        ([], "127.0.0.1", ["1.1.1.1"], "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        (["127.0.0.1"], "9.9.9.9", ["1.1.1.1"], "9.9.9.9"),
        (["10.0.0.0/8"], "10.1.2.3", ["6.6.6.6, 1.1.1.1, 10.0.0.7"], "1.1.1.1"),
        (["10.0.0.0/8"], "10.1.2.3", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        (["127.0.0.1"], "127.0.0.1", ["1.1.1.1:4711"], "1.1.1.1"),
        (["127.0.0.1"], "::ffff:127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        (["127.0.0.1"], "127.0.0.1", ["1.1.1.1, nonsense"], ""),
        (["127.0.0.1"], "127.0.0.1", [], ""),
        # A caller may be in the proxies' own network, whatever is claimed before its address.
        (["10.0.0.0/8"], "10.1.2.3", ["10.0.0.9, 10.0.0.7"], "10.0.0.9"),
        (["10.0.0.0/8"], "10.1.2.3", ["nonsense, 10.0.0.9"], "10.0.0.9"),
        (["127.0.0.1"], "127.0.0.1", ["127.0.0.1"], "127.0.0.1"),
        (["*"], "9.9.9.9", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        (["127.0.0.1"], "", ["1.1.1.1"], "1.1.1.1"),
        ([], "", ["1.1.1.1"], ""),
    ],
)
def test_only_a_trusted_proxy_says_who_calls(trusted, peer, forwarded_for, caller):
    assert Proxies(trusted).caller(peer, forwarded_for) == caller


def test_one_ipv6_network_counts_as_one_address():
    assert counted_as("2001:db8::1") == counted_as("2001:db8::ffff:2")
    assert counted_as("2001:db8::1") != counted_as("2001:db8:0:1::1")
    assert counted_as("::ffff:1.1.1.1") == counted_as("1.1.1.1")
    assert counted_as("not an address") == "not an address"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_this_machine_s_own_addresses(host):
    assert is_loopback(host)
    assert not is_loopback("192.168.1.2")


async def test_a_proxy_that_is_not_trusted_is_said_once(caplog):
    seen = []

    async def app(scope, receive, send) -> None:
        seen.append(scope["client"])

    scope = {
        "type": "http",
        "client": ("127.0.0.1", 4711),
        "headers": [(b"x-forwarded-for", b"1.1.1.1")],
    }
    caller = RealCaller(app, Proxies([]))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await caller(scope, None, None)
    assert seen == [("127.0.0.1", 4711)] * 3
    (record,) = caplog.records
    assert "VISION_AGENT_TRUSTED_PROXIES" in record.message
