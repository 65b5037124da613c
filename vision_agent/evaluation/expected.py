"""Expectations of an agent as a suite file states them. `expectations` checks them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from vision_agent.evaluation.part import Part, Phrases, Text, many, wrong

TurnNumber = Annotated[int, Field(ge=1, le=1000)]
Milliseconds = Annotated[int, Field(ge=0, le=10_000_000)]


class InTurn(Part):
    """An expectation that may be limited to one turn.

    Attributes:
        turn: The turn's number, from 1, among the case's `turns` that are said or typed. A turn
            lasts to the beginning of the next one. None: the whole call.
    """

    turn: TurnNumber | None = None


class WordsExpected(InTurn):
    """Words of one side, compared by whole words, without case and punctuation.

    Attributes:
        words: Phrases that must all occur.
        any: Phrases of which at least one must occur.
        never: Phrases that must not occur.
    """

    short: ClassVar[str] = "words"

    words: Phrases = ()
    any: Phrases = ()
    never: Phrases = ()

    @model_validator(mode="after")
    def _says_something(self) -> WordsExpected:
        if not (self.words or self.any or self.never):
            raise wrong("needs words, any or never")
        return self


class ToolExpected(InTurn):
    """A call of a tool.

    Attributes:
        name: The tool.
        arguments: Arguments that it must have among others; texts are compared as in
            `WordsExpected`.
        exact: The tool has these arguments and no others, with equal values.
        times: How often it is called; 0: never. None: at least once. Cancelled calls don't count.
    """

    short: ClassVar[str] = "name"

    name: Text
    arguments: dict[str, Any] | None = None
    exact: bool = False
    times: Annotated[int, Field(ge=0, le=10_000)] | None = None

    @model_validator(mode="after")
    def _compares(self) -> ToolExpected:
        if self.exact and self.arguments is None:
            raise wrong("needs 'arguments'; for a call without any, write {}", "exact")
        return self


def _box(value: Any) -> Any:
    value = many(value)
    numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in value)
    if len(value) != 4 or not numbers or not all(0 <= side <= 1000 for side in value):
        raise wrong("has to be [ymin, xmin, ymax, xmax], each from 0 to 1000")
    if value[0] >= value[2] or value[1] >= value[3]:
        raise wrong("has to be [ymin, xmin, ymax, xmax]: it has no area")
    if max(value) <= 1:
        raise wrong("has to be of 1000, not of 1: write 0.25 as 250")
    return tuple(float(side) for side in value)


class PointExpected(InTurn):
    """Something that the agent points at.

    Attributes:
        label: Words of the label.
        box: `[ymin, xmin, ymax, xmax]` of 1000.
        overlap: The least intersection over union with the box.
    """

    short: ClassVar[str] = "label"

    label: Text | None = None
    box: Annotated[tuple[float, float, float, float], BeforeValidator(_box)] | None = None
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.5

    @model_validator(mode="after")
    def _compares(self) -> PointExpected:
        if self.box is None and "overlap" in self.model_fields_set:
            raise wrong("needs 'box'", "overlap")
        return self


class Happening(Part):
    """One event of an expected order."""

    one_of: ClassVar[tuple[str, ...]] = ("said", "heard", "tool", "pointed")

    said: WordsExpected | None = None
    heard: WordsExpected | None = None
    tool: ToolExpected | None = None
    pointed: PointExpected | None = None

    @model_validator(mode="after")
    def _happens(self) -> Happening:
        words = self.said or self.heard
        if (words and words.never) or (self.tool and self.tool.times is not None):
            raise wrong("an order can't contain 'never' or 'times'")
        return self


class SilenceExpected(Part):
    """The agent says nothing for a while.

    Attributes:
        after: The turn after which it is silent; None: the last one.
        for_s: How long, in seconds.
    """

    short: ClassVar[str] = "for_s"

    after: TurnNumber | None = None
    for_s: Annotated[float, Field(gt=0, le=600)]


class ReplyTimeExpected(InTurn):
    """The time from the end of the caller's words to the agent's first sound, in ms.

    Attributes:
        max: The bound on every turn.
        median: The bound on the median of all turns.
    """

    short: ClassVar[str] = "max"

    max: Milliseconds | None = None
    median: Milliseconds | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> ReplyTimeExpected:
        if self.max is None and self.median is None:
            raise wrong("needs max or median")
        return self


class InterruptionExpected(InTurn):
    """The caller cuts in and the agent falls silent.

    Attributes:
        happens: False: no answer is interrupted.
        within_ms: The longest time from the beginning of the caller's words to the end of the
            agent's voice.
    """

    short: ClassVar[str] = "happens"

    happens: bool = True
    within_ms: Milliseconds | None = None

    @model_validator(mode="after")
    def _fits(self) -> InterruptionExpected:
        if not self.happens and self.within_ms is not None:
            raise wrong("needs an interruption that happens", "within_ms")
        return self


class CostExpected(Part):
    """The estimated cost of the call, in the currency of its price list.

    Attributes:
        max: The bound.
    """

    short: ClassVar[str] = "max"

    max: Annotated[float, Field(ge=0)]


class Expectation(Part):
    """One expectation: exactly one attribute is given.

    Attributes:
        said: Words of the agent.
        heard: Words of the model's transcript of the caller.
        tool: A tool that the agent calls.
        pointed: Something that the agent points at.
        order: Events that follow one another; others may happen in between.
        silence: The agent says nothing.
        reply_ms: How fast it answers.
        interrupted: How fast it falls silent when the caller cuts in.
        cost: What the call costs.
        no_errors: Whether the call has no errors.
        answers: Whether the agent answers, up to the last turn. Expected by default, unless
            `silence` is expected.
        judge: A sentence that a model finds true of the call.
    """

    one_of: ClassVar[tuple[str, ...]] = (
        "said",
        "heard",
        "tool",
        "pointed",
        "order",
        "silence",
        "reply_ms",
        "interrupted",
        "cost",
        "no_errors",
        "answers",
        "judge",
    )

    said: WordsExpected | None = None
    heard: WordsExpected | None = None
    tool: ToolExpected | None = None
    pointed: PointExpected | None = None
    order: (
        Annotated[
            tuple[Happening, ...], BeforeValidator(many), Field(min_length=2, max_length=1000)
        ]
        | None
    ) = None
    silence: SilenceExpected | None = None
    reply_ms: ReplyTimeExpected | None = None
    interrupted: InterruptionExpected | None = None
    cost: CostExpected | None = None
    no_errors: bool | None = None
    answers: bool | None = None
    judge: Text | None = None

    @property
    def is_timed(self) -> bool:
        """Whether it bounds a time, which gets longer on a busy machine."""
        limits = (self.reply_ms, self.silence, self.interrupted and self.interrupted.within_ms)
        return any(limit is not None for limit in limits)

    @property
    def turn(self) -> int | None:
        """The number of the turn that it is limited to; None: the whole call."""
        if self.silence is not None:
            return self.silence.after
        part = next((getattr(self, key) for key in self.one_of if getattr(self, key)), None)
        return part.turn if isinstance(part, InTurn) else None

    def in_turn(self, turn: int) -> Expectation:
        """Return the expectation limited to a turn, unless it names one itself."""
        key = next(key for key in self.one_of if getattr(self, key) is not None)
        part = getattr(self, key)
        if isinstance(part, SilenceExpected) and part.after is None:
            return self.model_copy(update={key: part.model_copy(update={"after": turn})})
        if isinstance(part, InTurn) and part.turn is None:
            return self.model_copy(update={key: part.model_copy(update={"turn": turn})})
        return self


Expectations = Annotated[tuple[Expectation, ...], BeforeValidator(many), Field(max_length=1000)]
