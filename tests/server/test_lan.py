"""The addresses at which other machines reach the server."""

import pytest

from vision_agent.server.lan import hosts_for_others, reachable_hosts

ADDRESSES = ["127.0.0.1", "192.168.1.5", "10.0.0.2", "169.254.3.4", "::1", "fe80::1", "fd00::2"]


def test_the_addresses_that_others_can_dial_are_told() -> None:
    assert hosts_for_others(ADDRESSES, ipv6=False) == ["10.0.0.2", "192.168.1.5"]
    assert hosts_for_others(ADDRESSES, ipv6=True) == ["10.0.0.2", "192.168.1.5", "[fd00::2]"]


@pytest.mark.parametrize(
    ("host", "told"), [("192.168.1.5", "192.168.1.5"), ("fd00::2", "[fd00::2]"), ("box", "box")]
)
def test_one_address_is_itself(host: str, told: str) -> None:
    assert reachable_hosts(host) == [told]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_wildcard_is_the_machine_s_addresses_without_the_loopback(host: str) -> None:
    assert not {"127.0.0.1", "[::1]", host} & set(reachable_hosts(host))
