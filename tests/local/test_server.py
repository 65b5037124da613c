"""The endpoint: who gets in, who is refused with what, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import ssl
from collections.abc import AsyncIterator

import psutil
import pytest
import websockets
from google.genai import Client, errors, types
from websockets.asyncio.client import ClientConnection

from tests.local.live_clients import (
    MODEL_2,
    MODEL_3,
    SETUP,
    STUDIO_PATH,
    Connect,
    http_options,
    raw,
    studio_client,
    trusting,
    vertex_client,
)
from tests.local.live_talk import LOUD, Heard, audio, send_sound, type_text
from tests.local.scripted_engine import ScriptedEngine
from tests.support.waiting import until
from vision_agent.local.contract import Say
from vision_agent.local.scenarios.scenario_file import read_scenario
from vision_agent.local.server import LocalServer, serve


async def refusal(client: Client, model: str, **config: object) -> tuple[int, str]:
    config.setdefault("response_modalities", ["AUDIO"])
    with pytest.raises(errors.APIError) as refused:
        async with client.aio.live.connect(model=model, config=types.LiveConnectConfig(**config)):
            pass
    return refused.value.code, str(refused.value)


async def closed(connection: ClientConnection) -> tuple[int, str]:
    async with asyncio.timeout(10):
        await connection.wait_closed()
    return connection.close_code or 0, connection.close_reason or ""


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


async def test_who_never_says_what_it_wants_is_sent_away(engine: ScriptedEngine) -> None:
    server = await serve("127.0.0.1", 0, engine, setup_within_s=0.2)
    async with raw(server) as connection:
        code, words = await closed(connection)
    await server.close()
    assert (code, words) == (1008, "The setup message did not come in time.")


async def test_who_never_finishes_the_handshake_is_sent_away(engine: ScriptedEngine) -> None:
    server = await serve("127.0.0.1", 0, engine, setup_within_s=0.2)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.port, ssl=trusting(server), server_hostname="127.0.0.1"
    )
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()
    await server.close()


async def test_another_path_is_not_found(server: LocalServer) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with raw(server, path="/v1/elsewhere"):
            pass
    assert refused.value.response.status_code == 404


async def test_a_full_house_says_when_to_come_again(engine: ScriptedEngine) -> None:
    server = await serve("127.0.0.1", 0, engine, max_connections=1)
    async with raw(server) as first:
        await first.send(SETUP)
        await first.recv()
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with raw(server):
                pass
    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["Retry-After"] == "5"
    await until(lambda: not server.connections)
    async with raw(server) as again:
        await again.send(SETUP)
        assert b"setupComplete" in await again.recv()
    await server.close()


async def test_a_message_of_more_than_four_mebibytes_is_refused(server: LocalServer) -> None:
    async with raw(server) as connection:
        await connection.send(SETUP)
        await connection.recv()
        await connection.send('{"realtime_input":{"text":"' + "x" * 4 * 2**20 + '"}}')
        code, _ = await closed(connection)
    assert code == 1009


async def test_nobody_else_is_trusted_with_the_certificate(server: LocalServer) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=ssl.create_default_context(), server_hostname="127.0.0.1"
        )


async def test_the_certificate_is_good_under_the_strictest_rules(server: LocalServer) -> None:
    context = trusting(server)
    # What `ssl.create_default_context` asks for from Python 3.13 on.
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    for name in ("127.0.0.1", "localhost"):
        _, writer = await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=context, server_hostname=name
        )
        writer.close()


async def test_an_engine_that_fails_ends_the_session_with_1011(
    connect: Connect, engine: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(turn: object) -> list[Say]:
        raise RuntimeError("the brain hurts")

    engine.answers = fail
    async with connect() as session:
        await type_text(session, "hello")
        with pytest.raises(errors.APIError) as ended:
            async for _ in session.receive():
                pass
    assert ended.value.code == 1011
    assert "the brain hurts" in caplog.text


async def test_closing_the_server_says_goodbye_and_ends_every_session(
    engine: ScriptedEngine,
) -> None:
    engine.answers = lambda turn: [asyncio.Event().wait]
    server = await serve("127.0.0.1", 0, engine)
    async with raw(server) as connection:
        await connection.send(SETUP)
        await connection.recv()
        await connection.send('{"realtime_input":{"text":"hello"}}')
        await until(lambda: engine.open_answers)
        async with asyncio.timeout(5):
            await server.close()
        code, _ = await closed(connection)
    assert code == 1001
    assert (engine.open_answers, engine.open_ears) == (0, 0)


async def test_a_client_that_reads_nothing_holds_up_nobody(
    server: LocalServer, connect: Connect, engine: ScriptedEngine
) -> None:
    engine.answers = lambda turn: [
        Say("x" * 1000) for _ in range(50 if turn.text == "everything" else 0)
    ]
    async with raw(server) as deaf:
        await deaf.send(SETUP)
        await deaf.send('{"realtime_input":{"text":"everything"}}')
        await until(lambda: engine.spoken)
        async with connect() as session, Heard(session) as heard:
            await type_text(session, "hello")
            await heard.until("turn_complete")
        # The answer waits for its reader instead of piling up.
        assert len(engine.spoken) < 50
        deaf.transport.abort()


async def tear_off(server: LocalServer, number: int) -> None:
    """One connection, ended at some point of its life in some way."""
    connection = await raw(server)
    if number % 5 > 0:
        await connection.send(SETUP)
    if number % 5 > 1:
        await connection.send('{"realtime_input":{"text":"hello"}}')
        await connection.recv()
    if number % 5 > 2:
        await connection.recv()
    if number % 2:
        connection.transport.abort()
    else:
        await connection.close()


@pytest.fixture
async def quiet_loop() -> AsyncIterator[None]:
    """Fails a test during which anything reached the event loop's own error handler."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    yield
    gc.collect()
    assert complaints == []


