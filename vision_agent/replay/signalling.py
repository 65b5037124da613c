"""The HTTP half of a call: the offer that opens it and the goodbye that ends it."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


class CallRefused(RuntimeError):
    """The server didn't take the call; `str(error)` says why, in its own words where it had any."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's answer: its SDP and the name of the call."""

    sdp: str
    pc_id: str | None


class Signalling:
    """Speaks SmallWebRTC's `/api/offer`.

    Attributes:
        url: The server's address, without `/api/offer`.
        token: Sent as `Authorization: Bearer …` when there is one.
    """

    def __init__(self, url: str, token: str | None, timeout_s: float) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._timeout_s = timeout_s

    async def info(self) -> dict[str, Any]:
        """What the server says of itself: agent, brain, `ice_servers`; see its `/api/info`.

        Raises:
            CallRefused: The server can't be reached or refuses.
        """
        return await self._request("GET", "/api/info", None)

    async def offer(self, sdp: str, asked: dict[str, Any] | None = None) -> Answer:
        """Post an offer.

        Args:
            sdp: The session description.
            asked: Options of this call: `voice`, `language`, `modalities` and so on.

        Raises:
            CallRefused: The server can't be reached, refuses, or answers nonsense.
        """
        body: dict[str, Any] = {"sdp": sdp, "type": "offer", "pc_id": None}
        if asked:
            body["requestData"] = asked
        answer = await self._request("POST", "/api/offer", body)
        sdp_answer = answer.get("sdp")
        if not isinstance(sdp_answer, str):
            raise CallRefused(f"{self.url} answered the offer without an SDP.")
        pc_id = answer.get("pc_id")
        return Answer(sdp_answer, pc_id if isinstance(pc_id, str) else None)

    async def goodbye(self, pc_id: str) -> None:
        """Tell the server that the call is over.

        Raises:
            CallRefused: The server can't be reached or doesn't know the call (any more).
        """
        await self._request("DELETE", f"/api/offer/{quote(pc_id, safe='')}", None)

    async def _request(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        # urllib would open file: and ftp: addresses just as willingly.
        if not self.url.startswith(("http://", "https://")):
            raise CallRefused(f"{self.url} is not an http:// or https:// address.")
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(self.url + path, data, headers, method=method)
            # In a thread: the standard library's client blocks, and the tracks must not.
            text = await asyncio.to_thread(_send, request, self._timeout_s)
        except urllib.error.HTTPError as error:
            raise CallRefused(_refusal(error)) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise CallRefused(f"{self.url} can't be reached: {reason}.") from error
        if not text.strip():
            return {}
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise CallRefused(f"{self.url}{path} didn't answer with JSON.") from error
        return answer if isinstance(answer, dict) else {}


def _send(request: urllib.request.Request, timeout_s: float) -> bytes:
    with urllib.request.urlopen(request, timeout=timeout_s) as response:
        return bytes(response.read())


def _refusal(error: urllib.error.HTTPError) -> str:
    """Put an error response in words: the server's own sentence, the status, when to come back."""
    try:
        body = json.loads(error.read())
    except (ValueError, OSError):
        body = None
    sentence = body.get("error") if isinstance(body, dict) else None
    words = f"The server refused the call: {sentence or error.reason} (HTTP {error.code})."
    retry_after = error.headers.get("Retry-After") if error.headers else None
    return f"{words} Try again in {retry_after} s." if retry_after else words
