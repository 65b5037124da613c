"""Answers about what the camera shows."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from vision_agent.local.contract import Request, Turn
from vision_agent.local.engine.answers import named_things, phrasing
from vision_agent.local.engine.answers.asked_kind import AskedKind, asked_kind
from vision_agent.local.engine.answers.english import with_article
from vision_agent.local.engine.answers.kind_answers import (
    ABOUT_KINDS,
    SLOTS,
    fitting,
    text_on,
    where_is,
)
from vision_agent.local.engine.answers.named_things import most_prominent
from vision_agent.local.engine.answers.notices import camera_is_off
from vision_agent.local.engine.answers.target_box import Target, locate, target_of
from vision_agent.local.engine.answers.taught_objects import TaughtObjects
from vision_agent.local.engine.answers.visual_intents import LOOKS
from vision_agent.local.engine.language.vocabulary import singular
from vision_agent.local.engine.sight import Observations, Sight, TaughtThing, UnreadableFrame

STALE_FRAME_MS = 12_000
"""Frames that show nothing new may be skipped for 10 s. If the newest frame is older than this, the
camera is off."""

NO_FRAME = "I can't see anything: no picture has come from your camera."
SCREEN_OFF = "You don't share your screen any more."
BROKEN_FRAME = "The picture from your camera is broken; I can't see anything in it."
BROKEN = {
    "camera": BROKEN_FRAME,
    "screen": "The picture of your screen is broken; I can't see anything in it.",
    "picture": "The picture that you have sent is broken; I can't see anything in it.",
}

_ANY = re.compile(r"(any|some|every|no) ?(thing|body|one)\b")

NTH = ("first", "second", "third", "fourth")

_HAPPENING = re.compile(r"\b(?:going on|happening|happens)\b", re.IGNORECASE)

_ON_A_TABLE = re.compile(r"\bon (?:the|my|this|that) (?:table|desk)\b", re.IGNORECASE)

_OF_A_THING = frozenset({"where", "point", "is_thing", "is_known"})
"""Intents that have no answer for a kind that is neither taught nor known to sight."""


class VisualAnswers:
    """Looks at the newest frame and answers questions about it.

    Args:
        sight: Analyses frames.
        known: The things that users have taught.
    """

    def __init__(self, sight: Sight, known: TaughtObjects) -> None:
        self._sight = sight
        self._known = known

    async def answer(self, request: Request, turn: Turn) -> AsyncGenerator[str, None]:
        """The answer to a request that needs a frame, sentence by sentence."""
        if turn.source == "camera" and turn.camera_off_ms is not None:
            yield camera_is_off(turn.camera_off_ms)
            return
        if turn.source == "screen" and turn.screen_off_ms is not None:
            yield SCREEN_OFF
            return
        if not turn.frames:
            yield NO_FRAME
            return
        age_ms = turn.now_ms - turn.frames[-1].at_ms
        if age_ms > STALE_FRAME_MS and turn.source == "camera":
            yield camera_is_off(age_ms)
            if request.intent == "teach":
                return
        views = _each_picture(request, turn)
        for nth, view in zip(NTH, views, strict=False):
            if len(views) > 1:
                yield f"The {nth} picture:"
            try:
                async with aclosing(self._see(request, view)) as sentences:
                    async for sentence in sentences:
                        yield sentence
            except UnreadableFrame:
                yield BROKEN[turn.source]
        for sentence in await self._known.notice(turn.user):
            yield sentence

    async def _see(self, request: Request, turn: Turn) -> AsyncGenerator[str, None]:
        taught = await self._known.things(turn.user)
        asked = asked_kind(_thing_in(request))
        mine = _taught_in(request, taught)
        match request.intent:
            case "teach":
                sentences = await self._known.teach(turn, request)
            case "forget":
                sentences = await self._known.forget(turn, request)
            case "is_thing" | "is_known" if mine:
                sentences = await self._is_taught(mine[0], asked, turn)
            case intent if intent in ABOUT_KINDS and asked and not mine:
                sentences = await self._about_kind(request, asked, turn, taught)
            case "where" | "point" | "any_colour" | "count_colour":
                sentences = await self._where(request, turn, taught)
            case intent if intent in _OF_A_THING:
                sentences = [cannot_recognise(_thing_in(request))]
            case _:
                async with aclosing(self._observe(request, asked, turn, taught)) as seen:
                    async for sentence in seen:
                        yield sentence
                return
        for sentence in sentences:
            yield sentence

    async def _observe(
        self,
        request: Request,
        asked: AskedKind | None,
        turn: Turn,
        taught: tuple[TaughtThing, ...],
    ) -> AsyncGenerator[str, None]:
        """Takes an intent's looks one after another; yields each one's sentences at once."""
        of_faces = request.intent == "people" and re.search(r"\bfaces?\b", turn.text.lower())
        on_it = asked if asked and asked.is_found and request.intent == "read" else None
        seen = Observations()
        held = request.intent == "what_is" and re.search(r"\bhold", turn.text.lower())
        for look in LOOKS["faces" if of_faces else "held" if held else request.intent]:
            if look.only_unnamed and named_things.believed(seen.named or ()):
                continue
            if look.meanwhile and turn.transcript.spoken:
                yield look.meanwhile
            needs = look.needs | ({"named", "all_text"} if on_it else set())
            found = await self._sight.observe(turn.frames, needs, taught=taught)
            seen = seen.and_also(text_on(on_it, found) if on_it else found)
            if unusable := phrasing.unusable(seen):
                yield unusable
                return
            turn.dialogue.named = None if "side" in request.slots else most_prominent(seen)
            for sentence in look.say(seen, request, taught):
                yield sentence
        if request.intent == "see" and _HAPPENING.search(turn.text):
            yield "What is going on beyond that I can't tell."
        named = {thing.name for thing in named_things.prominent(seen)}
        if request.intent == "see" and named == {"table"} and _ON_A_TABLE.search(turn.text):
            yield "What is on it I can't tell."

    async def _about_kind(
        self, request: Request, asked: AskedKind, turn: Turn, taught: tuple[TaughtThing, ...]
    ) -> list[str]:
        intent = request.intent
        needs = {"named", "shown", "colour", "quality"}
        needs |= {"count"} if intent == "count" and not asked.kinds & {"person"} else set()
        seen = await self._sight.observe(turn.frames, frozenset(needs))
        if unusable := phrasing.unusable(seen):
            return [unusable]
        if seen.off:
            return list(seen.off)
        found = fitting(asked, seen)
        if not found and not asked.is_found and "colour" in intent:
            # The colour of a thing can be said even if its kind is unknown.
            if intent in LOOKS:
                return LOOKS[intent][0].say(seen, request, taught)
            return await self._where(request, turn, taught)
        turn.dialogue.named = found[0] if found else most_prominent(seen)
        return ABOUT_KINDS[intent](asked, seen)

    async def _is_taught(
        self, thing: TaughtThing, asked: AskedKind | None, turn: Turn
    ) -> list[str]:
        """The answer to "is this my mug?", and to "is there a mug?" where a mug was taught."""
        needs = frozenset({"known", "quality"})
        seen = await self._sight.observe(turn.frames, needs, taught=(thing,))
        if unusable := phrasing.unusable(seen):
            return [unusable]
        return [phrasing.is_taught(thing, seen.known or ())]

    async def _where(
        self, request: Request, turn: Turn, taught: Sequence[TaughtThing]
    ) -> list[str]:
        coloured = request.intent in ("any_colour", "count_colour")
        target = target_of(_thing_in(request), () if coloured else taught, by_colour=coloured)
        if target.kind == "unknown":
            return not_located(target, Observations())
        seen, boxes = await locate(self._sight, turn.frames, target)
        if unusable := phrasing.unusable(seen):
            return [unusable]
        if request.intent == "count_colour":
            return phrasing.counted_spots(target.colour, boxes)
        if request.intent == "any_colour":
            return phrasing.found_or_not(target.name, target.colour, boxes, target.caveat)
        if not boxes:
            return not_located(target, seen)
        return phrasing.located(target.name, boxes, target.caveat)


def _each_picture(request: Request, turn: Turn) -> Sequence[Turn]:
    """A turn for each picture that was sent for this question, if the question suits each one."""
    if turn.source != "picture" or request.intent in ("changed", "moving", "teach"):
        return [turn]
    return [replace(turn, frames=[frame]) for frame in turn.frames[-len(NTH) :]]


def cannot_recognise(thing: str) -> str:
    """The statement that sight has no name for a kind of thing."""
    if _ANY.match(thing):
        return "I know things by their names only. Ask me, for example: is there a cup?"
    return (
        f"I can't recognise {with_article(thing)}. "
        "Show it to me and say, for example: this is my mug."
    )


def not_located(target: Target, seen: Observations) -> list[str]:
    """Why a thing has no place in the frame."""
    if target.kind == "unknown":
        return [cannot_recognise(target.name)]
    if target.asked:
        return where_is(target.asked, seen)
    return [f"I don't see {target.name}."]


def _thing_in(request: Request) -> str:
    """The caller's words for the thing, with its colour."""
    slots = request.slots
    thing = slots.get(SLOTS.get(request.intent, "object"), "") or slots.get("thing", "")
    whose = slots.get("whose", "")
    colour = slots.get("colour", "")
    return " ".join(part for part in (whose, colour, thing) if part)


def _taught_in(request: Request, taught: Sequence[TaughtThing]) -> tuple[TaughtThing, ...]:
    """The taught thing that a request names."""
    said = _thing_in(request).split()
    while said and said[0] in ("the", "a", "an", "my", "our", "any", "some"):
        said.pop(0)
    name = " ".join([*said[:-1], singular(said[-1])]) if said else ""
    return tuple(thing for thing in taught if thing.name == name)
