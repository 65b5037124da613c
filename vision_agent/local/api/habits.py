"""How a model speaks on the wire, where models and the two services differ. Pure data.

One `Habits` for each kind of model on each service; `models` says which model has which. Where a
figure comes from (recorded, documented or guessed; which model, which month) is in
docs/local-live-api.md. A scenario may replace any of them by its name, see `with_other`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

CaptionHabit = Literal["with sound", "ahead", "before"]
CallIdForm = Literal["function-call", "call", "fc", "uuid"]
HandleMoment = Literal["turn end", "turn start", "first sound", "never"]

STUDIO_SOUND = "audio/pcm;rate=24000"
VERTEX_SOUND = "audio/pcm"

SESSION_NOT_FOUND = 1008, "BidiGenerateContent session not found"

NOT_LEFT = (
    1008,
    "Connection aborted because the client failed to close the connection after receiving a GoAway "
    "signal once the session durat",
)
"""The close of a connection that outlived its ``goAway``, as it arrives: cut at 123 bytes."""

STILL_OPEN = 1011, "Internal error encountered."
"""The close of a client that resumes a session whose connection is open, on a model without
`Habits.resumes_while_open`. The code is reported; the words are guessed."""

DEADLINE = 1011, "Deadline expired before operation could complete."
CANCELLED = 1000, "The operation was cancelled."


@dataclass(frozen=True, slots=True)
class Habits:
    """The habits of one model on one service; the defaults are those of ``local``.

    Attributes:
        session_id: Whether ``setupComplete`` names the session.
        role: Whether ``modelTurn`` says ``role: model``.
        sound_type: The MIME type of the sound.
        chunk_bytes: Sizes of the pieces of sound, one after the other; the last ones repeat.
        chunk_cycle: How many of the last sizes repeat.
        pace: How many times faster than it plays sound is sent.
        captions: Whether the words of an answer ride in the messages with its sound, come some way
            ahead of it in messages of their own, or all before it.
        caption_words: How many words the pieces of them have at most, in turn.
        caption_space: Whether the first piece ends in the space that the second would begin with.
        heard_in_pieces: Whether the caller's words are sent in pieces, with their spaces in front,
            instead of an utterance at once.
        interim: Whether the caller's words are sent while they grow
            (``interimInputTranscription``), before the utterance.
        thoughts: Whether thoughts are sent unless the client switches thinking off.
        thinks: Whether ``usageMetadata`` counts thoughts.
        lead: What is sent before the first output of an answer that says nothing: an empty message
            or one with an empty ``serverContent``.
        empty_between: Whether empty messages come between the pieces of sound.
        grounding: Whether ``turnComplete`` comes with an empty ``groundingMetadata``.
        interaction_status: Whether ``turnComplete`` says if more follows without further input.
        call_ids: The form of a call's id.
        background_call_ids: The same for calls in the background.
        filler: What is said of a question in a turn of its own, before the answer; "" for nothing.
        completes_turns: Whether ``turnComplete`` is sent at all.
        empty_activity_ends: Whether an activity that the client signals, and in which no sound
            comes, ends the connection.
        tool_call_ends_turn: Whether a turn is complete with a call that is waited for, and the
            answer is a turn of its own.
        background_call_ends_turn: Whether a turn with a call in the background is complete when it
            has been played, instead of when the result has come.
        cancels_calls: Whether a call that is waited for when the caller cuts in is cancelled in
            words; else it is made once more, under another id, in the next turn.
        scheduled_results: Whether ``FunctionResponse.scheduling`` is taken.
        result_images: Whether pictures in ``FunctionResponse.parts`` are seen.
        functions_in_history: Whether ``clientContent`` may hold calls and results of functions.
        content_any_time: Whether ``clientContent`` is taken after the initial history.
        unfinished_content_interrupts: Whether ``clientContent`` without ``turnComplete`` interrupts
            an answer; else it waits until more content completes it.
        typed_sees_stream: Whether an answer to ``clientContent`` sees frames that came as
            ``realtimeInput``; it always sees the pictures inside of the content.
        image_tokens: What an image or a frame counts.
        uncounted_tokens: Tokens of the prompt that its details don't name.
        counts_words: Whether the words of a spoken answer count beside its sound, and the sound in
            whole seconds.
        call_tokens: Where the tokens of a turn's calls are counted: among those of the answer as
            text, unless it has thoughts; in its sum alone; or nowhere.
        prompt_only: Whether, in a session without tools, the prompt alone is counted: before the
            first output of an answer and at its end.
        silence_ms: Silence that ends an utterance, unless the client says otherwise.
        longest_silence_ms: The longest silence that a client gets.
        reports_speech: Whether ``voiceActivity`` is sent unasked.
        handles: When a handle is sent to a client that asked for some.
        handle_unasked: Whether one handle a session is sent to a client that asked for none.
        handle_every_s: How often a client that asked gets another one, besides.
        resumes_while_open: Whether a session may be resumed while its old connection is open.
        lost_handle: Code and words for a handle that is unknown or too old.
        end: Code and words at the end of a connection.
    """

    session_id: bool = False
    role: bool = True
    sound_type: str = STUDIO_SOUND
    chunk_bytes: tuple[int, ...] = (4_800, 15_360, 23_040, 7_680)
    chunk_cycle: int = 3
    pace: float = 4.5
    captions: CaptionHabit = "with sound"
    caption_words: tuple[int, ...] = (3,)
    caption_space: bool = False
    heard_in_pieces: bool = False
    interim: bool = False
    thoughts: bool = False
    thinks: bool = False
    lead: tuple[Literal["nothing", "content"], ...] = ()
    empty_between: bool = False
    grounding: bool = False
    interaction_status: bool = False
    filler: str = ""
    call_ids: CallIdForm = "function-call"
    background_call_ids: CallIdForm = "function-call"
    completes_turns: bool = True
    empty_activity_ends: bool = False
    tool_call_ends_turn: bool = True
    background_call_ends_turn: bool = True
    cancels_calls: bool = True
    scheduled_results: bool = True
    result_images: bool = True
    functions_in_history: bool = True
    content_any_time: bool = True
    unfinished_content_interrupts: bool = False
    typed_sees_stream: bool = False
    image_tokens: int = 258
    uncounted_tokens: int = 0
    counts_words: bool = False
    call_tokens: Literal["text", "sum", "nowhere"] = "nowhere"
    prompt_only: bool = False
    silence_ms: int = 600
    longest_silence_ms: int = 10_000
    reports_speech: bool = False
    handles: HandleMoment = "turn end"
    handle_unasked: bool = False
    handle_every_s: float | None = None
    resumes_while_open: bool = True
    lost_handle: tuple[int, str] = SESSION_NOT_FOUND
    end: tuple[int, str] = NOT_LEFT

    def with_other(self, other: Mapping[str, Any]) -> Habits:
        """The same with other values for the habits that are named."""
        return replace(self, **other)


NAMES = tuple(field.name for field in fields(Habits))

_ON_VERTEX: dict[str, Any] = {
    "session_id": True,
    "role": True,
    "sound_type": VERTEX_SOUND,
    "grounding": True,
    "call_ids": "uuid",
    "background_call_ids": "uuid",
}

LOCAL = Habits()
"""The engine of this machine on AI Studio's endpoint."""

