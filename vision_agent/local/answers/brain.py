"""From a question, pictures and tools to an answer: tables say what each intent needs.

It is modest and says so. What it did not understand it asks again; what it can't do it names, with
how to get it. The order in which it decides stands in `Brain.answer`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from vision_agent.local.answers import phrasing
from vision_agent.local.answers.acquaintance import (
    Acquaintance,
    forgets_what_is_seen,
    name_of,
)
from vision_agent.local.answers.agent_transfer import (
    greeting_if_asked_for,
    transfer_by_description,
    transfer_by_name,
)
from vision_agent.local.answers.looks import LOOKS
from vision_agent.local.answers.manner import CALM, SHORT, describe, is_hurried, is_loud
from vision_agent.local.answers.notices import read_notice
from vision_agent.local.answers.pointing import TEXT_WORDS, Target, box_2d, locate, target_of
from vision_agent.local.answers.tool_matching import Plan, complete, plan_tool
from vision_agent.local.answers.tool_words import ASKING, asked_concepts
from vision_agent.local.contract import CallTool, Manner, Say, Turn
from vision_agent.local.language.intents import Request, normalise, understand
from vision_agent.local.sight import Box, Observations, Sight, UnreadablePicture

STALE_PICTURE_MS = 12_000
"""Pictures that show nothing new may be left out for 10 s; past this the camera must be off."""

SENSES = (
    "I can tell you colours, printed text, QR codes, faces, how many things there are, where they "
    "are, what moves or changed, and the things you teach me."
)

LEAST_SNR_DB = 24.0
"""Below it less than two questions in three are understood; quiet rooms have 30 and more."""

OPEN_TALK = "For open conversation, give this server a Gemini key."
NO_PICTURE = "I can't see anything: no picture has come from your camera."
BROKEN_PICTURE = "The picture from your camera is broken; I can't see anything in it."

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

FOR_TOOLS = {
    "beyond": "That is beyond me.",
    "watch": "I can't keep watch: this agent has no tool for it.",
    "remind": "I can't remind you: this agent has no tool for it.",
    "transfer": "I can't put you through: there is nobody of that name here.",
}
"""Intents that only a tool of the agent's, or another agent, can fulfil; what is said without."""

TOOLS_FIRST = {**FOR_TOOLS, "point": "", "closer": ""}
"""Intents for which a tool is better than what there is without one."""


