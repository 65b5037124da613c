"""Decides the answer to a turn from its question, frames and tools.

Tables say what each intent needs. The engine is modest and says so: it asks the caller to repeat
what it did not understand, and names what it can't do. `Responder._answer` holds the order of the
decisions.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from vision_agent.local.contract import Request, Say, ToolRequest, Transcript, Turn
from vision_agent.local.engine.answers import named_things, phrasing
from vision_agent.local.engine.answers.agent_transfer import (
    greeting_if_asked_for,
    transfer_by_description,
    transfer_by_name,
)
from vision_agent.local.engine.answers.notices import read_notice, without_notices
from vision_agent.local.engine.answers.refusals import beyond, not_caught
from vision_agent.local.engine.answers.sources import (
    of_its_source,
    of_the_newest,
    remember_answered,
    without_source,
)
from vision_agent.local.engine.answers.target_box import (
    TEXT_WORDS,
    box_2d,
    locate,
    target_of,
)
from vision_agent.local.engine.answers.taught_objects import (
    HOW_TO_TEACH,
    TaughtObjects,
    forgets_what_is_seen,
    name_of,
    whose_of,
)
from vision_agent.local.engine.answers.tool_matching import Plan, complete, is_denied, plan_tool
from vision_agent.local.engine.answers.tool_results import tool_result
from vision_agent.local.engine.answers.tool_wishes import is_addressed, may_answer
from vision_agent.local.engine.answers.tool_words import split_name, tool_concepts
from vision_agent.local.engine.answers.visual_answers import (
    BROKEN_FRAME,
    NO_FRAME,
    VisualAnswers,
    not_located,
)
from vision_agent.local.engine.answers.visual_intents import LOOKS
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.phrase_matching import small_talk
from vision_agent.local.engine.language.sentence_form import asks
from vision_agent.local.engine.language.understanding import Understanding
from vision_agent.local.engine.sight import Box, Sight, UnreadableFrame

SENSES = (
    "I can name everyday things and people, count them and say where they are, read text and QR "
    "codes, tell colours and what moves or changed, and learn the things you teach me."
)

LEAST_SNR_DB = 12.0
"""Signal-to-noise ratio below which the noise is blamed for a miss.

