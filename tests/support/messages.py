"""Short forms of a caller's messages and a server's answers."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request

from tests.support.waiting import until


def said(message: dict) -> str | None:
    return message["data"].get("text") if message["type"] == "bot-transcription" else None


def state(message: dict) -> str | None:
    data = message.get("data") or {}
    return data.get("state") if data.get("kind") == "state" else None


def notice(message: dict, about: str) -> bool:
    data = message.get("data") or {}
    return data.get("kind") == "notice" and data.get("about") == about


async def refusal(url: str, method: str = "GET") -> urllib.error.HTTPError:
    """Poll a URL until the response's status is not 2xx; returns that response."""

    def ask() -> urllib.error.HTTPError | None:
        try:
            message = urllib.request.Request(url, method=method)
            urllib.request.urlopen(message, timeout=10).close()
        except urllib.error.HTTPError as error:
            return error
        return None

    return await until(lambda: asyncio.to_thread(ask))
