"""The caller's recent audio that is sent again to a session that has not received it."""

from google.genai import types

from vision_agent.live.connection.recent_audio import LEAD_MS, MAX_MS, RecentAudio

LOUD, QUIET = b"\x00\x10" * 320, bytes(640)


def recorded(*pieces: tuple[bytes, int]) -> RecentAudio:
    """Recent audio made of pieces: the chunk of 20 ms, and how many times."""
    audio = RecentAudio()
    for pcm, count in pieces:
        for _ in range(count):
            audio.add(types.Blob(data=pcm, mime_type="audio/pcm;rate=16000"))
    return audio


def pcm(audio: RecentAudio) -> bytes:
    return b"".join(blob.data or b"" for blob in audio.worth_repeating())


def test_quiet_is_not_repeated():
    assert recorded((QUIET, 100)).worth_repeating() == []


def test_speech_is_repeated_whole_with_a_moment_before_it():
    audio = recorded((QUIET, 100), (LOUD, 30), (QUIET, 10), (LOUD, 5))
    lead = QUIET * (LEAD_MS // 20)
    assert pcm(audio) == lead + LOUD * 30 + QUIET * 10 + LOUD * 5


def test_an_utterance_has_ended_when_it_was_quiet_for_a_while():
    assert recorded().utterance_ended
    assert not recorded((LOUD, 10)).utterance_ended
    assert not recorded((LOUD, 10), (QUIET, 20)).utterance_ended
    assert recorded((LOUD, 10), (QUIET, 30)).utterance_ended


def test_what_was_heard_is_forgotten_but_for_its_end():
    audio = recorded((LOUD, 50))
    audio.forget(keep_ms=200)
    assert pcm(audio) == LOUD * 10
    audio.forget()
    assert pcm(audio) == b""


def test_it_is_bounded_and_the_oldest_goes_first():
    audio = recorded((LOUD, 1), (QUIET, MAX_MS // 20))
    assert pcm(audio) == b""
    assert len(pcm(recorded((LOUD, 2 * MAX_MS // 20)))) == MAX_MS * 32


def test_it_says_what_is_more_than_quiet():
    audio = RecentAudio()
    assert audio.add(types.Blob(data=LOUD, mime_type="audio/pcm"))
    assert not audio.add(types.Blob(data=QUIET, mime_type="audio/pcm"))
