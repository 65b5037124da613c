from vision_agent.local.contract import HearingOptions, SpeechStarted, SpeechStopped
from vision_agent.local.engine.hearing.endpointing import CHUNK_MS, Endpointer, Sensitivity


def run(
    endpointer: Endpointer, probabilities: list[float]
) -> list[tuple[int, SpeechStarted | SpeechStopped]]:
    """Each event, with the stream time at which it came."""
    events = []
    for i, probability in enumerate(probabilities, 1):
        event = endpointer.feed(probability, i * CHUNK_MS)
        if event is not None:
            events.append((i * CHUNK_MS, event))
    return events


def test_speech_begins_where_the_voice_began_and_is_known_100_ms_later() -> None:
    events = run(Endpointer(Sensitivity()), [0.0] * 10 + [0.9] * 10)
    assert events == [(416, SpeechStarted(320))]


def test_a_soft_beginning_is_part_of_the_voice_but_not_in_noise() -> None:
    soft = [0.0] * 10 + [0.4, 0.9, 0.9]
    assert run(Endpointer(Sensitivity()), soft) == [(416, SpeechStarted(320))]
    endpointer = Endpointer(Sensitivity())
    events = [endpointer.feed(p, n * CHUNK_MS, clear=False) for n, p in enumerate(soft, 1)]
    assert not any(events)


def test_a_click_is_not_speech() -> None:
    assert run(Endpointer(Sensitivity()), [0.0, 0.9, 0.9, 0.0] * 20) == []


def test_speech_ends_after_the_silence_asked_for_and_is_dated_back() -> None:
    events = run(Endpointer(Sensitivity(silence_ms=600)), [0.9] * 10 + [0.0] * 30)
    assert events[0] == (96, SpeechStarted(0))
    came_ms, stopped = events[1]
    assert stopped == SpeechStopped(320)
    assert 920 <= came_ms <= 920 + CHUNK_MS


def test_a_pause_shorter_than_the_silence_does_not_end_speech() -> None:
    events = run(Endpointer(Sensitivity(silence_ms=600)), ([0.9] * 10 + [0.1] * 15) * 3)
    assert events == [(96, SpeechStarted(0))]


def test_what_hardly_stands_out_from_the_noise_has_to_be_surer() -> None:
    def starts(probability: float, *, clear: bool) -> bool:
        endpointer = Endpointer(Sensitivity())
        return any(endpointer.feed(probability, n * CHUNK_MS, clear=clear) for n in range(1, 20))

    assert starts(0.6, clear=True)
    assert not starts(0.6, clear=False)
    assert starts(0.9, clear=False)


def test_while_speaking_a_weaker_voice_still_counts() -> None:
    endpointer = Endpointer(Sensitivity(silence_ms=100))
    assert run(endpointer, [0.9] * 5 + [0.4] * 50) == [(96, SpeechStarted(0))]


def test_low_sensitivity_asks_for_clearer_and_longer_speech_and_waits_longer() -> None:
    low = Sensitivity.of(HearingOptions(600, "LOW", "LOW"))
    assert run(Endpointer(low), [0.6] * 50) == []
    assert run(Endpointer(low), [0.9] * 5 + [0.0] * 5) == []
    [_, (came_ms, _)] = run(Endpointer(low), [0.9] * 10 + [0.0] * 50)
    assert 320 + 900 <= came_ms <= 320 + 900 + CHUNK_MS


def test_speech_can_begin_again_after_it_ended() -> None:
    events = run(Endpointer(Sensitivity(silence_ms=200)), ([0.9] * 10 + [0.0] * 10) * 2)
    assert [type(event) for _, event in events] == [SpeechStarted, SpeechStopped] * 2


def test_prefix_padding_is_the_speech_it_takes_to_begin() -> None:
    quick, slow = (
        run(
            Endpointer(Sensitivity.of(HearingOptions(prefix_padding_ms=prefix_ms))),
            [0.0] * 10 + [0.9] * 20,
        )
        for prefix_ms in (20, 320)
    )
    assert quick == [(352, SpeechStarted(320))]
    assert slow == [(640, SpeechStarted(320))]
