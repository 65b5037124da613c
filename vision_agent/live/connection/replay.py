"""Tells a connection that has just been opened what it has to know to go on."""

from __future__ import annotations

from google.adk.models.base_llm_connection import BaseLlmConnection
from google.genai import types

from vision_agent.live.adk_hooks import tell
from vision_agent.live.connection.content_rewrite import as_words, tools_in_words
from vision_agent.live.connection.ledger import Replay


async def tell_replay(link: BaseLlmConnection, replay: Replay, *, in_words: bool) -> bool:
    """Tells it, in an order in which nothing cuts off the answer to something else.

    To a new session history comes first, or it would cut off the answer to the sound. To a resumed
    one, words are newer than sound that has none yet, and are asked about last.

    Args:
        link: The connection.
        replay: What to tell.
        in_words: Whether tool calls and their results are told in words.

    Returns:
        Whether the service still takes contents for the history: it was asked nothing yet.
    """
    contents = tools_in_words(replay.contents) if in_words else replay.contents
    if replay.handle is None:
        if contents:
            await link.send_history(contents)
        await _hear(link, replay.audio)
        return bool(contents) and contents[-1].role != "user"
    await _hear(link, replay.audio)
    if (words := as_words(contents)) is not None:
        # As real-time text, where the model wants it so.
        await link.send_content(words)
    elif contents:
        await tell(link, contents)
    return False


async def _hear(link: BaseLlmConnection, audio: list[types.Blob]) -> None:
    for blob in audio:
        await link.send_realtime(blob)