class Brain:
    """Decides what to say.

    Args:
        sight: Looks at pictures when an intent needs it.
        acquaintance: Knows what users taught; None for an engine that keeps nothing.
    """

    def __init__(self, sight: Sight, acquaintance: Acquaintance | None = None) -> None:
        self._sight = sight
        self._known = acquaintance or Acquaintance(sight, None)

    async def answer(self, turn: Turn) -> AsyncGenerator[Say | CallTool, None]:
        """The answer, sentence by sentence, or a tool to call first.

        Args:
            turn: What was asked, and everything the answer may be made of.
        """
        if turn.tool_results:
            for result in turn.tool_results:
                response = result.get("response") or {}
                closer = "error" not in response and _asks_for_a_closer_look(turn.text)
                if closer and turn.frames:
                    # What the tool gave is the newest picture.
                    reads = TEXT_WORDS & set(normalise(turn.text).split())
                    wish = Request("read" if reads else "closer")
                    async with aclosing(self._look(wish, turn)) as sentences:
                        async for sentence in sentences:
                            yield Say(sentence)
                    continue
                yield Say(phrasing.tool_result(str(result.get("name", "")), response))
            return
        if notice := read_notice(turn.text):
            yield Say(notice)
            return
        if greeting := greeting_if_asked_for(turn.text, turn.tools, turn.instruction):
            yield Say(greeting)
            return
        request = understand(turn.text) if turn.understood else None
        call = await self._tool(turn, request)
        if call is not None:
            yield call
            return
        sentences = self._fulfil(request, turn) if request else _each(_not_understood(turn))
        async with aclosing(_in_manner(sentences, turn, request)) as said:
            async for sentence in said:
                yield Say(sentence)

    # Tools and other agents.

    async def _tool(self, turn: Turn, request: Request | None) -> Say | CallTool | None:
        """The tool that this turn asks for, or the question for what the tool still needs."""
        if not turn.tools:
            return None
        pending = complete(turn.text, turn.history, turn.tools) if turn.understood else None
        if pending is not None and (request is None or request.intent == "teach"):
            return await self._call(pending, turn)
        if transfer := transfer_by_name(turn.text, turn.tools, turn.instruction):
            return transfer
        if request is not None and request.intent not in TOOLS_FIRST:
            return None
        plan = plan_tool(turn.text, turn.tools)
        if plan is not None:
            return await self._call(plan, turn)
        return transfer_by_description(turn.text, turn.tools, turn.instruction)

    async def _call(self, plan: Plan, turn: Turn) -> Say | CallTool:
        if plan.missing:
            return Say(plan.question)
        if not plan.boxes:
            return plan.call
        target = target_of(plan.about, await self._known.things(turn.user))
        excuse, boxes = NO_PICTURE, tuple[Box, ...]()
        if turn.frames:
            try:
                seen, boxes = await locate(self._sight, turn.frames, target)
                excuse = phrasing.unusable(seen) or " ".join(_not_located(target))
            except UnreadablePicture:
                excuse = BROKEN_PICTURE
        if not boxes and any(parameter.required for parameter in plan.boxes):
            return Say(excuse)
        places = {parameter.name: box_2d(boxes[0]) for parameter in plan.boxes if boxes}
        return CallTool(plan.tool.name, {**plan.values, **places})

    # What it can do by itself.

    async def _fulfil(self, request: Request, turn: Turn) -> AsyncGenerator[str, None]:
        match request.intent:
            case intent if intent in PLAIN_ANSWERS:
                yield PLAIN_ANSWERS[intent]
            case "beyond":
                for sentence in _beyond(turn):
                    yield sentence
            case "watch" | "remind" | "transfer":
                yield FOR_TOOLS[request.intent]
            case "repeat":
                last = [text for role, text in turn.history if role == "model"]
                yield last[-1] if last else "I haven't said anything yet."
            case "manner":
                yield describe(turn.manner)
            case "knows":
                for sentence in await self._known.tell(turn.user):
                    yield sentence
                for sentence in await self._known.notice(turn.user):
                    yield sentence
            case "forget" if not forgets_what_is_seen(turn, request):
                for sentence in await self._known.forget(turn, request):
                    yield sentence
            case _:
                async with aclosing(self._look(request, turn)) as sentences:
                    async for sentence in sentences:
                        yield sentence

    async def _look(self, request: Request, turn: Turn) -> AsyncGenerator[str, None]:
        """Answers that need a picture."""
        if not turn.frames:
            yield NO_PICTURE
            return
        age_ms = turn.now_ms - turn.frames[-1].at_ms
        if age_ms > STALE_PICTURE_MS:
            yield f"Your camera is off; the last picture is {age_ms // 1000} seconds old."
            if request.intent == "teach":
                return
        try:
            match request.intent:
                case "teach":
                    sentences = await self._known.teach(turn, request)
                case "forget":
                    sentences = await self._known.forget(turn, request)
                case "where" | "point":
                    sentences = await self._where(request, turn)
                case _:
                    async with aclosing(self._observe(request, turn)) as seen:
                        async for sentence in seen:
                            yield sentence
                    sentences = []
            for sentence in sentences:
                yield sentence
        except UnreadablePicture:
            yield BROKEN_PICTURE
        for sentence in await self._known.notice(turn.user):
            yield sentence

    async def _observe(self, request: Request, turn: Turn) -> AsyncGenerator[str, None]:
        taught = await self._known.things(turn.user)
        if request.intent == "is_known":
            taught = tuple(thing for thing in taught if thing.name == name_of(request))
            if not taught:
                yield f"I don't know any {name_of(request)}. Show it to me, and say: this is it."
                return
        intent = "see" if request.intent == "closer" else request.intent
        seen = Observations()
        for look in LOOKS[intent]:
            if look.meanwhile and turn.spoken:
                yield look.meanwhile
            found = await self._sight.observe(turn.frames, look.needs, taught=taught)
            seen = seen.and_also(found)
            if unusable := phrasing.unusable(seen):
                yield unusable
                return
            for sentence in look.say(seen, request, taught):
                yield sentence

    async def _where(self, request: Request, turn: Turn) -> list[str]:
        taught = await self._known.things(turn.user)
        target = target_of(request.slots["target"], taught)
        if target.kind == "unknown":
            return _not_located(target)
        seen, boxes = await locate(self._sight, turn.frames, target)
        if unusable := phrasing.unusable(seen):
            return [unusable]
        return (
            phrasing.located(target.name, boxes, target.caveat) if boxes else _not_located(target)
        )