async def test_a_hundred_connections_leave_nothing_behind(
    engine: ScriptedEngine, quiet_loop: None
) -> None:
    engine.answers = lambda turn: [Say("x" * 100), asyncio.Event().wait]
    server = await serve("127.0.0.1", 0, engine)
    process, before = psutil.Process(), asyncio.all_tasks()

    async def settled() -> int:
        """The descriptors, once no task of a connection is left: one that closes has some."""
        await until(lambda: not (engine.open_ears or engine.open_answers))
        await until(lambda: asyncio.all_tasks() == before)
        return process.num_fds()

    for number in range(10):
        await tear_off(server, number)
    gc.collect()  # nor is what other tests left behind counted
    descriptors = await settled()
    for number in range(100):
        await tear_off(server, number)
    await settled()
    await until(lambda: process.num_fds() == descriptors)
    await server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), 1)


async def test_sessions_do_not_hear_each_other(connect: Connect, engine: ScriptedEngine) -> None:
    captions = {"output_audio_transcription": types.AudioTranscriptionConfig()}
    async with (
        connect(**captions) as one,
        connect(**captions) as two,
        Heard(one) as first,
        Heard(two) as second,
    ):
        await send_sound(one, LOUD, 5)
        await type_text(two, "two")
        await type_text(one, "one")
        await asyncio.gather(first.until("turn_complete"), second.until("turn_complete"))
    assert (first.captions, second.captions) == ("You said one.", "You said two.")


async def test_the_base_address_may_end_with_a_slash(server: LocalServer) -> None:
    options = http_options(server)
    options.base_url = f"https://127.0.0.1:{server.port}/"
    client = Client(vertexai=False, api_key="any", http_options=options)
    async with client.aio.live.connect(model=MODEL_2) as session, Heard(session) as heard:
        await type_text(session, "hello")
        await heard.until("turn_complete")


async def test_a_burst_gets_no_more_lines_than_there_are(engine: ScriptedEngine) -> None:
    server = await serve("127.0.0.1", 0, engine, max_connections=2)
    came = await asyncio.gather(*(raw(server) for _ in range(12)), return_exceptions=True)
    let_in = [one for one in came if isinstance(one, ClientConnection)]
    refused = [one for one in came if isinstance(one, websockets.InvalidStatus)]
    assert (len(let_in), len(refused)) == (2, 10)
    assert {one.response.status_code for one in refused} == {503}
    for one in let_in:
        await one.close()
    await server.close()


async def test_a_silent_session_gives_its_line_to_a_newcomer_and_is_told_so(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision_agent.local.lines.SILENT_S", 0.0)
    server = await serve("127.0.0.1", 0, engine, max_connections=1)
    async with raw(server) as silent:
        await silent.send(SETUP)
        await silent.recv()
        async with raw(server) as newcomer:
            await newcomer.send(SETUP)
            assert b"setupComplete" in await newcomer.recv()
        code, words = await closed(silent)
    assert (code, words) == (
        1008,
        "Nothing was sent for a while, and others wait for the line.",
    )
    await server.close()


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
