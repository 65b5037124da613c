import wave
from pathlib import Path

from tests.support.reports import received
from tests.support.signals import silence, tone
from vision_agent.caller.received_audio import ReceivedAudio, write_wav
from vision_agent.caller.utterances import Span


def test_silence_is_no_voice() -> None:
    voice = received((silence(500), 0), (tone(500, level=20), 500))
    assert (voice.voiced_ms, voice.stretches, voice.silent_since()) == (0, [], None)
    assert voice.samples().size == 0


def test_a_voice_has_stretches_that_short_pauses_do_not_part() -> None:
    voice = received((tone(200), 100), (silence(200), 300), (tone(200), 500), (tone(100), 1100))
    assert voice.stretches == [Span(100, 700), Span(1100, 1200)]
    assert voice.voiced_ms == 500
    assert voice.silent_since() == 1200


def test_the_first_voice_after_a_moment_must_begin_after_it() -> None:
    voice = received((tone(400), 100), (tone(200), 2000))
    assert voice.first_after(50) == 100
    assert voice.first_after(150) == 2000
    assert voice.first_after(2001) is None


def test_a_voice_cut_off_tells_how_long_it_went_on() -> None:
    voice = received((tone(400), 100))
    assert voice.silenced_after(440) == 60
    assert voice.silenced_after(90) is None
    assert voice.silenced_after(600) is None


def test_an_interrupted_voice_ends_where_the_next_one_begins_at_once() -> None:
    for next_ms, ended_ms in ((1010, 1050), (1060, 1000), (1250, 1000)):
        voice = received((tone(900), 100))
        voice.interrupted(1005)
        for n in range(50):
            voice.feed(tone(20), next_ms + n * 20)
        first, second = voice.stretches
        assert first == Span(100, ended_ms)
        assert second.end_ms == next_ms + 1000
        assert voice.silenced_after(995) == ended_ms - 995
        # Pauses of the next answer do not divide it.
        voice.feed(tone(20), second.end_ms + 200)
        assert len(voice.stretches) == 2


def test_the_wav_goes_from_the_first_voiced_frame_to_the_last(tmp_path: Path) -> None:
    voice = received((silence(300), 0), (tone(200), 300), (silence(400), 500), (tone(200), 900))
    voice.feed(silence(20), 1100)
    write_wav(tmp_path / "voice.wav", voice.samples())
    with wave.open(str(tmp_path / "voice.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
        assert file.getnframes() == 48 * 800


def test_no_voice_makes_an_empty_wav_that_opens(tmp_path: Path) -> None:
    write_wav(tmp_path / "nothing.wav", ReceivedAudio().samples())
    with wave.open(str(tmp_path / "nothing.wav")) as file:
        assert file.getnframes() == 0