def _asks_for_a_closer_look(text: str) -> bool:
    return any(name == "closer" for name, _, _ in asked_concepts(normalise(text).split()))


def _not_located(target: Target) -> list[str]:
    if target.kind == "unknown":
        return [
            f"I don't know what {target.name} looks like. "
            "Show it to me and say, for example: this is my mug."
        ]
    return [f"I don't see {target.name}."]


def is_too_noisy(manner: Manner) -> bool:
    """Whether the noise is the likely reason for not having understood."""
    return manner.noise_db is not None and manner.loudness_db - manner.noise_db < LEAST_SNR_DB


def _not_understood(turn: Turn) -> list[str]:
    if turn.lost:
        return ["Sorry, I could not listen to that: too much is being said at once. Say it again."]
    if not turn.text.strip():
        return []  # noise, not a question: silence is the polite answer
    if turn.proactive and turn.spoken and not _is_addressed(turn.text):
        return []  # the caller talks to somebody else
    if turn.manner and is_too_noisy(turn.manner):
        return [f"It is too noisy for me: I only heard {turn.text}. Try again closer to the mic."]
    if turn.spoken and not turn.understood:
        return _once_more(f"Sorry, I didn't catch that. I heard: {turn.text}.", turn)
    return _beyond(turn)


def _is_addressed(text: str) -> bool:
    """Whether what was heard begins like a question or a wish."""
    words = normalise(text).split()
    return bool(words) and words[0] in ASKING - {"is", "are", "do", "does", "make", "list"}


def _beyond(turn: Turn) -> list[str]:
    return _once_more(FOR_TOOLS["beyond"], turn)


def _once_more(again: str, turn: Turn) -> list[str]:
    asked_again = any(
        role == "model" and ("didn't catch" in text or "beyond me" in text)
        for role, text in turn.history
    )
    # Once is a slip of hearing; twice, the caller should know what there is to ask.
    return [again, SENSES, OPEN_TALK] if asked_again else [again, SENSES]


async def _each(sentences: list[str]) -> AsyncGenerator[str, None]:
    for sentence in sentences:
        yield sentence


async def _in_manner(
    sentences: AsyncGenerator[str, None], turn: Turn, request: Request | None
) -> AsyncGenerator[str, None]:
    """The answer as the caller's manner asks for it: shorter in a hurry, calmer when it is loud."""
    manner = turn.manner if turn.affective and turn.spoken else None
    asks_for_it = request is not None and request.intent == "manner"
    async with aclosing(sentences) as said:
        count = 0
        async for sentence in said:
            if manner and not asks_for_it:
                if count == SHORT and is_hurried(manner):
                    return
                if not count and is_loud(manner):
                    yield CALM
            count += 1
            yield sentence
