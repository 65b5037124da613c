"""The speech events that the caller's sound and activity signals cause, and when."""

from __future__ import annotations

import pytest

from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.api.audio_input import AudioInput
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.json_fields import Refused
from vision_agent.local.api.models import MODELS
from vision_agent.local.api.setup_message import Setup
from vision_agent.local.contract import HearingOptions, SpeechStarted, SpeechStopped

LOUD = b"\x10\x10" * 320
QUIET = bytes(640)


def audio_input(*, detects: bool = True) -> tuple[AudioInput, ScriptedEngine]:
    endpoint, engine = Endpoint(vertex=False, version="v1beta"), ScriptedEngine()
    options = HearingOptions(silence_ms=100)
    setup = Setup(endpoint, MODELS["local"], automatic_detection=detects, hearing=options)
    return AudioInput(setup, engine.hearing(options), now_ms=0), engine


async def test_speech_is_found_where_it_starts_and_stops() -> None:
    sound, _ = audio_input()
    assert sound.audio(QUIET, 16_000, 20) == []
    assert sound.audio(LOUD, 16_000, 40) == [SpeechStarted(20)]
    events = [event for _ in range(5) for event in sound.audio(QUIET, 16_000, 60)]
    assert events == [SpeechStopped(40)]


async def test_the_silence_that_ends_an_utterance_of_a_closed_microphone_takes_no_time() -> None:
    sound, _ = audio_input()
    sound.audio(LOUD, 16_000, 20)
    assert sound.microphone_closed() == [SpeechStopped(20)]
    assert sound.stream_ms(20) == 20
    assert sound.microphone_closed() == []
    assert sound.audio(LOUD, 16_000, 40) == [SpeechStarted(20)]


async def test_half_a_second_after_the_agents_voice_its_echo_may_still_come() -> None:
    sound, engine = audio_input()
    for now_ms in (900, 1_499, 1_500):
        sound.audio(QUIET, 16_000, now_ms, agent_until_ms=1_000)
    assert engine.over_agent == [True, True, False]


async def test_another_rate_is_fed_as_16_khz() -> None:
    sound, engine = audio_input()
    for now_ms in range(20, 220, 20):
        sound.audio(bytes(1920), 48_000, now_ms)
    assert 6_400 - 64 * 2 <= engine.fed_bytes <= 6_400


async def test_what_the_client_signals_is_speech_and_nothing_else_is_fed() -> None:
    sound, engine = audio_input(detects=False)
    assert sound.audio(LOUD, 16_000, 20) == []
    assert sound.activity_started(20) == [SpeechStarted(20)]
    assert sound.activity_started(20) == []
    sound.audio(LOUD, 16_000, 40)
    assert sound.activity_ended(40) == [SpeechStopped(40)]
    assert sound.activity_ended(40) == []
    assert engine.fed_bytes == len(LOUD)
    assert sound.microphone_closed() == []


async def test_signals_are_refused_where_the_server_finds_speech_itself() -> None:
    sound, _ = audio_input()
    for signal in (sound.activity_started, sound.activity_ended):
        with pytest.raises(Refused, match="1007 Explicit activity control is not supported"):
            signal(0)
