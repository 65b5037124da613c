from vision_agent.caller.connection_watch import (
    ASK_AFTER_S,
    LOST_AFTER_S,
    MOVED_AFTER_S,
    ConnectionWatch,
)

WIFI, MOBILE = frozenset({"192.0.2.1"}), frozenset({"198.51.100.7"})


def judged(watch: ConnectionWatch, now_s: float, packets: int, addresses: frozenset[str]):
    return watch.judge(now_s, packets, lambda: addresses)


def test_a_connection_that_carries_packets_stands_whatever_the_addresses_do():
    watch = ConnectionWatch(0.0, WIFI)
    assert [judged(watch, i * 0.2, i, MOBILE) for i in range(100)] == [None] * 100


def test_this_machines_addresses_are_not_read_while_packets_come():
    def never():
        raise AssertionError

    watch = ConnectionWatch(0.0, WIFI)
    assert [watch.judge(i * 0.2, i, never) for i in range(100)] == [None] * 100


def test_silence_of_three_seconds_is_borne_and_longer_silence_is_a_loss():
    watch = ConnectionWatch(0.0, WIFI)
    assert judged(watch, 1.0, 50, WIFI) is None
    assert judged(watch, 4.0, 50, WIFI) is None
    assert "nothing was heard" in str(judged(watch, 1.0 + LOST_AFTER_S, 50, WIFI))


def test_silence_is_a_loss_sooner_once_an_address_has_gone_and_another_is_there():
    watch = ConnectionWatch(0.0, WIFI)
    assert judged(watch, 1.0, 50, WIFI) is None
    assert judged(watch, 1.0 + MOVED_AFTER_S, 50, frozenset()) is None  # nowhere to go
    assert judged(watch, 1.0 + MOVED_AFTER_S, 50, WIFI | MOBILE) is None
    assert judged(watch, 1.0 + MOVED_AFTER_S, 50, MOBILE) == "the network has changed"


def test_in_each_silence_the_server_is_asked_once_whether_it_has_the_call():
    watch = ConnectionWatch(0.0, WIFI)
    judged(watch, 1.0, 50, WIFI)
    assert not watch.is_to_ask(1.0 + ASK_AFTER_S / 2)
    assert watch.is_to_ask(1.0 + ASK_AFTER_S)
    assert not watch.is_to_ask(2.0 + ASK_AFTER_S)
    judged(watch, 5.0, 51, WIFI)
    assert watch.is_to_ask(5.01 + ASK_AFTER_S)