Speech 10 dB above kitchen noise measures 14 here, and more than four requests in five are
understood; in quiet rooms it measures 38 and more.
"""

OPEN_TALK = "For open conversation, give this server a Gemini key or a model of your own."

PLAIN_ANSWERS = {
    "hello": "Hello! Show me something and ask me about it.",
    "how_are_you": "I'm fine, thank you. Show me something and ask me about it.",
    "stop": "Okay.",
    "thanks": "You're welcome.",
    "bye": "Goodbye!",
    "help": f"I'm a small engine that works offline. {SENSES} {OPEN_TALK}",
    "hear_me": "Yes, I hear you.",
    "who": f"I'm the local engine of this server: small, offline, and no language model. {SENSES}",
    "yes": "All right. What would you like to know?",
    "no": "All right.",
    "fine": "Good.",
    "wait": "Take your time.",
    "meet": "Nice to meet you. Show me something and ask me about it.",
    "how_to_teach": HOW_TO_TEACH,
    "sum": "I can't do sums. For those, give this server a Gemini key or a model of your own.",
    "compare": "I can't compare things. Show me one after the other, and ask me about each.",
    "speak": "I understand and speak English only.",
    "voice": "I can't change how I speak. Turn your loudspeaker up or down, or ask me to repeat.",
}
"""Answers to intents that need no frame."""

FOR_TOOLS = {
    "watch": "I can't keep watch: this agent has no tool for it.",
    "remind": "I can't remind you: this agent has no tool for it.",
    "stop_watch": "I'm not watching for anything: this agent has no tool for it.",
    "transfer": "I can't put you through: there is nobody of that name here.",
}
"""Intents that need a tool or another agent, and the answers if there is none."""

TOOLS_FIRST = frozenset({*FOR_TOOLS, "beyond", "clock", "point", "closer"})
"""Intents for which a tool of the agent takes precedence."""

LEAVE_IT = frozenset({"no", "stop"})
"""Intents that cancel an open question."""


class Responder:
    """Decides what to say.

    Args:
        sight: Analyses frames when an intent needs it.
        taught: The things that users have taught; None for an engine that keeps nothing.
        understanding: Decides which request was made; None creates one.
    """

    def __init__(
        self,
        sight: Sight,
        taught: TaughtObjects | None = None,
        understanding: Understanding | None = None,
    ) -> None:
        self._sight = sight
        self._known = taught or TaughtObjects(sight, None)
        self._visual = VisualAnswers(sight, self._known)
        self._understanding = understanding or Understanding()

    async def answer(self, turn: Turn) -> AsyncGenerator[Say | ToolRequest, None]:
        """The answer, sentence by sentence, or a tool call that has to come first.

        Args:
            turn: The question, and everything that the answer may use.
        """
        misses = turn.dialogue.misses
        try:
            async with aclosing(self._answer(turn)) as parts:
                async for part in parts:
                    if isinstance(part, ToolRequest):
                        turn.dialogue.called = part
                    yield part
        finally:
            turn.dialogue.refused = turn.dialogue.misses > misses

    async def _answer(self, turn: Turn) -> AsyncGenerator[Say | ToolRequest, None]:
        turn = without_notices(turn)
        if turn.tool_results:
            async with aclosing(self._tell_results(turn)) as parts:
                async for sentence in parts:
                    yield Say(sentence)
            return
        if notice := read_notice(turn.text):
            yield Say(notice)
            return
        every, turn = turn, of_its_source(turn)
        if turn.text.strip():
            remember_answered(every)
        if greeting := greeting_if_asked_for(turn.text, turn.tools, turn.instruction):
            yield Say(greeting)
            return
        request = await self._request_about(turn)
        if request and request.intent == "is_colour" and "see" in normalise(turn.text).split():
            request = replace(request, intent="any_colour")
        name, request = _confirmed(turn, request)
        if name:
            yield Say(name)
            return
        call = await self._tool(turn, request)
        if call is not None:
            yield call
            return
        sentences = self._fulfil(request, turn) if request else _each(_not_understood(turn))
        async with aclosing(sentences) as said:
            async for sentence in said:
                yield Say(sentence)

    async def _request_in(self, transcript: Transcript) -> Request | None:
        """The caller's request; None if the sentence was not understood.

        A spoken sentence brings the request that hearing found; a typed one is understood here.
        """
        if not transcript.understood or transcript.request is not None:
            return transcript.request
        return await self._understanding.request(transcript.text, spoken=transcript.spoken)

    async def _request_about(self, turn: Turn) -> Request | None:
        """The request, without the words that only say where to look."""
        shorter = without_source(turn.text, turn.source)
        if shorter == turn.text or not turn.text.strip():
            return await self._request_in(turn.transcript)
        asked = await self._understanding.request(shorter, spoken=turn.transcript.spoken)
        found = await self._request_in(turn.transcript)
        if asked is None and found is None:
            # No request is recognised, so the answer is the text on the screen, or what is seen.
            return Request("read", loose=True) if turn.source == "screen" else Request("see")
        return found if asked is None or (found and found.intent == "read") else asked

    # Tools and other agents.

    async def _tell_results(self, turn: Turn) -> AsyncGenerator[str, None]:
        for result in turn.tool_results:
            name, response = str(result.get("name", "")), result.get("response") or {}
            if turn.frames and "error" not in response and _looks_closer(name):
                # The tool has sent a new frame.
                reads = TEXT_WORDS & set(normalise(turn.text).split())
                request = await self._request_in(turn.transcript) or Request("closer")
                if reads or request.intent not in LOOKS:
                    request = Request("read" if reads else "closer")
                seen = of_the_newest(turn)
                async with aclosing(self._visual.answer(request, seen)) as sentences:
                    async for sentence in sentences:
                        yield sentence
                continue
            called = turn.dialogue.called
            arguments = called.args if called and called.name == name else {}
            yield tool_result(name, response, arguments)

    async def _tool(self, turn: Turn, request: Request | None) -> Say | ToolRequest | None:
        """The tool call that this turn asks for, or the question for a missing argument."""
        pending, turn.dialogue.pending = turn.dialogue.pending, None
        if not turn.tools:
            return None
        plan = plan_tool(turn.text, turn.tools, turn.clock)
        if isinstance(pending, Plan) and turn.transcript.understood:
            if request is not None and request.intent in LEAVE_IT:
                return Say("All right, I leave it.")
            # A new request cancels the open question; only another sentence can answer it.
            if plan is None and (request is None or may_answer(request, turn.text)):
                completed = complete(pending, turn.text, turn.clock)
                if completed is not None:
                    return await self._call(completed, turn)
        if transfer := transfer_by_name(turn.text, turn.tools, turn.instruction):
            return transfer
        if request is None and turn.transcript.understood and is_denied(turn.text, turn.tools):
            return Say("All right, I won't.")
        if request is not None and not request.loose and request.intent not in TOOLS_FIRST:
            return None
        if plan is not None:
            return await self._call(plan, turn)
        return transfer_by_description(turn.text, turn.tools, turn.instruction)

    async def _call(self, plan: Plan, turn: Turn) -> Say | ToolRequest:
        if refusal := plan.refusal:
            return Say(refusal)
        if plan.missing:
            turn.dialogue.pending = plan if plan.can_be_asked_for else None
            return Say(plan.question)
        if not plan.boxes:
            return ToolRequest(plan.tool.name, {**plan.values, **_where_to(plan, turn)})
        about = without_source(plan.about, turn.source)
        target = target_of(about, await self._known.things(turn.user))
        excuse, boxes = NO_FRAME, tuple[Box, ...]()
        if turn.frames:
            try:
                seen, boxes = await locate(self._sight, turn.frames, target)
                excuse = phrasing.unusable(seen) or " ".join(not_located(target, seen))
            except UnreadableFrame:
                excuse = BROKEN_FRAME
        if not boxes and any(parameter.required for parameter in plan.boxes):
            return Say(excuse)
        places = {parameter.name: box_2d(boxes[0]) for parameter in plan.boxes if boxes}
        return ToolRequest(plan.tool.name, {**plan.values, **places, **_where_to(plan, turn)})

    # What the engine can do without a tool.

    async def _fulfil(self, request: Request, turn: Turn) -> AsyncGenerator[str, None]:
        match request.intent:
            case intent if intent in PLAIN_ANSWERS:
                yield PLAIN_ANSWERS[intent]
            case "clock" if turn.clock is not None:
                yield phrasing.time_of_day(turn.clock, turn.text)
            case "beyond" | "clock" | "open":
                yield _beyond(turn)
            case intent if intent in FOR_TOOLS:
                yield FOR_TOOLS[intent]
            case "asked":
                asked = [text for role, text in turn.history if role == "user"]
                yield f"You said: {asked[-1]}" if asked else "You haven't asked me anything yet."
            case "sure":
                yield named_things.how_sure(turn.dialogue.named)
            case "repeat":
                last = [text for role, text in turn.history if role == "model"]
                yield last[-1] if last else "I haven't said anything yet."
            case "knows":
                for sentence in await self._known.tell(turn.user):
                    yield sentence
                for sentence in await self._known.notice(turn.user):
                    yield sentence
            case "forget" if not forgets_what_is_seen(turn, request):
                for sentence in await self._known.forget(turn, request):
                    yield sentence
            case _:
                async with aclosing(self._visual.answer(request, turn)) as sentences:
                    async for sentence in sentences:
                        yield sentence


def _where_to(plan: Plan, turn: Turn) -> dict[str, str]:
    """The argument that selects the caller's video for a tool."""
    if turn.source != "screen":
        return {}
    sources = [p for p in plan.tool.parameters if {"camera", "screen"} <= set(p.choices)]
    return {parameter.name: "screen" for parameter in sources}


