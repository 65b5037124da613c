"""From a question, pictures and tools to an answer: one table from intents to what each needs.

It is modest and says so. What it did not understand it asks again; what it can't do it names, with
how to get it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from vision_agent.local import phrasing
from vision_agent.local.contract import CallTool, Say, Turn
from vision_agent.local.intents import Request, understand
from vision_agent.local.notices import read_notice
from vision_agent.local.sight import Observations, Sight, UnreadablePicture
from vision_agent.local.tool_matching import match_tool

STALE_PICTURE_MS = 12_000
"""Pictures that show nothing new may be left out for 10 s; past this the camera must be off."""

SENSES = "I can tell you colours, printed text, QR codes, faces, and what changed."
OPEN_TALK = "For open conversation, give this server a Gemini key."
NO_PICTURE = "I can't see anything: no picture has come from your camera."

PLAIN_ANSWERS = {
    "hello": "Hello! Show me something and ask me about it.",
    "how_are_you": "I'm fine, thank you. Show me something and ask me about it.",
    "stop": "Okay.",
    "thanks": "You're welcome.",
    "bye": "Goodbye!",
    "help": f"I'm a small engine that works offline. {SENSES} {OPEN_TALK}",
    "hear_me": "Yes, I hear you.",
    "who": f"I'm the local engine of this server: small, offline, and no language model. {SENSES}",
}
"""Intents that need no looking."""


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the newest picture: what to look for, and how to say it."""

    needs: frozenset[str]
    say: Callable[[Observations, Request], list[str]]


class Brain:
    """Decides what to say.

    Args:
        sight: Looks at pictures when an intent needs it.
    """

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    async def answer(self, turn: Turn) -> AsyncGenerator[Say | CallTool, None]:
        """The answer, sentence by sentence, or a tool to call first.

        Args:
            turn: What was asked, and everything the answer may be made of.
        """
        if turn.tool_results:
            for result in turn.tool_results:
                response = result.get("response") or {}
                yield Say(phrasing.tool_result(str(result.get("name", "")), response))
            return
        if notice := read_notice(turn.text):
            yield Say(notice)
            return
        request = understand(turn.text) if turn.understood else None
        if request is None or request.intent == "beyond":
            call = match_tool(turn.text, turn.tools)
            if call is not None:
                yield call
                return
            for sentence in _not_understood(turn):
                yield Say(sentence)
            return
        async with aclosing(self._fulfil(request, turn)) as sentences:
            async for sentence in sentences:
                yield Say(sentence)

    async def _fulfil(self, request: Request, turn: Turn) -> AsyncGenerator[str, None]:
        if request.intent in PLAIN_ANSWERS:
            yield PLAIN_ANSWERS[request.intent]
            return
        if request.intent == "repeat":
            last = next((text for role, text in reversed(turn.history) if role == "model"), None)
            yield last or "I haven't said anything yet."
            return
        if not turn.frames:
            yield NO_PICTURE
            return
        age_ms = turn.now_ms - turn.frames[-1].at_ms
        if age_ms > STALE_PICTURE_MS:
            yield f"Your camera is off; the last picture is {age_ms // 1000} seconds old."
        try:
            for look in _LOOKS[request.intent]:
                seen = await self._sight.observe(turn.frames, look.needs)
                if unusable := phrasing.unusable(seen):
                    yield unusable
                    return
                for sentence in look.say(seen, request):
                    yield sentence
        except UnreadablePicture:
            yield "The picture from your camera is broken; I can't see anything in it."


def _not_understood(turn: Turn) -> list[str]:
    if not turn.text.strip():
        return []  # noise, not a question: silence is the polite answer
    if turn.spoken and not turn.understood:
        again = f"Sorry, I didn't catch that. I heard: {turn.text}."
    else:
        again = "That is beyond me."
    asked_again = any(
        role == "model" and ("didn't catch" in text or "beyond me" in text)
        for role, text in turn.history
    )
    # Once is a slip of hearing; twice, the caller should know what there is to ask.
    return [again, SENSES, OPEN_TALK] if asked_again else [again, SENSES]


def _scene(seen: Observations, request: Request) -> list[str]:
    return phrasing.scene(seen)


def _details(seen: Observations, request: Request) -> list[str]:
    return phrasing.details(seen)


def _colour(seen: Observations, request: Request) -> list[str]:
    return [phrasing.colour(seen.colour)] if seen.colour else []


def _is_colour(seen: Observations, request: Request) -> list[str]:
    asked = request.slots["colour"]
    if seen.colour is None:
        return []
    if asked in seen.colour.main.split():
        return [f"Yes, it is {seen.colour.main}."]
    for where, name in seen.colour.others:
        if asked in name.split():
            return [f"There is something {name} {where}."]
    return [f"No, it looks {seen.colour.main} to me."]


def _read(seen: Observations, request: Request) -> list[str]:
    if seen.text:
        return [f"It says: {phrasing.lines(seen.text)}."]
    if seen.codes:
        return [phrasing.codes(seen.codes)]
    return ["I can't find any text that I can read. Hold it closer, and still."]


def _codes(seen: Observations, request: Request) -> list[str]:
    if seen.codes:
        return [f"Yes. {phrasing.codes(seen.codes)}"]
    return ["I don't see a QR code or a barcode. Hold it closer, and still."]


def _changed(seen: Observations, request: Request) -> list[str]:
    if seen.changes is None:
        return []
    if not seen.changes.changed and not seen.changes.since_s:
        return ["I have no earlier picture to compare with yet."]
    what = seen.changes.what
    ago = phrasing.count(max(1, round(seen.changes.since_s)), "second")
    return [f"{what[0].upper()}{what[1:]}, compared with {ago} ago."]


def _people(seen: Observations, request: Request) -> list[str]:
    if seen.faces:
        return [phrasing.faces(seen.faces)]
    return ["I see no face. I only find faces that look at the camera."]


def _light(seen: Observations, request: Request) -> list[str]:
    if seen.quality and seen.quality.blurred:
        return ["There is enough light, but the picture is blurred."]
    return ["There is enough light for me."]


def _see_me(seen: Observations, request: Request) -> list[str]:
    if seen.faces:
        return [f"Yes. {phrasing.faces(seen.faces)}"]
    return ["I get your picture, but I see no face in it."]


_QUALITY = "quality"

_LOOKS = {
    # What takes long is looked for while the first sentence is being spoken.
    "see": (
        _Look(frozenset({"colour", _QUALITY}), _scene),
        _Look(frozenset({"faces", "text", "codes"}), _details),
    ),
    "colour": (_Look(frozenset({"colour", _QUALITY}), _colour),),
    "is_colour": (_Look(frozenset({"colour", _QUALITY}), _is_colour),),
    "read": (_Look(frozenset({"text", "codes", _QUALITY}), _read),),
    "code": (_Look(frozenset({"codes", _QUALITY}), _codes),),
    "changed": (_Look(frozenset({"changes", _QUALITY}), _changed),),
    "people": (_Look(frozenset({"faces", _QUALITY}), _people),),
    "light": (_Look(frozenset({_QUALITY}), _light),),
    "see_me": (_Look(frozenset({"faces", _QUALITY}), _see_me),),
}
"""Intents that need the newest picture, and the looks that each takes, the quick one first."""
