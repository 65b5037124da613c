"""TURN servers that don't answer cost one call in a minute its time, and are named once."""

import logging

from vision_agent.rtc import failures
from vision_agent.rtc.own.aiortc import RTCIceServer
from vision_agent.rtc.relays import NO_ADDRESS, RETRY_AFTER_S, Outages, stun_servers, turn_servers

SERVERS = [
    RTCIceServer(["stun:a.example", "stuns:a.example", "stun:[::1]", "stun:"]),
    RTCIceServer(["turn:a.example", "turns:a.example"], username="u", credential="c"),
]


def test_the_servers_of_a_list_are_told_apart():
    assert [server.url for server in stun_servers(SERVERS)] == ["stun:a.example"]
    assert [server.url for server in turn_servers(SERVERS)] == ["turn:a.example", "turns:a.example"]
    assert "'c'" not in repr(turn_servers(SERVERS))


def test_a_silent_server_is_left_out_until_one_call_tries_it_again(caplog):
    udp, tls = turn_servers(SERVERS)
    outages, before = Outages(), failures.counts[NO_ADDRESS]
    assert outages.to_ask([udp, tls], 0.0) == [udp, tls]
    with caplog.at_level(logging.WARNING):
        outages.failed(udp, "no answer within 2 s", 2.0)
        assert outages.to_ask([udp, tls], 3.0) == [tls]
        later_s = 2.0 + RETRY_AFTER_S
        assert outages.to_ask([udp, tls], later_s) == [udp, tls]
        assert outages.to_ask([udp, tls], later_s) == [tls]  # the other one is asking
        outages.failed(udp, "no answer within 2 s", later_s)
        outages.worked(udp)
        outages.worked(tls)
    assert failures.counts[NO_ADDRESS] == before + 2
    said = [record.message for record in caplog.records]
    assert [text.partition(" ")[0] for text in said] == ["turn:a.example"] * 2
    assert "again" in said[1]
    assert outages.to_ask([udp, tls], later_s) == [udp, tls]
