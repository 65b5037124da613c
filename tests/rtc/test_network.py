import pytest

from vision_agent.rtc.network import Network, receiving_host

HERE = ["192.0.2.2", "fd00::2"]


def test_media_is_received_on_all_addresses_and_on_loopback():
    assert Network().addresses(HERE) == [*HERE, "127.0.0.1"]
    assert Network().addresses([*HERE, "127.0.0.1"]) == [*HERE, "127.0.0.1"]


def test_media_is_received_on_one_address_where_one_is_given():
    assert Network("192.0.2.2").addresses(HERE) == ["192.0.2.2"]
    assert Network("127.0.0.1").addresses(HERE) == ["127.0.0.1"]
    assert Network("::1").addresses(HERE) == ["::1", "127.0.0.1"]


def test_a_neighbour_of_a_server_on_loopback_is_met_at_the_addresses_both_have():
    offered = ["192.0.2.2", "198.51.100.7", "caller.local"]
    assert Network("127.0.0.1").more_addresses(offered, HERE) == ["192.0.2.2"]
    # A caller from elsewhere, behind a proxy, may name any address.
    assert Network("127.0.0.1", caller_is_local=False).more_addresses(offered, HERE) == []
    assert Network("192.0.2.2").more_addresses(offered, HERE) == []
    assert Network().more_addresses(offered, HERE) == []


@pytest.mark.parametrize(
    ("media_host", "server_host", "reached_at", "received_on"),
    [
        ("", "127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("", "127.0.0.1", None, "127.0.0.1"),
        ("", "localhost", "127.0.0.1", "127.0.0.1"),
        ("", "::1", "::1", "::1"),
        ("", "0.0.0.0", "127.0.0.1", ""),
        ("", "0.0.0.0", "192.0.2.2", ""),
        ("", "192.0.2.2", "192.0.2.2", ""),
        # Another ASGI server may listen on any address, whatever the option says.
        ("", "127.0.0.1", "192.0.2.2", ""),
        ("0.0.0.0", "127.0.0.1", "127.0.0.1", ""),
        ("192.0.2.2", "127.0.0.1", "127.0.0.1", "192.0.2.2"),
    ],
)
def test_media_is_received_where_the_server_listens_or_as_the_option_says(
    media_host, server_host, reached_at, received_on
):
    assert receiving_host(media_host, server_host, reached_at) == received_on


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "0.1.2.3",
        "255.255.255.255",
        "240.0.0.1",
        "224.0.0.251",
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
        "::",
        "::ffff:192.0.2.1",
    ],
)
def test_addresses_of_no_single_machine_get_no_checks(host):
    assert not Network().is_worth_a_check(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.9", "10.0.0.7", "192.168.1.5", "100.64.0.1", "fd00::9", "2001:db8::1"]
)
def test_addresses_of_machines_get_checks_private_ones_too(host):
    assert Network(caller_is_local=False).is_worth_a_check(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_gets_checks_only_for_a_caller_on_this_machine(host):
    assert Network(caller_is_local=True).is_worth_a_check(host)
    assert Network("127.0.0.1", caller_is_local=False).is_worth_a_check(host)
    assert not Network(caller_is_local=False).is_worth_a_check(host)
