from vision_agent.rtc.liveness import FIRST_CHECK_S, HANDSHAKE_S, Liveness


def peer(**options: float) -> Liveness:
    return Liveness(0, **{"connect_timeout_s": 15.0, "vanished_after_s": 8.0} | options)


def given_up(liveness: Liveness, until_s: float, **counted: object) -> tuple[float, str] | None:
    """When a peer is given up, and why; it is judged once a second, and None means never.

    Args:
        liveness: The peer's.
        until_s: The time of the last judgement.
        counted: What `judge` is given; a function is called with the time.
    """
    at_s = 1.0
    while at_s <= until_s:
        now = {
            "connected": False, "checks": 0, "verified": 0,
            **{name: value(at_s) if callable(value) else value for name, value in counted.items()},
        }  # fmt: skip
        if reason := liveness.judge(at_s, **now):
            return at_s, reason
        at_s += 1.0
    return None


def test_a_peer_that_sends_no_check_is_let_go_early():
    at_s, reason = given_up(peer(), 20)
    assert at_s == FIRST_CHECK_S
    assert "did not connect: no check" in reason


def test_a_peer_whose_handshake_never_ends_is_let_go_soon_after():
    at_s, reason = given_up(peer(), 20, checks=lambda at_s: int(at_s >= 3))
    assert at_s == 3 + HANDSHAKE_S
    assert "handshake" in reason


def test_the_time_to_connect_is_bounded_in_all():
    at_s, reason = given_up(peer(connect_timeout_s=2.0), 20, checks=1)
    assert at_s == 2
    assert "within 2 s" in reason


def test_a_silent_peer_is_let_go_and_its_checks_and_packets_are_no_silence():
    assert given_up(peer(), 60, connected=True, checks=lambda at_s: int(at_s)) is None
    assert given_up(peer(), 60, connected=True, verified=lambda at_s: int(at_s)) is None
    at_s, reason = given_up(peer(), 60, connected=True, checks=lambda at_s: min(10, int(at_s)))
    assert at_s == 17
    assert "nothing was heard" in reason


def test_the_time_that_this_process_was_held_up_is_not_the_peers():
    liveness = peer()
    assert liveness.judge(1, connected=False, checks=0, verified=0) is None
    assert liveness.judge(60, connected=False, checks=0, verified=0) is None
    assert liveness.judge(61, connected=True, checks=1, verified=0) is None
    assert liveness.judge(161, connected=True, checks=1, verified=0) is None
