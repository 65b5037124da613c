"""Requests that open no WebSocket: lists of models, and ephemeral tokens. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from vision_agent.local.api.auth_tokens import AuthTokens
from vision_agent.local.api.credentials import Credentials
from vision_agent.local.api.endpoint import Endpoint
from vision_agent.local.api.json_fields import POLICY, Refused
from vision_agent.local.api.models import MODELS, LiveModel

MOST_A_PAGE = 1000

_STUDIO = re.compile(r"/+(v1alpha|v1beta|v1)/(models(?:/[^/]+)?|auth_tokens)")
_VERTEX = re.compile(
    r"/+(v1beta1|v1)/(?:projects/[^/]+/locations/[^/]+/)?(publishers/google/models(?:/[^/]+)?)"
)
_INTERACTIONS = re.compile(r"/+v1(?:alpha|beta)?/interactions/live")

NO_INTERACTIONS = (
    "The experimental socket of live interactions is not served here. Served are the sessions of "
    "BidiGenerateContent, which `client.aio.live.connect` opens."
)


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """The server's response: an HTTP status, and JSON or plain text."""

    status: int
    body: Mapping[str, Any] | str


def answer(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None,
    tokens: AuthTokens,
    only_key: str | None,
    now: datetime,
) -> RestAnswer | None:
    """The answer to a request; None for one that is not the business of this module.

    Args:
        method: As in ``GET``.
        path: With its query.
        headers: Its headers.
        body: What came with it; None if its length is not said, or too large.
        tokens: Where a new ephemeral token is kept.
        only_key: The one key that is let in; None lets in every one.
        now: The time of day.
    """
    place, _, _ = path.partition("?")
    if _INTERACTIONS.fullmatch(place):
        return RestAnswer(501, NO_INTERACTIONS)
    for vertex, pattern in ((False, _STUDIO), (True, _VERTEX)):
        if match := pattern.fullmatch(place):
            endpoint = Endpoint(vertex, match[1])
            try:
                Credentials.of(path, headers).check(endpoint, only_key)
                return _answer(method, match[2], path, body, endpoint, tokens, now)
            except Refused as refused:
                denied = refused.code == POLICY
                return _error(403 if denied else 400, refused.reason)
    return None if method == "GET" else _error(404, "Not found.")


def _answer(
    method: str,
    resource: str,
    path: str,
    body: bytes | None,
    endpoint: Endpoint,
    tokens: AuthTokens,
    now: datetime,
) -> RestAnswer:
    if resource == "auth_tokens":
        # Neither a list of tokens nor a version v1 of them is known.
        if method != "POST" or endpoint.version == "v1":
            return RestAnswer(404, "")
        if body is None:
            return _error(411, "A Content-Length of at most 64 KiB is needed.")
        return RestAnswer(200, {"name": tokens.create(body, endpoint, now)})
    if method != "GET":
        return _error(404, "Not found.")
    served = [m for m in MODELS.values() if (m.vertex if endpoint.vertex else m.ai_studio)]
    if name := resource.partition("models/")[2]:
        for model in served:
            if model.name == name:
                return RestAnswer(200, _resource(model, endpoint))
        version = endpoint.version
        return _error(404, f"Model is not found: models/{name} for api version {version}")
    return RestAnswer(200, _page(served, path, endpoint))


def _page(served: list[LiveModel], path: str, endpoint: Endpoint) -> dict[str, Any]:
    query = parse_qs(urlsplit(path).query)
    size, start = (
        int(given) if given.isdecimal() and len(given) < 5 else default
        for given, default in (
            (query.get("pageSize", [""])[0], 50),
            (query.get("pageToken", [""])[0], 0),
        )
    )
    end = start + min(max(size, 1), MOST_A_PAGE)
    page: dict[str, Any] = {
        "publisherModels" if endpoint.vertex else "models": [
            _resource(model, endpoint) for model in served[start:end]
        ]
    }
    if end < len(served):
        page["nextPageToken"] = str(end)
    return page


def _resource(model: LiveModel, endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.vertex:
        return {"name": f"publishers/google/models/{model.name}", "versionId": "default"}
    ended = f" Reported to be shut down on {model.shut_down}." if model.shut_down else ""
    return {
        "name": f"models/{model.name}",
        "version": "001",
        "displayName": model.name.replace("-", " ").title(),
        "description": f"Answered for by the local Live API.{ended}",
        "inputTokenLimit": 131_072,
        "outputTokenLimit": 65_536 if model.generation >= 3 else 8_192,
        "supportedGenerationMethods": ["bidiGenerateContent"],
    }


_STATUSES = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


def _error(code: int, message: str) -> RestAnswer:
    status = _STATUSES.get(code, "FAILED_PRECONDITION")
    return RestAnswer(code, {"error": {"code": code, "message": message, "status": status}})
