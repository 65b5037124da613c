import pytest

from vision_agent.rtc.candidate import Candidate


@pytest.mark.parametrize(
    "text",
    [
        "1 1 udp 2122252543 192.0.2.1 9 typ host",
        "candidate:1 1 UDP 2122252543 192.0.2.1 9 typ host",
        "a=candidate:1 1 udp 2122252543 2001:db8::1 65535 typ srflx raddr :: rport 0",
        "1 1 udp 1 192.0.2.1 9 typ relay raddr 192.0.2.2 rport 9 generation 0 ufrag x",
    ],
)
def test_an_udp_address_can_be_checked(text):
    assert Candidate.parse(text).usable


@pytest.mark.parametrize(
    "text",
    [
        "1 1 udp 2113937151 807ff16a-27de.local 48592 typ host",
        "1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
        "1 1 tcp 1518280447 192.0.2.1 0 typ host tcptype active",
        "1 1 udp 2113929471 192.0.2.1 0 typ host",
        "1 1 udp 2113929471 999.1.1.1 9 typ host",
        "1 1 udp 2113929471 gw.example.com 9 typ host",
        "1 2 udp 1 192.0.2.1 9 typ host",
        "1 1 udp 1 192.0.2.1 9 typ prflx",
    ],
)
def test_named_tcp_rtcp_learnt_and_impossible_addresses_are_understood_and_not_checked(text):
    assert not Candidate.parse(text).usable
