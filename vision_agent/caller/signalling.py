"""The HTTP half of a call: the offer that opens it and the goodbye that ends it."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiortc import RTCIceServer

from vision_agent.caller.failure import CallRefused
from vision_agent.caller.ice_servers import read_ice_servers

# An answer is a session description of a few kilobytes.
_MAX_ANSWER_BYTES = 1_000_000
MAX_TIMEOUT_S = 86_400
"""The longest timeout that is accepted: a day. Some systems' timers overflow not far beyond."""

_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_HOW_TO_SIGN_IN = (
    "If a login stands in front of it, sign in with a browser and send what it sends: "
    "--header 'Cookie: …' (headers={'Cookie': '…'} in Python)."
)
_HOW_TO_TRUST = (
    "If its certificate is one that the server has made with --https, set SSL_CERT_FILE to the "
    "authority.crt that the server names at its start."
)


@dataclass(frozen=True, slots=True)
class SdpAnswer:
    """The server's answer.

    Attributes:
        sdp: Its SDP.
        pc_id: The id of the call.
        resume: The token with which another call continues the conversation.
        resumed: Whether this call continues an earlier conversation.
    """

    sdp: str
    pc_id: str | None
    resume: str | None = None
    resumed: bool = False


def parse_headers(lines: Iterable[str]) -> dict[str, str]:
    """Parse HTTP headers written as `Name: value` (RFC 9110, section 5).

    Raises:
        ValueError: A line is not a header.
    """
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _HEADER_NAME.fullmatch(name.strip()) or not value.isprintable():
            raise ValueError(f"{line!r} is not a header: write 'Name: value', as in 'Cookie: a=b'.")
        headers[name.strip()] = value.strip()
    return headers


def checked_timeout_s(seconds: float) -> float:
    """Return the timeout of a call, in seconds, unchanged.

    Raises:
        ValueError: The timeout is not positive, not a number, or longer than `MAX_TIMEOUT_S`.
    """
    if not 0 < seconds <= MAX_TIMEOUT_S:  # nor is NaN
        raise ValueError(
            f"A timeout of {seconds:g} s is impossible: more than 0, at most {MAX_TIMEOUT_S} s."
        )
    return seconds


