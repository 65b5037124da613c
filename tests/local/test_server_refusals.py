"""The local Live API's refusals of keys, models, setups and messages, with their texts."""

from __future__ import annotations

import json

import pytest
import websockets
from google.genai import Client, errors, types

from tests.local.ended_connections import closed
from tests.local.live_clients import (
    MODEL_2,
    MODEL_3,
    SETUP,
    STUDIO_PATH,
    Connect,
    raw,
    studio_client,
    trusting,
    vertex_client,
)
from tests.local.live_talk import LOUD, Heard, audio, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local.contract import Say
from vision_agent.local.scenarios.scenario_file import read_scenario
from vision_agent.local.server import LocalServer, serve


async def refusal(client: Client, model: str, **config: object) -> tuple[int, str]:
    config.setdefault("response_modalities", ["AUDIO"])
    with pytest.raises(errors.APIError) as refused:
        async with client.aio.live.connect(model=model, config=types.LiveConnectConfig(**config)):
            pass
    return refused.value.code, str(refused.value)


async def test_google_genai_hears_why_a_key_is_refused(server: LocalServer) -> None:
    code, words = await refusal(studio_client(server, key="invalid-key"), MODEL_2)
    assert code == 1007
    assert "API key not valid. Please pass a valid API key." in words


async def test_google_genai_hears_why_a_token_is_refused(server: LocalServer) -> None:
    code, words = await refusal(vertex_client(server, token="invalid-token"), MODEL_3)
    assert code == 1008
    assert "Request had invalid authentication credentials" in words


async def test_google_genai_hears_that_a_model_is_not_live(server: LocalServer) -> None:
    code, words = await refusal(studio_client(server), "gemini-2.5-flash")
    assert code == 1008
    assert "models/gemini-2.5-flash is not found for API version v1alpha, or is not sup" in words
    code, words = await refusal(vertex_client(server), "gemini-x")
    assert code == 1008
    assert "Publisher model `publishers/google/models/gemini-x` was not found" in words


async def test_google_genai_hears_about_voices_and_modalities(server: LocalServer) -> None:
    speech = types.SpeechConfig(
        voice_config=types.VoiceConfig(
            prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="NotAVoice")
        )
    )
    code, words = await refusal(studio_client(server), MODEL_2, speech_config=speech)
    assert code == 1007
    assert "Requested voice api_name 'NotAVoice' is not available" in words
    code, words = await refusal(
        studio_client(server), MODEL_2, response_modalities=["AUDIO", "TEXT"]
    )
    assert code == 1007
    assert "At most one response modality" in words
    proactivity = types.ProactivityConfig(proactive_audio=False)
    code, words = await refusal(studio_client(server), MODEL_3, proactivity=proactivity)
    assert code == 1007
    assert "Proactive audio cannot be disabled" in words


async def test_what_3_8_does_not_have_ends_the_session_at_the_first_message(
    connect: Connect,
) -> None:
    async with connect(MODEL_3, enable_affective_dialog=True) as session:
        await session.send_realtime_input(text="hello")
        with pytest.raises(errors.APIError, match=r"1007.*Request contains an invalid argument"):
            async for _ in session.receive():
                pass


async def test_a_session_ends_with_the_reason_when_the_client_breaks_the_protocol(
    connect: Connect,
) -> None:
    async with connect(MODEL_3) as session:
        await session.send_realtime_input(media=audio(LOUD))
        with pytest.raises(errors.APIError) as ended:
            async for _ in session.receive():
                pass
    assert ended.value.code == 1007
    assert "realtime_input.media_chunks is deprecated" in str(ended.value)


async def test_signalled_activity_needs_automatic_detection_to_be_off(connect: Connect) -> None:
    async with connect() as session:
        await session.send_realtime_input(activity_start=types.ActivityStart())
        with pytest.raises(errors.APIError, match="Explicit activity control is not supported"):
            async for _ in session.receive():
                pass


async def test_3_1_takes_client_content_at_any_time(connect: Connect) -> None:
    async with connect("gemini-3.1-flash-live-preview") as session, Heard(session) as heard:
        for turns in (1, 2):
            await type_text(session, "hello")
            await heard.until("turn_complete", turns)


async def test_a_scenario_brings_back_the_3_1_of_march_that_took_it_as_history_only() -> None:
    server = await serve(
        "127.0.0.1",
        0,
        None,
        scenario=read_scenario("engine: false\nhabits: {content_any_time: false}"),
    )
    try:
        connecting = studio_client(server).aio.live.connect(model="gemini-3.1-flash-live-preview")
        async with connecting as session:
            await type_text(session, "hello")
            await type_text(session, "and again")
            with pytest.raises(errors.APIError, match="Request contains an invalid argument"):
                async for _ in session.receive():
                    pass
    finally:
        await server.close()


