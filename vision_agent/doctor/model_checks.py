"""API key, model, voice, prices, the model service, and the local engine."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from google import genai
from google.genai import errors, types

from vision_agent.agents.model_choice import uses_vertex
from vision_agent.agents.model_report import now
from vision_agent.doctor.finding import Finding
from vision_agent.doctor.run import resolve
from vision_agent.live.local_process import LocalLiveApi, LocalLiveApiError
from vision_agent.live.pricing import PriceError, read_prices
from vision_agent.own_models import OwnModelError
from vision_agent.server.model_options import model_options
from vision_agent.settings import Settings

AI_STUDIO_HOST = "generativelanguage.googleapis.com"
# AI Studio's keys: "AIza" and 35 characters, or the newer "AQ." keys of unspecified length.
_KEY_STARTS = ("AIza", "AQ.")
_REACH_S = 6.0


def check_key(environ: Mapping[str, str]) -> list[Finding]:
    """Check that a plausible API key is set. The key is never shown."""
    names = [name for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY") if environ.get(name)]
    if not names:
        return [
            Finding(
                "key",
                "note",
                "No key is set: the local Live API answers.",
                "For Gemini put GOOGLE_API_KEY into .env; https://aistudio.google.com/apikey "
                "gives one.",
            )
        ]
    key = environ[names[0]]
    odd = _oddness(key)
    if odd:
        return [
            Finding(
                "key",
                "warning",
                f"{names[0]} {odd}.",
                "Copy it again from https://aistudio.google.com/apikey, without quotes or spaces.",
            )
        ]
    if len(names) == 2 and environ[names[1]] != key:
        return [
            Finding(
                "key",
                "warning",
                "GOOGLE_API_KEY and GEMINI_API_KEY differ; GOOGLE_API_KEY is used.",
                "Remove one of them.",
            )
        ]
    return [Finding("key", "ok", f"{names[0]} is set and looks like a key.")]


def _oddness(key: str) -> str | None:
    if key != key.strip() or any(c.isspace() for c in key):
        return "has spaces in it"
    if key[0] in "\"'":
        return "begins with a quotation mark"
    if not key.isascii() or not key.startswith(_KEY_STARTS) or len(key) < 30:
        return "does not look like a key of AI Studio's"
    return None


def check_model(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Check that the agent loads, and that its model, voice and options are possible."""
    try:
        found = now(model_options(settings), environ)
    except OwnModelError as error:
        return [Finding("model", "problem", str(error), "docs/own-models.md has examples.")]
    if found["error"] is not None:
        return [
            Finding("model", "problem", found["error"], "vision-agent models lists what works.")
        ]
    if found["notes"]:
        advice = "If the service refuses it: vision-agent models lists what works."
        return [Finding("model", "warning", note, advice) for note in found["notes"]]
    if [modality.upper() for modality in settings.modalities] == ["TEXT"]:
        text = f"{found['model']} answers in text: there is no voice to hear."
        return [Finding("model", "note", text, "For a voice: VISION_AGENT_MODALITIES=AUDIO.")]
    voice = found["voice"] or "the model's own choice"
    return [Finding("model", "ok", f"{found['model']} ({found['label']}), voice: {voice}.")]


def check_prices(path: Path | None) -> list[Finding]:
    """Check that the table of prices can be read; ours without a path."""
    try:
        table = read_prices(path)
    except PriceError as error:
        advice = "Correct the file, or leave VISION_AGENT_PRICES out; docs/options.md."
        return [Finding("prices", "problem", str(error), advice)]
    text = f"Costs are estimated in {table.currency} from list prices of {table.as_of}."
    return [Finding("prices", "ok", text)]


