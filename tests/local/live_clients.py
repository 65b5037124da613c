"""google-genai's own clients, unpatched, for a server that is running."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import cache

import websockets
from google.genai import Client, live, types
from google.oauth2.credentials import Credentials

from vision_agent.local.server import LocalServer

STUDIO_PATH = "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContent"

MODEL_2 = "gemini-2.5-flash-native-audio-preview-12-2025"
MODEL_3 = "gemini-3.8-live"
MODEL_3_1 = "gemini-3.1-flash-live-preview"
"""A 3.x model that waits for its tools."""
VERTEX_MODEL_2 = "gemini-live-2.5-flash-native-audio"

Connect = Callable[..., AbstractAsyncContextManager[live.AsyncSession]]


def trusting(server: LocalServer) -> ssl.SSLContext:
    return _trusting(server.certificate_pem)


@cache
def _trusting(certificate_pem: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=certificate_pem)


def http_options(server: LocalServer) -> types.HttpOptions:
    return types.HttpOptions(
        base_url=f"https://127.0.0.1:{server.port}",
        api_version="v1alpha",
        async_client_args={"ssl": trusting(server), "max_size": None},
    )


def studio_client(server: LocalServer, key: str = "any") -> Client:
    return Client(vertexai=False, api_key=key, http_options=http_options(server))


def vertex_client(server: LocalServer, token: str = "any") -> Client:
    options = http_options(server)
    options.api_version = "v1beta1"
    return Client(
        vertexai=True,
        project="a-project",
        location="us-central1",
        credentials=Credentials(token=token),
        http_options=options,
    )


SETUP = json.dumps({"setup": {"model": "models/local"}})


def raw(server: LocalServer, path: str = STUDIO_PATH, key: str = "any") -> websockets.connect:
    return websockets.connect(
        f"wss://127.0.0.1:{server.port}{path}",
        ssl=trusting(server),
        additional_headers={"x-goog-api-key": key} if key else {},
        max_size=None,
    )