@pytest.mark.parametrize(
    ("first", "code", "words"),
    [
        ("{", 1007, "Invalid JSON payload received."),
        ('{"realtime_input":{}}', 1007, "Request contains an invalid argument."),
    ],
)
async def test_a_first_message_that_is_no_setup_ends_the_connection(
    server: LocalServer, first: str, code: int, words: str
) -> None:
    async with raw(server) as connection:
        await connection.send(first)
        closing = await closed(connection)
    assert closing[0] == code
    assert closing[1].startswith(words)


async def test_a_missing_key_is_refused(server: LocalServer) -> None:
    async with raw(server, key="") as connection:
        await connection.send(SETUP)
        code, words = await closed(connection)
    assert code == 1008
    assert words.startswith("Method doesn't allow unregistered callers")


async def test_a_key_may_stand_in_the_address(server: LocalServer) -> None:
    async with raw(server, path=f"{STUDIO_PATH}?key=any", key="") as connection:
        await connection.send(SETUP)
        answer = json.loads(await connection.recv())
    assert answer == {"setupComplete": {}}


@pytest.mark.parametrize("key", ["any", "", "local", "the-ke", "the-key2", "\u00e9"])
async def test_a_server_with_a_key_of_its_own_takes_no_other(
    engine: ScriptedEngine, key: str
) -> None:
    server = await serve("127.0.0.1", 0, engine, api_key="the-key")
    async with raw(server, key=key) as connection:
        await connection.send(SETUP)
        code, _ = await closed(connection)
    assert code in (1007, 1008)
    async with raw(server, key="the-key") as connection:
        await connection.send(SETUP)
        assert b"setupComplete" in await connection.recv()
    await server.close()


@pytest.mark.parametrize("authorization", ["Token", "Token ", "Bearer", "Bearer ", "", "x y z"])
async def test_a_credential_without_content_is_refused(
    server: LocalServer, authorization: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with websockets.connect(
        f"wss://127.0.0.1:{server.port}{STUDIO_PATH}",
        ssl=trusting(server),
        additional_headers={"Authorization": authorization},
    ) as connection:
        await connection.send(SETUP)
        code, words = await closed(connection)
    assert code == 1008
    assert words.startswith("Method doesn't allow unregistered callers")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("version", ["v1alpha", "v1beta", "v1"])
async def test_every_version_that_google_genai_uses_is_served(
    server: LocalServer, version: str
) -> None:
    async with raw(server, path=STUDIO_PATH.replace("v1alpha", version)) as connection:
        await connection.send(SETUP)
        assert b"setupComplete" in await connection.recv()


async def test_a_version_that_is_not_served_is_answered_with_those_that_are(
    server: LocalServer,
) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with raw(server, path=STUDIO_PATH.replace("v1alpha", "v2")):
            pass
    assert refused.value.response.status_code == 404
    assert "v1alpha, v1beta and v1" in (refused.value.response.body or b"").decode()


HALF_A_PAIR = '{"setup":{"model":"\\ud800"}}'


@pytest.mark.parametrize(
    "message",
    [
        HALF_A_PAIR,
        '{"setup":{"model":"models/local","systemInstruction":{"parts":[{"text":"\\uDFFF"}]}}}',
        b'{"setup":{"model":"\xed\xa0\x80"}}',
        b'{"setup":{"model":"\xff"}}',
        '{"setup":{"model":"models/local"}}'.encode("utf-16"),
    ],
)
async def test_what_is_no_text_is_refused_as_invalid_json(
    server: LocalServer, message: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with raw(server) as connection:
        await connection.send(message)
        code, words = await closed(connection)
    assert code == 1007
    assert words.startswith("Invalid JSON payload received.")
    assert "Traceback" not in caplog.text


async def test_a_pair_of_surrogates_is_one_character(
    connect: Connect, engine: ScriptedEngine, server: LocalServer
) -> None:
    engine.answers = lambda turn: [Say("Ok")]
    async with raw(server) as connection:
        await connection.send(SETUP)
        await connection.recv()
        await connection.send('{"realtimeInput":{"text":"\\ud83d\\ude00"}}')
        while not engine.turns:
            await connection.recv()
    assert engine.turns[0].text == "\N{GRINNING FACE}"
