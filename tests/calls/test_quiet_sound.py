"""Joining the sound of a quiet microphone."""

from vision_agent.calls.quiet_sound import JOINED_CHUNKS, QUIET_AFTER_CHUNKS, QuietSound


def chunks(first: int, many: int) -> list[bytes]:
    return [n.to_bytes(2) for n in range(first, first + many)]


def test_silence_is_joined_only_once_a_turn_must_have_ended_and_a_voice_is_sent_at_once():
    sound = QuietSound()
    just_after = chunks(0, QUIET_AFTER_CHUNKS)
    assert [sound.add(chunk, voiced=False) for chunk in just_after] == just_after

    silence = chunks(100, JOINED_CHUNKS)
    assert [sound.add(chunk, voiced=False) for chunk in silence] == [
        *[b""] * (JOINED_CHUNKS - 1),
        b"".join(silence),
    ]

    waiting, voice, pause = chunks(200, 3)
    assert sound.add(waiting, voiced=False) == b""
    assert sound.add(voice, voiced=True) == waiting + voice
    assert sound.add(pause, voiced=False) == pause


def test_what_waits_is_sent_when_the_sound_ends():
    sound = QuietSound()
    for chunk in chunks(0, QUIET_AFTER_CHUNKS):
        sound.add(chunk, voiced=False)
    first, second = chunks(100, 2)
    assert sound.add(first, voiced=False) + sound.add(second, voiced=False) == b""
    assert sound.rest() == first + second
    assert sound.rest() == b""
