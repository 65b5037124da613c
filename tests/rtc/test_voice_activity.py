import numpy as np

from vision_agent.rtc import VoiceActivity


def fed(activity: VoiceActivity, samples: np.ndarray) -> list[tuple[str, int]]:
    """The events, each with its ms in the samples."""
    events = []
    for n in range(len(samples) // 320):
        event = activity.feed(samples[n * 320 : n * 320 + 320].astype("<i2").tobytes())
        if event:
            events.append((event, (n + 1) * 20))
    return events


def noise(seconds: float, rms: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, rms, round(seconds * 16_000))


def speech(seconds: float, rms: float = 3000) -> np.ndarray:
    """Four syllables a second, with short dips between them."""
    t = np.arange(round(seconds * 16_000)) / 16_000
    envelope = 0.08 + np.abs(np.sin(np.pi * 4 * t))
    voice = sum(np.sin(2 * np.pi * hz * t) / n for n, hz in enumerate((150, 300, 450, 600), 1))
    return voice * envelope * rms


def test_speech_starts_and_stops_once():
    sound = np.concatenate([noise(2, 40), speech(2), noise(2, 40)])
    events = fed(VoiceActivity(), sound)
    assert [kind for kind, _ in events] == ["started", "stopped"]
    assert 2000 < events[0][1] <= 2200
    assert 4200 <= events[1][1] <= 4500


def test_digital_silence_is_not_speech():
    assert fed(VoiceActivity(), np.zeros(16_000 * 5)) == []


def test_speech_from_the_first_moment_is_noticed():
    events = fed(VoiceActivity(), np.concatenate([speech(3), noise(1, 40)]))
    assert [kind for kind, _ in events] == ["started", "stopped"]
    assert events[0][1] <= 300


def test_a_fan_becomes_part_of_the_room_and_speech_above_it_is_still_heard():
    activity = VoiceActivity()
    fed(activity, np.concatenate([noise(2, 40), noise(8, 500)]))
    assert not activity.speaking
    fan = noise(6, 500, seed=1)
    fan[32_000:64_000] += speech(2, 6000)
    assert [kind for kind, _ in fed(activity, fan)] == ["started", "stopped"]


def test_a_click_is_not_speech():
    sound = noise(3, 40)
    sound[16_000:16_320] += 12_000
    assert fed(VoiceActivity(), sound) == []


def test_a_short_pause_between_words_does_not_stop_speech():
    sound = np.concatenate([noise(2, 40), speech(1), noise(0.2, 40), speech(1), noise(1, 40)])
    assert [kind for kind, _ in fed(VoiceActivity(), sound)] == ["started", "stopped"]


def test_silence_before_the_microphone_starts_does_not_count_as_the_room():
    room = noise(0.6, 280)
    sound = np.concatenate([np.zeros(3200), room, speech(2, 9000), noise(1.5, 280, 1)])
    events = fed(VoiceActivity(), sound)
    assert [kind for kind, _ in events] == ["started", "stopped"]
    assert 800 < events[0][1] <= 1000
    assert 3000 < events[1][1] <= 3300
