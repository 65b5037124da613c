"""Models and ephemeral tokens over HTTP, and sessions that a token opens."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from google.genai import errors, types
from websockets.exceptions import ConnectionClosed

from tests.local.live_clients import MODEL_3, raw, studio_client, trusting, vertex_client
from tests.local.live_talk import Heard, type_text
from tests.local.scripted_engine import ScriptedEngine
from vision_agent.local import serve
from vision_agent.local.server import LocalServer

CONSTRAINED = (
    "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContentConstrained"
)
PLAIN = CONSTRAINED.removesuffix("Constrained")
AUDIO = {"generationConfig": {"responseModalities": ["AUDIO"]}}


async def asked(
    server: LocalServer, method: str, path: str, body: Any = None, key: str = "any"
) -> tuple[int, Any]:
    """The status and the JSON (or text) of a response."""
    url = f"https://127.0.0.1:{server.port}{path}"
    headers = {"x-goog-api-key": key} if key else {}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body, headers=headers, ssl=trusting(server)) as answer,
    ):
        text = await answer.text()
        is_json = answer.content_type == "application/json"
        return answer.status, json.loads(text) if is_json else text


async def minted(server: LocalServer, **body: Any) -> str:
    status, token = await asked(server, "POST", "/v1alpha/auth_tokens", body)
    assert status == 200
    return str(token["name"])


async def outcome(
    server: LocalServer, token: str, setup: Any, path: str = CONSTRAINED
) -> tuple[int, str] | None:
    """The close code and reason with which this setup is refused; None if a session opens."""
    async with raw(server, f"{path}?access_token={token}", key="") as connection:
        await connection.send(json.dumps({"setup": setup}))
        try:
            assert "setupComplete" in json.loads(await connection.recv())
        except ConnectionClosed:
            return connection.close_code or 0, connection.close_reason or ""
        return None


async def test_the_models_are_listed_in_every_version_and_a_page_at_a_time(
    server: LocalServer,
) -> None:
    pages = []
    for version in ("v1", "v1beta", "v1alpha"):
        status, page = await asked(server, "GET", f"/{version}/models?pageSize=1000")
        assert (status, "nextPageToken" in page) == (200, False)
        pages.append(page)
    assert pages[0] == pages[1] == pages[2]
    client = studio_client(server)
    names = [m.name async for m in await client.aio.models.list(config={"page_size": 3})]
    assert names == [model["name"] for model in pages[0]["models"]]
    assert all(
        model["supportedGenerationMethods"] == ["bidiGenerateContent"]
        for model in pages[0]["models"]
    )
    one = await client.aio.models.get(model="gemini-3.1-flash-live-preview")
    assert "shut down on 17 November 2026" in (one.description or "")
    status, error = await asked(server, "GET", "/v1beta/models/gemini-1-live")
    assert status == error["error"]["code"] == 404
    assert "models/gemini-1-live for api version v1beta" in error["error"]["message"]


async def test_vertex_lists_its_own(server: LocalServer) -> None:
    _, page = await asked(server, "GET", "/v1beta1/publishers/google/models")
    names = {model["name"] for model in page["publisherModels"]}
    assert "publishers/google/models/gemini-live-2.5-flash" in names
    assert "publishers/google/models/gemini-3.1-flash-live-preview" not in names
    client = vertex_client(server)
    one = await client.aio.models.get(model="gemini-3.8-live")
    assert (one.name or "").endswith("publishers/google/models/gemini-3.8-live")


@pytest.mark.parametrize(
    ("method", "path", "body", "key", "status", "words"),
    [
        ("GET", "/v1beta/models", None, "invalid", 400, "API key not valid."),
        ("GET", "/v1beta/models", None, "", 403, "Method doesn't allow unregistered callers"),
        ("POST", "/v1alpha/auth_tokens", {}, "", 403, "Method doesn't allow unregistered"),
        ("POST", "/v1alpha/auth_tokens", [], "any", 400, "Root element must be a message."),
        ("POST", "/v1alpha/auth_tokens", {"smell": 1}, "any", 400, 'Unknown name "smell"'),
        ("POST", "/v1alpha/auth_tokens", {"uses": "9" * 70_000}, "any", 411, "Content-Length"),
        ("POST", "/v1/auth_tokens", {}, "any", 404, ""),
        ("GET", "/v1alpha/auth_tokens", None, "any", 404, ""),
        ("POST", "/v1beta/models/gemini-3.8-live:generateContent", {}, "any", 404, "Not found."),
        ("DELETE", "/v1beta/models", {}, "any", 404, "Not found."),
        ("GET", "/v1beta/interactions/live", None, "any", 501, "live interactions is not served"),
    ],
)
async def test_what_is_not_served_is_refused_in_words(
    server: LocalServer, method: str, path: str, body: Any, key: str, status: int, words: str
) -> None:
    got, answer = await asked(server, method, path, body, key)
    assert got == status
    assert words in (answer if isinstance(answer, str) else answer["error"]["message"])


async def test_a_token_is_good_at_its_own_method_only(server: LocalServer) -> None:
    token = await minted(server, uses=0)
    setup = {"model": "models/local", **AUDIO}
    assert await outcome(server, token, setup) is None
    code, words = await outcome(server, token, setup, PLAIN) or (0, "")
    assert (code, words[:50]) == (1008, "Request had invalid authentication credentials. Ex")
    async with raw(server, PLAIN, key=token) as connection:
        await connection.send(json.dumps({"setup": setup}))
        await connection.wait_closed()
    assert connection.close_reason == "API key not valid. Please pass a valid API key."
    async with raw(server, CONSTRAINED) as connection:
        await connection.send(json.dumps({"setup": setup}))
        await connection.wait_closed()
    assert connection.close_code == 1008


async def test_a_token_made_for_one_model_opens_no_other(server: LocalServer) -> None:
    setup = {"model": "models/gemini-3.8-live", **AUDIO}
    locked = await minted(
        server, uses=0, bidiGenerateContentSetup=setup, fieldMask="model,generationConfig"
    )
    free = await minted(server, uses=0)
    nobody = {"model": "models/nobody", **AUDIO}
    assert await outcome(server, locked, nobody) is None
    assert (await outcome(server, free, nobody) or (0, ""))[0] == 1008
    bare = await minted(server, bidiGenerateContentSetup={"model": "models/gemini-3.8-live"})
    _, words = await outcome(server, bare, setup) or (0, "")
    assert words.startswith("The requested combination of response modalities (TEXT) is not")


async def test_a_session_ends_when_its_token_expires(server: LocalServer) -> None:
    expires = datetime.now(UTC) + timedelta(seconds=1)
    token = await minted(server, expireTime=expires.isoformat())
    async with raw(server, f"{CONSTRAINED}?access_token={token}", key="") as connection:
        await connection.send(json.dumps({"setup": {"model": "models/local", **AUDIO}}))
        async with asyncio.timeout(10):
            await connection.wait_closed()
    assert (connection.close_code, connection.close_reason) == (1011, "auth token has expired")
    assert datetime.now(UTC) >= expires
    resuming = {"model": "models/local", "sessionResumption": {"handle": "h"}}
    assert await outcome(server, token, resuming) == (1011, "Token has expired")


async def test_google_genai_converses_with_a_token_that_locks_what_it_says(
    server: LocalServer, engine: ScriptedEngine
) -> None:
    constraints = types.LiveConnectConstraints(
        model=MODEL_3,
        config=types.LiveConnectConfig(
            response_modalities=[types.Modality.AUDIO], system_instruction="Be brief."
        ),
    )
    minting = studio_client(server)
    token = await minting.aio.auth_tokens.create(
        config=types.CreateAuthTokenConfig(
            live_connect_constraints=constraints, lock_additional_fields=["temperature"]
        )
    )
    client = studio_client(server, key=token.name or "")
    loud = types.LiveConnectConfig(system_instruction="Shout.", output_audio_transcription={})
    async with (
        client.aio.live.connect(model="any", config=loud) as session,
        Heard(session) as heard,
    ):
        await type_text(session, "hello")
        await heard.until("turn_complete")
    [turn] = engine.turns
    assert turn.instruction == "Be brief."
    assert heard.captions == "You said hello."
    with pytest.raises(errors.APIError, match="Token has been used too many times"):
        async with client.aio.live.connect(model="any"):
            pass


async def test_a_server_with_a_key_of_its_own_makes_tokens_for_that_key_only(
    engine: ScriptedEngine,
) -> None:
    server = await serve("127.0.0.1", 0, engine, api_key="mine")
    try:
        status, _ = await asked(server, "POST", "/v1alpha/auth_tokens", {}, key="any")
        assert status == 400
        status, token = await asked(server, "POST", "/v1alpha/auth_tokens", {}, key="mine")
        assert status == 200
        assert await outcome(server, token["name"], {"model": "models/local", **AUDIO}) is None
    finally:
        await server.close()