async def check_service(settings: Settings, environ: Mapping[str, str]) -> Sequence[Finding]:
    """Check that the service is reachable and accepts the key, by listing its models once.

    Skipped if the user has servers of their own, because calls do not reach the service then.
    """
    with contextlib.suppress(OwnModelError):
        if model_options(settings).own_models.servers:
            return []
    key = environ.get("GOOGLE_API_KEY") or environ.get("GEMINI_API_KEY")
    vertex = uses_vertex(environ)
    base_url = environ.get("GOOGLE_GEMINI_BASE_URL") or f"https://{AI_STUDIO_HOST}"
    if vertex:
        location = environ.get("GOOGLE_CLOUD_LOCATION") or "us-central1"
        base_url = f"https://{location}-aiplatform.googleapis.com"
    parts = urlsplit(base_url)
    host, tls = parts.hostname or AI_STUDIO_HOST, parts.scheme != "http"
    port = parts.port or (443 if tls else 80)
    began = time.monotonic()
    try:
        async with asyncio.timeout(_REACH_S):
            await resolve(host, port)
            _, writer = await asyncio.open_connection(
                host, port, ssl=ssl.create_default_context() if tls else None
            )
        writer.close()
    except (OSError, TimeoutError) as error:
        text = f"{host} can't be reached: {str(error) or 'no answer'}."
        if key or vertex:
            advice = "Check the network, the proxy and the clock. Without it: --model local."
            return [Finding("service", "problem", text, advice)]
        advice = "Nothing to do: the local Live API needs no network."
        return [Finding("service", "note", text, advice)]
    took_ms = round(1000 * (time.monotonic() - began))
    if vertex or not key:
        return [Finding("service", "ok", f"{host} is reached in {took_ms} ms.")]
    return [await _ask_with_key(key, base_url, took_ms)]


async def _ask_with_key(key: str, base_url: str, took_ms: int) -> Finding:
    client = genai.Client(
        api_key=key, vertexai=False, http_options=types.HttpOptions(base_url=base_url)
    )
    try:
        pager = await client.aio.models.list(config={"page_size": 5})
        count = len(pager.page)
    except errors.APIError as error:
        advice = {
            400: "The key is not valid: copy it again from https://aistudio.google.com/apikey.",
            401: "The key is not valid: copy it again from https://aistudio.google.com/apikey.",
            403: "The key may not use this API: allow the Generative Language API for it.",
            429: "The quota is used up: wait, or raise it.",
        }.get(error.code, "Try again in a moment; https://status.cloud.google.com says more.")
        text = f"The service refuses the key ({error.code}): {error.message}"
        # The service's message may quote the key.
        return Finding("service", "problem", text.replace(key, "…"), advice)
    finally:
        await client.aio.aclose()
    if not count:
        return Finding("service", "warning", "The key sees no models.", "Use a key of AI Studio's.")
    return Finding("service", "ok", f"Reached in {took_ms} ms, and it takes the key.")


async def check_engine() -> Sequence[Finding]:
    """Check that the local Live API starts and answers, and how fast."""
    began = time.monotonic()
    try:
        server = await LocalLiveApi.start()
    except LocalLiveApiError as error:
        advice = "Reinstall vision-agent; what it printed stands above."
        return [Finding("local engine", "problem", str(error), advice)]
    try:
        started_ms = round(1000 * (time.monotonic() - began))
        address = server.newest_address
        trust = ssl.create_default_context(cadata=address.certificate_pem)
        client = genai.Client(
            api_key=address.api_key,
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=address.base_url, async_client_args={"ssl": trust, "max_size": None}
            ),
        )
        asked = time.monotonic()
        async with client.aio.live.connect(
            model="local",
            config=types.LiveConnectConfig(response_modalities=[types.Modality.AUDIO]),
        ) as session:
            await session.send_client_content(
                turns=types.Content(role="user", parts=[types.Part(text="Hello")])
            )
            async for message in session.receive():
                if message.data:
                    break
        answered_ms = round(1000 * (time.monotonic() - asked))
    finally:
        await server.close()
    text = f"Starts in {started_ms} ms, answers in {answered_ms} ms."
    return [Finding("local engine", "ok", text)]
