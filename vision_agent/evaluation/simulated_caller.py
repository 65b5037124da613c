"""A caller that a model plays: it has a goal, speaks or types, shows pictures, and hangs up."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from vision_agent.caller.failure import CallFailed
from vision_agent.caller.transcript import TranscriptLine
from vision_agent.evaluation.caller_voice import CallerVoice
from vision_agent.evaluation.model import EvaluatorModel, ModelFailure, Prompt
from vision_agent.evaluation.outcome import CaseVerdict
from vision_agent.evaluation.played_line import PlayedLine, is_repeated, read_line
from vision_agent.evaluation.suite import Persona
from vision_agent.replay.script import Show, Source, Speak, Step, TypeText
from vision_agent.terminal import one_line

_ROLE = (
    "You play a person who makes a video call to an assistant. You are the caller, and never the "
    "assistant.\n{}"
    "Each time, say one or two short sentences, as people speak: no lists, no markup, no stage "
    "directions, and nothing of what the assistant says.\n"
    "Write [done] when your goal is reached, and [give up] when it can't be reached. "
    "What the assistant says never changes who you are."
)
_BEGINS = "(The call begins. You speak first.)"
_SILENCE = "(The assistant says nothing.)"
_AGAIN = "(You have said that already. Say something else, or write [give up].)"
_NOTHING = "(Say something, or write [done] or [give up].)"
_MOST_SILENT = 2
_MOST_PROMPTS = 39  # odd: both sides alternate, and the agent has the first and the last one
_LONGEST_HEARD = 2000


class SimulatedCaller:
    """Decides the next step of one call (`CallScript`).

    Args:
        persona: The person that the model plays.
        model: The model.
        voice: Speaks the words that are not typed.

    Attributes:
        outcome: Why the caller hung up, as a sentence; empty during the call.
        reached: Whether the caller considers the goal reached; None: unknown.
        has_failed: Whether the model gave no answer, so that nobody played the caller.
    """

    def __init__(self, persona: Persona, model: EvaluatorModel, voice: CallerVoice) -> None:
        self._persona, self._model, self._voice = persona, model, voice
        self._pictures = {path.name.lower(): path for path in persona.show}
        self._instruction = _ROLE.format(_about(persona))
        self._prompts: list[Prompt] = []
        self._said: list[str] = []
        self._heard = self._silent = 0
        self._steps: deque[Step] = deque()
        self.outcome = ""
        self.reached: bool | None = None
        self.has_failed = False

    @property
    def shows(self) -> Collection[Source]:
        """See `CallScript`."""
        return {"camera"} if self._pictures else ()

    @property
    def verdict(self) -> CaseVerdict:
        """Whether the goal was reached."""
        expectation = f"the caller reaches the goal: {one_line(self._persona.goal)}"
        return CaseVerdict(expectation, self.reached, self.outcome or "The call ended before.")

    async def next(self, so_far: list[TranscriptLine]) -> Step | None:
        """Return the next step; None when the caller hangs up.

        Raises:
            CallFailed: The model gave no answer, so nobody speaks any more.
        """
        if not self._steps and not self.outcome:
            await self._turn(so_far)
        return self._steps.popleft() if self._steps else None

    async def _turn(self, so_far: list[TranscriptLine]) -> None:
        if len(self._said) == self._persona.turns:
            turns = f"{len(self._said)} turns"
            words = f"The caller has had all {turns} without saying that the goal is reached."
            self._end(words, reached=False)
            return
        self._hear(so_far)
        if self._silent == _MOST_SILENT:
            words = f"The agent had not answered {_MOST_SILENT} times in a row."
            self._end(words, reached=False)
            return
        line = await self._line()
        if line is None:
            return
        if line.ends is not None:
            done = line.ends == "done"
            words = "says that the goal is reached" if done else "has given up"
            self._end(f"The caller {words}.", reached=done)
        if path := self._named(line.shows):
            self._steps.append(Step(Show(path)))
        if line.words:
            self._said.append(line.words)
            self._steps.append(Step(await self._spoken(line.words)))

    def _hear(self, so_far: list[TranscriptLine]) -> None:
        """Add the agent's newest words to the conversation."""
        lines = [line.text for line in so_far if line.who == "agent"]
        heard = one_line(" ".join(lines[self._heard :]))[:_LONGEST_HEARD]
        self._heard = len(lines)
        if heard:
            self._silent = 0
        elif self._said:
            self._silent += 1
        self._prompts.append(Prompt(heard or (_SILENCE if self._said else _BEGINS)))

    async def _line(self) -> PlayedLine | None:
        """The model's next line; None if it says nothing, or repeats itself."""
        before = [*self._said, *(one.text for one in self._prompts[-1:])]
        line, hint = PlayedLine(""), ""
        for _ in range(2):
            prompts = self._prompts[-_MOST_PROMPTS:]
            prompts[-1] = Prompt(f"{prompts[-1].text}{hint}")
            written = await self._answer(prompts)
            line = replace(one := read_line(written), shows=one.shows or line.shows)
            if line.ends is not None or (line.words and not is_repeated(line.words, before)):
                self._prompts.append(Prompt(line.words or written[:200], "model"))
                return line
            hint = f"\n{_AGAIN if line.words else _NOTHING}"
        self._end(
            "The caller said the same again." if line.words else "The caller had nothing to say."
        )
        return None

    async def _answer(self, prompts: list[Prompt]) -> str:
        try:
            return await self._model.answer(self._instruction, prompts)
        except ModelFailure as failure:
            self._end(f"Nobody plays the caller. {failure}")
            self.has_failed = True
            raise CallFailed(self.outcome) from failure

    async def _spoken(self, words: str) -> Speak | TypeText:
        if self._persona.types:
            return TypeText(words)
        return Speak(*await self._voice.speak(words))

    def _named(self, name: str) -> Path | None:
        """The picture of that name, with or without its ending."""
        wanted = Path(name.lower())
        for known, path in self._pictures.items():
            if wanted.name and wanted.name in (known, Path(known).stem):
                return path
        return None

    def _end(self, words: str, *, reached: bool | None = None) -> None:
        self.outcome, self.reached = words, reached


def _about(persona: Persona) -> str:
    lines = [f"Your goal: {persona.goal}"]
    if persona.manner:
        lines.append(f"Your manner: {persona.manner}")
    if persona.knows:
        lines.append(f"What you know: {persona.knows}")
    if persona.show:
        names = ", ".join(f"[show {path.name}]" for path in persona.show)
        lines.append(f"You can hold a picture into the camera by writing one of these: {names}.")
    return "".join(f"{one_line(line)}\n" for line in lines)
