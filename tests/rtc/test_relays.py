"""STUN and TURN servers that don't answer delay few calls, and are logged once."""

import logging

from vision_agent.rtc import failures
from vision_agent.rtc.own.aiortc import RTCIceServer
from vision_agent.rtc.relays import (
    LONGEST_S,
    NO_ADDRESS,
    RETRY_AFTER_S,
    Outages,
    stun_servers,
    turn_servers,
)

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
        assert outages.to_ask([udp, tls], later_s) == [tls]  # the call before is trying the other
        outages.failed(udp, "no answer within 2 s", later_s)
        outages.worked(udp)
        outages.worked(tls)
    assert failures.counts[NO_ADDRESS] == before + 2
    said = [record.message for record in caplog.records]
    assert [text.partition(" ")[0] for text in said] == ["turn:a.example"] * 2
    assert "again" in said[1]
    assert outages.to_ask([udp, tls], later_s) == [udp, tls]


def test_a_server_that_stays_away_is_asked_less_and_less_often():
    udp, _ = turn_servers(SERVERS)
    outages, now_s, pauses = Outages(), 100.0, []
    for _ in range(8):
        outages.failed(udp, "no answer within 2 s", now_s)
        began_s = now_s
        while not outages.to_ask([udp], now_s):
            now_s += 1.0
        pauses.append(now_s - began_s)
    assert pauses == [RETRY_AFTER_S, 4.0, 8.0, 16.0, 32.0, *[LONGEST_S] * 3]
