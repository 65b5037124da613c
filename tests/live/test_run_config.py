"""The options of a call in ADK's `RunConfig`, and in the setup that arrives at a real Live API."""

import asyncio
from contextlib import aclosing

import pytest
from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.genai import types
from pydantic.alias_generators import to_camel

from tests.live.scripted import server
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.live.call_options import CallOptions
from vision_agent.live.connection.gemini import gemini_at
from vision_agent.live.events import AgentTurnComplete
from vision_agent.live.live_queue import LiveQueue
from vision_agent.live.model_scope import ModelScope
from vision_agent.live.run_config import make_run_config
from vision_agent.live.session import LiveSession
from vision_agent.local import server as local_server

NATIVE = "gemini-2.5-flash-native-audio-preview-12-2025"


def test_the_options_reach_the_run_config():
    config = make_run_config(CallOptions.read({"voice": "kore", "input_transcription": False}))
    assert config.speech_config.voice_config.prebuilt_voice_config.voice_name == "Kore"
    assert config.input_audio_transcription is None
    assert config.output_audio_transcription is not None
    text = make_run_config(CallOptions.read({"modalities": ["TEXT"], "voice": "Kore"}))
    assert text.response_modalities == ["TEXT"]
    assert text.speech_config is None
    assert text.output_audio_transcription is None


@pytest.fixture(scope="module")
def setups():
    """The setups that arrive at the local Live API, which then reads them as usual."""
    arrived, read = [], local_server.read_setup

    def note(setup, endpoint, *more):
        arrived.append(_in_camel_case(setup))
        return read(setup, endpoint, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_server, "read_setup", note)
        yield arrived


def _in_camel_case(value):
    """google-genai writes some names in snake_case; the service takes both (protobuf's JSON)."""
    if isinstance(value, list):
        return [_in_camel_case(each) for each in value]
    if isinstance(value, dict):
        return {to_camel(name): _in_camel_case(each) for name, each in value.items()}
    return value


async def setup_of(running, setups, model: str, asked: dict, **of_agent) -> dict:
    """The setup of a call that is answered."""
    options = CallOptions.read(asked)
    llm = gemini_at(f"https://127.0.0.1:{running.port}", running.certificate_pem, model=model)
    root = LlmAgent(name="tester", model=llm, **of_agent)
    live_queue = LiveQueue()
    conversation = LiveSession(
        Runner(app=App(name="tests", root_agent=root), session_service=InMemorySessionService()),
        make_run_config(options),
        live_queue,
        ModelScope(user_id="u", gate=live_queue, options=options),
        session_id="s",
        model=model,
    )
    setups.clear()
    live_queue.text("hello")
    async with asyncio.timeout(20), aclosing(conversation.events()) as events:
        async for event in events:
            if isinstance(event, AgentTurnComplete):
                break
    (setup,) = setups
    return setup


async def test_every_option_arrives_in_the_setup_and_is_taken(setups):
    async with server(ScriptedEngine()) as running:
        setup = await setup_of(
            running,
            setups,
            "local",
            {
                "language_hints": "de-DE,en",
                "vocabulary": "Aspirin,Xarelto",
                "thinking_budget": 256,
                "media_resolution": "low",
                "turn_coverage": "all_input",
                "start_sensitivity": "low",
                "end_sensitivity": "high",
                "silence_ms": 800,
                "prefix_padding_ms": 100,
                "activity_handling": "no_interruption",
                "proactive_audio": True,
                "affective_dialog": True,
                "translate_to": "de",
                "translate_echo": True,
            },
        )
        bare = await setup_of(running, setups, "local", {})
    assert setup["inputAudioTranscription"] == {
        "languageCodes": ["de-DE", "en"],
        "customVocabulary": ["Aspirin", "Xarelto"],
    }
    generation = setup["generationConfig"]
    assert generation["thinkingConfig"] == {"thinkingBudget": 256}
    assert generation["mediaResolution"] == "MEDIA_RESOLUTION_LOW"
    assert generation["enableAffectiveDialog"] is True
    assert generation["translationConfig"] == {
        "targetLanguageCode": "de",
        "echoTargetLanguage": True,
    }
    assert setup["proactivity"] == {"proactiveAudio": True}
    assert setup["realtimeInputConfig"] == {
        "automaticActivityDetection": {
            "startOfSpeechSensitivity": "START_SENSITIVITY_LOW",
            "endOfSpeechSensitivity": "END_SENSITIVITY_HIGH",
            "silenceDurationMs": 800,
            "prefixPaddingMs": 100,
        },
        "activityHandling": "NO_INTERRUPTION",
        "turnCoverage": "TURN_INCLUDES_ALL_INPUT",
    }
    assert bare["inputAudioTranscription"] == {}
    assert "realtimeInputConfig" not in bare
    assert "proactivity" not in bare
    assert bare["generationConfig"] == {"responseModalities": ["AUDIO"]}


async def test_a_level_of_thinking_arrives_and_takes_precedence_over_the_agents_own(setups):
    own = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(thinking_budget=9),
        media_resolution=types.MediaResolution.MEDIA_RESOLUTION_HIGH,
    )
    asked = {"thinking_level": "minimal", "media_resolution": "medium"}
    async with server(ScriptedEngine()) as running:
        chosen = await setup_of(running, setups, "local", asked, generate_content_config=own)
        left = await setup_of(running, setups, "local", {}, generate_content_config=own)
    assert chosen["generationConfig"]["thinkingConfig"] == {"thinkingLevel": "MINIMAL"}
    assert chosen["generationConfig"]["mediaResolution"] == "MEDIA_RESOLUTION_MEDIUM"
    assert left["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 9}
    assert left["generationConfig"]["mediaResolution"] == "MEDIA_RESOLUTION_HIGH"


async def test_an_always_proactive_model_is_not_asked_for_what_it_does_anyway(setups):
    async with server(ScriptedEngine()) as running:
        setup = await setup_of(running, setups, "gemini-3.8-live", {"proactive_audio": True})
    assert "proactivity" not in setup


@pytest.mark.parametrize("model", ["local", "gemini-3.8-live"])
async def test_proactive_video_arrives_although_google_genai_may_have_no_field_for_it(
    setups, model
):
    async with server(ScriptedEngine()) as running:
        asked = await setup_of(running, setups, model, {"proactive_video": True})
        off = await setup_of(running, setups, model, {"proactive_video": False})
    assert asked["proactivity"] == {"proactiveAudio": True, "proactiveVideo": True}
    assert "proactivity" not in off


@pytest.mark.parametrize(
    ("model", "asked", "thinking"),
    [
        ("gemini-3.8-live-extended-thinking", {"thinking_level": "xhigh"}, "XHIGH"),
        ("gemini-3.1-flash-live-preview", {"thinking_level": "minimal"}, "MINIMAL"),
    ],
)
async def test_a_model_that_takes_a_level_of_thinking_gets_it(setups, model, asked, thinking):
    async with server(ScriptedEngine()) as running:
        setup = await setup_of(running, setups, model, asked)
    assert setup["generationConfig"]["thinkingConfig"] == {"thinkingLevel": thinking}
