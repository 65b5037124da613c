from vision_agent.caller.reply_watch import ReplyWatch


def test_a_reply_is_timed_from_the_last_word_to_the_first_of_the_answer() -> None:
    watch = ReplyWatch()
    for at in range(0, 1000, 20):
        watch.sent(5, at)
    assert watch.said_ms is None
    for at in range(1000, 1500, 20):
        watch.sent(4000, at)
    for at in range(1500, 2300, 20):
        watch.sent(5, at)
    assert watch.said_ms == 1480
    assert watch.received(10, 20, 1900) is None
    assert (watch.received_ms, watch.silent_since_ms) == (1920, None)
    assert watch.received(3000, 20, 2280) == 800
    assert watch.received(3000, 20, 2300) is None
    # The caller speaks over the answer: the rest of the old answer is not the new one.
    watch.sent(4000, 2310)
    assert watch.received(3000, 20, 2320) is None
    assert watch.received(3000, 20, 3320) == 1010
    # Sound right after an interruption is the new answer.
    watch.typed(3400)
    assert watch.received(3000, 20, 3420) is None
    watch.interrupted(3425)
    assert watch.received(3000, 20, 3440) is None
    assert watch.received(3000, 20, 3520) == 120


def test_a_noisy_room_is_not_speech() -> None:
    watch = ReplyWatch()
    for at in range(0, 60_000, 20):
        watch.sent(300 + at % 40, at)
    assert watch.said_ms is None or watch.said_ms < 10_000
