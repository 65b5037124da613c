"""The agent's output to a call's client, from the events of the model's side."""

import time
from collections.abc import AsyncIterator

import pytest

from vision_agent.calls.agent_output import AgentOutput
from vision_agent.calls.call_trace import CallTrace
from vision_agent.calls.caller_view import CallerView
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.options import OutputOptions
from vision_agent.live.events import (
    AgentAudio,
    AgentInterrupted,
    AgentToolCall,
    AgentToolResult,
    AgentTranscript,
    AgentTurnComplete,
    LiveEvent,
)
from vision_agent.rtc import Channel


class Events:
    """A model's side that says these things and ends."""

    played_at_end = None

    def __init__(self, *events: LiveEvent) -> None:
        self._events = events

    async def events(self) -> AsyncIterator[LiveEvent]:
        for event in self._events:
            yield event


class Shown(Channel):
    """The caller's channel, with what went over it."""

    def __init__(self) -> None:
        super().__init__(None, {})
        self.messages: list[dict] = []
        self.transcripts: list[str] = []
        self.spoken: list[str] = []
        self.errors: list[tuple[str, bool]] = []

    def error(self, text: str, *, fatal: bool) -> None:
        self.errors.append((text, fatal))

    def server_message(self, data) -> None:
        self.messages.append(data)

    def bot_transcript(self, text: str) -> None:
        self.transcripts.append(text)

    def bot_output_progress(self, number: int, text: str, spoken: str) -> None:
        self.spoken.append(spoken)


async def test_an_interruption_shows_the_words_it_carries_wherever_the_speaker_is_by_now():
    channel, remembered, metrics = Shown(), [], Metrics()
    output = AgentOutput(
        CallerView(channel, lambda _: None),
        metrics,
        CallTrace(metrics, 0.0, {}),
        OutputOptions(barge_in_hold_ms=0, tool_reports="name"),
        overhear=remembered.append,
    )
    # Nothing reads the speaker, so it would say that nothing has been played.
    await output.run(
        Events(
            AgentAudio(bytes(48_000)),
            AgentTranscript("Once upon a time there was a king.", False, "teller"),
            AgentInterrupted("Once upon a …"),
        )
    )
    assert {"kind": "interrupted", "heard": "Once upon a …"} in channel.messages
    assert channel.transcripts == ["Once upon a …"]
    assert channel.spoken == ["Once upon a"]
    assert remembered[-1] == AgentInterrupted("Once upon a …")


async def test_a_model_that_does_not_answer_is_told_and_counted_and_ends_nothing():
    channel, metrics = Shown(), Metrics()
    view = CallerView(channel, lambda _: None)
    view.greet(None)
    options = OutputOptions(barge_in_hold_ms=0, tool_reports="name")
    output = AgentOutput(view, metrics, CallTrace(metrics, 0.0, {}), options)
    output.unanswered("It did not answer.")
    assert channel.errors == [("It did not answer.", False)]
    counted = metrics.registry.get_sample_value(
        "vision_agent_model_failures_total", {"kind": "silent"}
    )
    assert counted == 1


CALL, RESULT = AgentToolCall("1", "look", {}), AgentToolResult("1", "look", {})
STORY = AgentTranscript("Once upon", False, "teller")
ANSWER = AgentTranscript("Three bottles.", False, "teller")
DONE = AgentTurnComplete()


@pytest.mark.parametrize(
    ("before", "since"),
    [
        ([], [CALL, RESULT, DONE]),
        ([], [CALL, DONE, RESULT]),
        ([STORY], [AgentInterrupted("Once"), DONE]),  # cut off by typed words
        ([STORY], [AgentInterrupted("Once"), DONE, CALL, RESULT, DONE]),
    ],
    ids=["fast tool", "slow tool", "cut in", "cut in, tool"],
)
async def test_a_question_is_thought_about_until_its_answer_comes(before, since):
    metrics, states, turns = Metrics(), [], []
    trace = CallTrace(metrics, 0.0, {}, turns.append)

    def on_state(state) -> None:
        states.append(state)
        trace.state(state)

    channel = Shown()
    view = CallerView(channel, on_state)
    options = OutputOptions(barge_in_hold_ms=0, tool_reports="name")
    output = AgentOutput(view, metrics, trace, options)
    view.set_state("listening")
    await output.run(Events(*before))
    trace.asked("typed", asked_s := time.monotonic())
    view.set_state("thinking")
    await output.run(Events(*since, ANSWER))
    assert states == ["listening", "thinking"]
    await output.run(Events(DONE))
    ends = [each["goes_on"] for each in channel.messages if each["kind"] == "turn_complete"]
    assert ends == [True] * (len(ends) - 1) + [False]
    assert states == ["listening", "thinking", "listening"]
    assert turns[-1].question.asked_at_s == asked_s
    # A turn in which nothing was said is an answer too.
    view.set_state("thinking")
    await output.run(Events(DONE))
    assert states[-1] == "listening"


async def test_a_turn_that_a_tool_ended_goes_on_also_when_it_began_with_words():
    channel, metrics = Shown(), Metrics()
    options = OutputOptions(barge_in_hold_ms=0, tool_reports="name")
    view = CallerView(channel, lambda _: None)
    output = AgentOutput(view, metrics, CallTrace(metrics, 0.0, {}), options)
    await output.run(Events(STORY, CALL, RESULT, DONE, ANSWER, DONE))
    ends = [each["goes_on"] for each in channel.messages if each["kind"] == "turn_complete"]
    assert ends == [True, False]
