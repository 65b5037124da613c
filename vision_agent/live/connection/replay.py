"""Sends a new connection what it needs to continue the conversation."""

from __future__ import annotations

from google.adk.models.base_llm_connection import BaseLlmConnection
from google.genai import types

from vision_agent.live.adk_hooks import send_conversation
from vision_agent.live.connection.content_rewrite import as_words, tools_in_words
from vision_agent.live.connection.ledger import Replay
from vision_agent.live.connection.observer import Gate
from vision_agent.live.media import with_frame


async def send_replay(
    link: BaseLlmConnection, replay: Replay, gate: Gate, *, in_words: bool
) -> bool:
    """Send the replay in an order in which no part cuts off the answer to another.

    A new session gets the history first, as it would cut off the answer to the sound. A resumed
    session gets the words last, as they are newer than sound that has no transcript yet. Either
    gets the caller's newest frame before the sound, as a spoken question is about what was seen
    before it.

    Args:
        link: The connection.
        replay: What to send.
        gate: Has the newest frame.
        in_words: Whether tool calls and their results are sent as text.

    Returns:
        Whether the service still takes contents as history: no question has been sent yet.
    """
    contents = with_frame(replay.contents, replay.asked, gate.camera_frame)
    if in_words:
        contents = tools_in_words(contents)
    if replay.handle is None:
        if contents:
            await link.send_history(contents)
        await _send_realtime(link, gate.take_frame(), replay.audio)
        return bool(contents) and contents[-1].role != "user"
    await _send_realtime(link, gate.take_frame(), replay.audio)
    if (words := as_words(contents)) is not None:
        # ADK sends it as real-time text to models that want that.
        await link.send_content(words)
    elif contents:
        await send_conversation(link, contents)
    return False


async def _send_realtime(
    link: BaseLlmConnection, frame: types.Blob | None, audio: list[types.Blob]
) -> None:
    for blob in [*([] if frame is None else [frame]), *audio]:
        await link.send_realtime(blob)
