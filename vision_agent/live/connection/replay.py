"""Sends a new connection what it needs to continue the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from google.adk.models.base_llm_connection import BaseLlmConnection, RealtimeInput
from google.genai import types

from vision_agent.live.adk_hooks import send_conversation, send_initial_history
from vision_agent.live.connection.content_rewrite import as_words, tools_in_words
from vision_agent.live.connection.ledger import Replay
from vision_agent.live.connection.observer import Gate
from vision_agent.live.media import with_frames


def newest_turns(replay: Replay, turns: int | None) -> Replay:
    """The replay with the last turns of the history only; what awaits an answer is always told.

    A turn begins with the caller's words; a tool's call and its result belong to it.

    Args:
        replay: The replay; one for a session that is resumed stays as it is.
        turns: How many turns; None: all.
    """
    if turns is None or replay.handle is not None:
        return replay
    history = replay.contents[: len(replay.contents) - replay.asked]
    begins = [
        at
        for at, content in enumerate(history)
        if _is_callers(content) and not (at and _is_callers(history[at - 1]))
    ]
    first = begins[-turns] if 0 < turns <= len(begins) else 0 if turns else len(history)
    return replace(replay, contents=replay.contents[first:])


def _is_callers(content: types.Content) -> bool:
    return content.role == "user" and not any(p.function_response for p in content.parts or [])


def turn_signals(
    replay: Replay, *, signalled: bool, open_turn: bool
) -> tuple[Sequence[RealtimeInput], Sequence[RealtimeInput]]:
    """What goes before and after the replay's sound, where the caller's side makes the turns.

    Args:
        replay: The replay.
        signalled: Whether turns are signalled: the model does not find them itself.
        open_turn: Whether the caller's turn still goes on.
    """
    if not signalled or not (replay.audio or open_turn):
        return (), ()
    return (types.ActivityStart(),), () if open_turn else (types.ActivityEnd(),)


async def send_replay(
    link: BaseLlmConnection,
    replay: Replay,
    gate: Gate,
    *,
    in_words: bool,
    signals: tuple[Sequence[RealtimeInput], Sequence[RealtimeInput]] = ((), ()),
) -> None:
    """Send the replay in an order in which no part cuts off the answer to another.

    A new session gets the history first, as it would cut off the answer to the sound. A resumed
    session gets the words last, as they are newer than sound that has no transcript yet. Either
    gets the caller's newest frames before the sound, as a spoken question is about what was seen
    before it.

    Args:
        link: The connection.
        replay: What to send.
        gate: Has the newest frames.
        in_words: Whether tool calls and their results are sent as text.
        signals: What goes before and after the sound (`turn_signals`).
    """
    contents = with_frames(replay.contents, replay.asked, gate.visible)
    if in_words:
        contents = tools_in_words(contents)
    if replay.handle is None:
        if contents:
            await send_initial_history(link, contents)
        await _send_realtime(link, gate.take_frames(), replay.audio, signals)
        return
    await _send_realtime(link, gate.take_frames(), replay.audio, signals)
    if (words := as_words(contents)) is not None:
        # ADK sends it as real-time text to models that want that.
        await link.send_content(words)
    elif contents:
        await send_conversation(link, contents, wants_answer=replay.asked > 0)


async def _send_realtime(
    link: BaseLlmConnection,
    frames: Sequence[types.Blob],
    audio: Sequence[types.Blob],
    signals: tuple[Sequence[RealtimeInput], Sequence[RealtimeInput]],
) -> None:
    before, after = signals
    inputs: tuple[Any, ...] = (*frames, *before, *audio, *after)
    for each in inputs:
        await link.send_realtime(each)