def _looks_closer(tool: str) -> bool:
    return "closer" in tool_concepts(split_name(tool))


def _confirmed(turn: Turn, request: Request | None) -> tuple[str, Request | None]:
    """A question or reply about an uncertain name, and the rest of the request.

    A name is learned for good, so an uncertain one is kept only after "yes".
    """
    pending = turn.dialogue.pending
    if isinstance(pending, Request):
        turn.dialogue.pending = None
        reply = small_talk(turn.text)
        if reply and reply.intent == "yes":
            return "", pending
        if reply and reply.intent == "no":
            return "All right. Say the name again, or type it.", None
    if request and request.intent == "teach" and turn.transcript.unsure:
        name, whose = name_of(request), whose_of(turn.text, request)
        turn.dialogue.pending = Request("teach", {"name": name, "whose": whose})
        return f"Did you say {name}? Say yes, and I remember it.", None
    return "", request


def _not_understood(turn: Turn) -> list[str]:
    if turn.transcript.deaf:
        return [turn.transcript.deaf_answer]
    if turn.transcript.lost:
        return ["Sorry, I could not listen to that: too much is being said at once. Say it again."]
    if not turn.text.strip():
        return []  # noise is answered with silence
    if turn.proactive and turn.transcript.spoken and not is_addressed(turn.text):
        return []  # the caller is talking to somebody else
    snr_db = turn.transcript.snr_db
    if snr_db is not None and snr_db < LEAST_SNR_DB:
        return [f"It is too noisy for me: I only heard {turn.text}. Try again closer to the mic."]
    if turn.transcript.spoken and not turn.transcript.understood and not asks(turn.text):
        return [not_caught(turn.text, _missed(turn))]
    return [_beyond(turn)]


def _beyond(turn: Turn) -> str:
    return beyond(turn.text, _missed(turn), again=turn.dialogue.refused)


def _missed(turn: Turn) -> int:
    """Counts a miss; returns the number of earlier ones."""
    turn.dialogue.misses += 1
    return turn.dialogue.misses - 1


async def _each(sentences: list[str]) -> AsyncGenerator[str, None]:
    for sentence in sentences:
        yield sentence
