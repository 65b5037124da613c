"""A judge and a played caller with a real model: llama.cpp's server with SmolLM2 135M.

A model of that size knows next to nothing. It is right or undecided as a judge, and as a caller it
wanders until the call is ended for it.
"""

from __future__ import annotations

from tests.support.llama_server import llama_server
from vision_agent.caller.transcript import TranscriptLine
from vision_agent.evaluation.caller_voice import CallerVoice
from vision_agent.evaluation.judge import ModelJudge
from vision_agent.evaluation.open_model import open_model
from vision_agent.evaluation.outcome import Evidence
from vision_agent.evaluation.played_line import LONGEST_WORDS
from vision_agent.evaluation.simulated_caller import SimulatedCaller
from vision_agent.evaluation.suite import Persona
from vision_agent.replay.report import Report
from vision_agent.replay.script import TypeText

CALL = Report(
    transcript=[
        TranscriptLine("user", "Hello, how many bottles do you see?", 1000),
        TranscriptLine("agent", "Hello! I can see three bottles on the table.", 3200),
    ],
    ended="answered",
)


async def test_a_small_model_decides_nothing_wrongly_and_its_call_comes_to_an_end() -> None:
    async with llama_server() as llama:
        model = open_model(url=llama.url, environ={})
        judge = ModelJudge(model)
        for claim, wrong in (
            ("The agent names three bottles.", False),
            ("The agent talks about cars.", True),
        ):
            passed, reason = await judge.verdict(claim, Evidence(CALL))
            assert passed is not wrong
            # It was asked, and what it answered is quoted.
            assert not reason.startswith("The model")
            assert reason

        persona = Persona(goal="find out when the shop opens on Sunday", turns=2, types=True)
        caller = SimulatedCaller(persona, model, CallerVoice())
        so_far: list[TranscriptLine] = []
        said: list[str] = []
        while (step := await caller.next(so_far)) is not None:
            assert isinstance(step.action, TypeText)
            said.append(step.action.text)
            so_far.append(TranscriptLine("agent", "We open at ten on Sunday.", len(so_far)))
        await model.close()
    assert 1 <= len(said) <= 2
    assert all(0 < len(words) <= LONGEST_WORDS for words in said)
    assert not any(mark in words for words in said for mark in ("*", "[", "\n", "Assistant:"))
    assert caller.outcome.startswith(("The caller ", "The agent "))