LOCAL_ON_VERTEX = replace(LOCAL, **_ON_VERTEX)

NATIVE_2_5 = Habits(
    role=False,
    chunk_bytes=(1_920, 3_840, 2_880, 4_800),
    chunk_cycle=3,
    captions="ahead",
    caption_words=(2, 1, 1),
    heard_in_pieces=True,
    thoughts=True,
    thinks=True,
    call_tokens="text",
    tool_call_ends_turn=False,
    background_call_ends_turn=False,
    result_images=False,
    functions_in_history=False,
    unfinished_content_interrupts=True,
    end=DEADLINE,
)
"""2.5 native audio on AI Studio."""

HALF_CASCADE_2_5 = replace(
    NATIVE_2_5,
    **_ON_VERTEX,
    chunk_bytes=(9_600,),
    chunk_cycle=1,
    captions="before",
    caption_words=(1, 3, 6),
    counts_words=True,
    call_tokens="nowhere",
    thoughts=False,
    thinks=False,
    tool_call_ends_turn=True,
    background_call_ends_turn=True,
    end=CANCELLED,
)
"""2.5 on Vertex, of which text is made first and then sound."""

NATIVE_2_5_ON_VERTEX = replace(
    NATIVE_2_5,
    **_ON_VERTEX,
    tool_call_ends_turn=True,
    background_call_ends_turn=True,
    end=CANCELLED,
)

GENERATION_3_1 = Habits(
    role=False,
    chunk_bytes=(2, 2_400, 7_680, 9_600, 15_360),
    chunk_cycle=3,
    caption_words=(2, 1),
    lead=("content",),
    call_ids="fc",
    background_call_ids="fc",
    tool_call_ends_turn=False,
    uncounted_tokens=122,
    call_tokens="sum",
    prompt_only=True,
    silence_ms=1_000,
    longest_silence_ms=2_000,
    handles="first sound",
    handle_unasked=True,
    handle_every_s=1.2,
)

GENERATION_3_8 = Habits(
    chunk_bytes=(4_800, 15_360, 32_640, 23_040, 1_920, 7_680),
    chunk_cycle=4,
    caption_words=(4, 3),
    caption_space=True,
    thinks=True,
    lead=("nothing", "nothing", "nothing", "content"),
    empty_between=True,
    call_ids="fc",
    background_call_ids="call",
    tool_call_ends_turn=False,
    cancels_calls=False,
    image_tokens=272,
    uncounted_tokens=27,
    silence_ms=1_200,
    longest_silence_ms=2_000,
    reports_speech=True,
    handles="turn start",
    handle_unasked=True,
)

GENERATION_3_8_ON_VERTEX = replace(
    GENERATION_3_8, **_ON_VERTEX, reports_speech=False, handle_unasked=False
)

EXTENDED_THINKING = replace(
    GENERATION_3_8,
    interaction_status=True,
    filler="Let me think about that.",
    scheduled_results=False,
)

TRANSCRIBES = replace(
    GENERATION_3_8,
    interim=True,
    completes_turns=False,
    empty_activity_ends=True,
    handles="never",
    handle_unasked=False,
)
"""Transcribes the caller; its answers are empty."""