class Signalling:
    """The client side of SmallWebRTC's `/api/offer`.

    Attributes:
        url: The server's address, without `/api/offer`.
        token: Sent as `Authorization: Bearer …`, if there is one.
        headers: Sent with every request, such as the cookie of a login.
        needs_consent: Whether the server records a call only if its caller agrees, as `ice_servers`
            has found out.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self.headers = dict(headers or {})
        self._timeout_s = checked_timeout_s(timeout_s)
        self._knows_it = self._gives_tokens = self.needs_consent = False
        self._call_token: str | None = None

    async def ice_servers(self) -> list[RTCIceServer]:
        """Return the STUN and TURN servers that `/api/info` lists; none without such a page.

        Raises:
            CallRefused: The server can't be reached or refuses the request.
        """
        try:
            info = await self._request("GET", "/api/info", None)
        except CallRefused as error:
            # Other SmallWebRTC servers have no such page.
            if error.status in (404, 405):
                return []
            raise
        self._knows_it = True
        self._gives_tokens = info.get("gives_tokens") is True
        recording = info.get("recording")
        self.needs_consent = isinstance(recording, dict) and recording.get("needs_consent") is True
        return read_ice_servers(info.get("ice_servers"))

    def within(self, timeout_s: float) -> Signalling:
        """The same server with another timeout."""
        other = copy(self)
        other._timeout_s = checked_timeout_s(timeout_s)
        return other

    async def _become(self, user: object) -> None:
        """Get a token for the calls of a user, with the server's access token."""
        answer = await self._request("POST", "/api/tokens", {"user": user})
        token = answer.get("token")
        if not isinstance(token, str):
            raise CallRefused(f"{self.url} gave no token for the user.")
        self._call_token = token

    async def offer(
        self, sdp: str, asked: dict[str, Any] | None = None, restart: str | None = None
    ) -> SdpAnswer:
        """Post an offer.

        Args:
            sdp: The session description.
            asked: Options of this call: `agent`, `voice`, `language`, `modalities` and so on.
            restart: The id of a call whose connection this one replaces; None for a new call.

        Raises:
            CallRefused: The server can't be reached, refuses the call, or its answer is unusable.
        """
        if restart is None and self._gives_tokens and asked and asked.get("user"):
            await self._become(asked["user"])
        body: dict[str, Any] = {"sdp": sdp, "type": "offer", "pc_id": restart}
        if restart is not None:
            body["restart_pc"] = True
        if asked:
            body["requestData"] = asked
        try:
            answer = await self._request("POST", "/api/offer", body)
        except CallRefused as error:
            if error.status == 405 or (
                error.status == 404 and not self._knows_it and restart is None
            ):
                raise CallRefused(
                    f"There is no vision_agent at {self.url} (HTTP {error.status}): give the "
                    "address at which a browser shows its page.",
                    error.status,
                ) from error
            raise
        sdp_answer = answer.get("sdp")
        if not isinstance(sdp_answer, str):
            raise CallRefused(f"{self.url} answered the offer without an SDP.")
        pc_id, resume = (
            value if isinstance(value := answer.get(name), str) else None
            for name in ("pc_id", "resume")
        )
        return SdpAnswer(sdp_answer, pc_id, resume, answer.get("resumed") is True)

    async def has_call(self, pc_id: str) -> bool:
        """Whether the server still has a call; True as well if it can't be asked."""
        try:
            await self._request("PATCH", "/api/offer", {"pc_id": pc_id, "candidates": []})
        except CallRefused as error:
            return error.status != 404
        return True

    async def goodbye(self, pc_id: str) -> None:
        """Tell the server that the call is over.

        Raises:
            CallRefused: The server can't be reached or does not know the call (any more).
        """
        await self._request("DELETE", f"/api/offer/{quote(pc_id, safe='')}", None)

    async def _request(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        # urllib would open file: and ftp: addresses as well.
        if not self.url.startswith(("http://", "https://")):
            raise CallRefused(f"'{self.url}' is not an http:// or https:// address.")
        headers = {"Content-Type": "application/json", **self.headers}
        own = self._call_token if path.startswith("/api/offer") else None
        if token := own or self.token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(self.url + path, data, headers, method=method)
            # In a thread: the standard library's client blocks, and the tracks must keep running.
            text = await asyncio.to_thread(_send, request, self._timeout_s)
        except urllib.error.HTTPError as error:
            raise CallRefused(_refusal(error, self.url), error.code) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            words = f"{self.url} can't be reached: {reason}."
            if isinstance(reason, ssl.SSLCertVerificationError):
                words = f"{words} {_HOW_TO_TRUST}"
            raise CallRefused(words) from error
        if not text.strip():
            return {}
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError) as error:
            if text.lstrip()[:1] == b"<":
                raise CallRefused(
                    f"{self.url}{path} answered with a web page, not with JSON: it is another "
                    f"server, or something in front of it. {_HOW_TO_SIGN_IN}"
                ) from error
            raise CallRefused(f"{self.url}{path} didn't answer with JSON.") from error
        return answer if isinstance(answer, dict) else {}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: token and cookies are meant for the given address only."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse to follow."""


def _send(request: urllib.request.Request, timeout_s: float) -> bytes:
    opener = urllib.request.build_opener(_NoRedirects)
    until_s = time.monotonic() + timeout_s
    body = b""
    with opener.open(request, timeout=timeout_s) as response:
        # The timeout applies to each read, so a server that sends byte by byte would never reach
        # it.
        while len(body) < _MAX_ANSWER_BYTES and (piece := response.read1(_MAX_ANSWER_BYTES)):
            body += piece
            if time.monotonic() > until_s:
                raise TimeoutError(f"its answer was not over after {timeout_s:g} s")
    return body[:_MAX_ANSWER_BYTES]


def _refusal(error: urllib.error.HTTPError, url: str) -> str:
    """Put an error response into words: the server's sentence, the status, when to try again."""
    headers = error.headers
    if 300 <= error.code < 400:
        return (
            f"{url} redirects to {headers.get('Location', 'another address')} "
            f"(HTTP {error.code}): call that address. {_HOW_TO_SIGN_IN}"
        )
    try:
        body = json.loads(error.read(_MAX_ANSWER_BYTES))
    except (ValueError, RecursionError, OSError, http.client.HTTPException):
        body = None
    own = body.get("error") if isinstance(body, dict) else None
    words = f"The server refused the call: {own or error.reason} (HTTP {error.code})."
    if body is None and error.code in (401, 403):
        words = f"{words} {_HOW_TO_SIGN_IN}"
    retry_after = headers.get("Retry-After")
    return f"{words} Try again in {retry_after} s." if retry_after else words
