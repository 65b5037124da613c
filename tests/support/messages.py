"""What a caller's messages and a server's answers say, in one word."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request


def said(message: dict) -> str | None:
    return message["data"].get("text") if message["type"] == "bot-transcription" else None


def state(message: dict) -> str | None:
    data = message.get("data") or {}
    return data.get("state") if data.get("kind") == "state" else None


def notice(message: dict, about: str) -> bool:
    data = message.get("data") or {}
    return data.get("kind") == "notice" and data.get("about") == about


async def refusal(url: str, method: str = "GET") -> urllib.error.HTTPError:
    """The answer that is no 2xx, as soon as it is that."""

    def ask() -> urllib.error.HTTPError | None:
        try:
            urllib.request.urlopen(url, timeout=10).close()
        except urllib.error.HTTPError as error:
            return error
        return None

    async with asyncio.timeout(20):
        while (found := await asyncio.to_thread(ask)) is None:
            await asyncio.sleep(0.05)
    return found


def session_events(server, state: str) -> float:
    """How many events of conversations are in this state, as the server's metrics say."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as response:
        text = response.read().decode()
    line = next(x for x in text.splitlines() if f'session_events{{state="{state}"}}' in x)
    return float(line.rsplit(" ", 1)[1])
