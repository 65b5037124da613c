"""The things that users teach: learning, recognising and forgetting them."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence

from vision_agent.local.contract import Request, SeenFrame, Turn
from vision_agent.local.engine.answers.english import listed
from vision_agent.local.engine.answers.taught_file import MOST_NAME
from vision_agent.local.engine.answers.taught_store import NoRoom, TaughtStore
from vision_agent.local.engine.language.normalisation import normalise
from vision_agent.local.engine.language.taught_names import TaughtNames
from vision_agent.local.engine.language.vocabulary import singular
from vision_agent.local.engine.sight import Known, Quality, Sight, TaughtThing

HOW_TO_TEACH = "Tell me what it is, for example: this is my mug."

UNKNOWN = f"I don't know this one. {HOW_TO_TEACH}"

_WHOSE = {"my": "my", "our": "my", "the": "the", "a": "a", "an": "a"}

_logger = logging.getLogger(__name__)


class TaughtObjects:
    """Learns the things that each user teaches, and answers about them.

    Args:
        sight: Learns and finds things in frames.
        store: Keeps the taught things; None keeps nothing.
        names: The record of taught names, for the recogniser.
    """

    def __init__(
        self,
        sight: Sight,
        store: TaughtStore | None,
        names: TaughtNames | None = None,
    ) -> None:
        self._sight = sight
        self._store = store
        self._names = names or TaughtNames()

    async def things(self, user: str) -> tuple[TaughtThing, ...]:
        """The things that the user has taught; none if the file can't be read at the moment."""
        if self._store is None:
            return ()
        try:
            things = await asyncio.to_thread(self._store.things, user)
        except OSError as error:
            _logger.warning("what a user taught can't be read: %s", error)
            return ()
        self._record(user, things)
        return things

    async def notice(self, user: str) -> list[str]:
        """The sentence, given once, that the user's file was damaged."""
        aside = self._store.take_notice(user) if self._store is not None else None
        if aside is None:
            return []
        return [
            "I could not read what you taught me earlier, so I start anew. "
            f"The old file is kept as {aside.name}."
        ]

    async def teach(self, turn: Turn, request: Request) -> list[str]:
        """Learns the thing that the newest frame shows; returns the answer.

        Raises:
            UnreadableFrame: The frame is broken.
        """
        if self._store is None:
            return ["I can't keep anything here."]
        name = name_of(request)
        if len(name) > MOST_NAME:
            return ["That name is too long for me. Give it a shorter one."]
        quality, view = await self._sight.learn(turn.frames)
        if view is None:
            return [_why_not(quality)]
        try:
            things = await asyncio.to_thread(
                self._store.teach, turn.user, name, whose_of(turn.text, request), view
            )
        except NoRoom as error:
            return [str(error)]
        except OSError as error:
            _logger.warning("what a user taught can't be kept: %s", error)
            return ["I looked at it, but I can't keep it: writing it down failed."]
        self._record(turn.user, things)
        taught = next(thing for thing in things if thing.name == name)
        said = [f"I'll remember: this is {taught.called}."]
        if len(taught.views) > 1:
            said = [f"Now I know {taught.called} from {len(taught.views)} sides."]
        elif not view.has_details:
            said.append("It is plain, so I know it by its colour and shape only.")
        return said

    async def forget(self, turn: Turn, request: Request) -> list[str]:
        """Forgets a thing by its name, the thing in the frame, or all things; returns the answer.

        Raises:
            UnreadableFrame: The thing in the frame is to be forgotten, and the frame is broken.
        """
        if self._store is None:
            return ["I don't know anything that I could forget."]
        name: str | None = name_of(request) or None
        if forgets_what_is_seen(turn, request):
            seen = await self.recognise(turn.frames, await self.things(turn.user))
            if not seen:
                return ["I don't know what this is, so there is nothing to forget."]
            name = seen[0].name
        called = {thing.name: thing.called for thing in await self.things(turn.user)}
        try:
            gone = await asyncio.to_thread(self._store.forget, turn.user, name)
        except OSError as error:
            _logger.warning("what a user taught can't be forgotten: %s", error)
            return ["I can't forget it: the file can't be written."]
        if not gone:
            return [f"I don't know {'anything' if name is None else f'any {name}'}."]
        await self.things(turn.user)
        return [f"I have forgotten {listed([called[one] for one in gone])}."]

    async def tell(self, user: str) -> list[str]:
        """The answer to "what do you know?"."""
        things = await self.things(user)
        if not things:
            return [
                "You haven't taught me anything yet. Show me something and say: this is my mug."
            ]
        return [f"I know {listed([thing.called for thing in things])}."]

    async def recognise(
        self, frames: Sequence[SeenFrame], things: Sequence[TaughtThing]
    ) -> tuple[Known, ...]:
        """The taught things in the newest frame.

        Raises:
            UnreadableFrame: There is no frame, or the newest is broken.
        """
        if not things:
            return ()
        return (await self._sight.observe(frames, frozenset({"known"}), taught=things)).known or ()

    def _record(self, user: str, things: Sequence[TaughtThing]) -> None:
        self._names.record(user, [thing.name for thing in things])


_EVERYTHING = re.compile(
    r"\b(?:everything|all)\b|\byour memory$|\b(?:taught|told|shown|showed) you$"
)


def forgets_what_is_seen(turn: Turn, request: Request) -> bool:
    """Whether a request to forget means the thing in the frame: "forget this"."""
    everything = _EVERYTHING.search(normalise(turn.text))
    return not name_of(request) and not everything


def name_of(request: Request) -> str:
    """The name in a request, in the singular, as it is stored."""
    words = (request.slots.get("name") or request.slots.get("noun") or "").split()
    while words and words[0] in _WHOSE:
        words.pop(0)
    if words:
        words[-1] = singular(words[-1])
    return " ".join(words)


def whose_of(text: str, request: Request) -> str:
    """The word before the name in an answer: "my" or an article; empty for a proper name."""
    name = name_of(request)
    word = request.slots.get("whose", "")
    if not word:
        # "this is my mug": the word before the name is part of the phrase itself.
        before = normalise(text).split(f" {name.split(' ')[0]}")[0].split()
        word = before[-1] if before else ""
    return _WHOSE.get(word, "")


def _why_not(quality: Quality) -> str:
    if quality.too_dark:
        return "It is too dark for me to learn what this looks like. Some light would help."
    if quality.too_bright:
        return "It is too bright for me to learn what this looks like."
    if quality.blurred:
        return "The picture is blurred. Hold it still, and tell me again."
    return "I can't make out what you mean. Hold it before the camera, on a plain background."
