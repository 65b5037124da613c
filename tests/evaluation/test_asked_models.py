"""A run of real calls in which a model plays the callers and judges the sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.chat_server import Step, chat_server
from tests.support.forked import start_forked
from vision_agent.evaluation.case_runner import RunOptions
from vision_agent.evaluation.outcome import CaseOutcome
from vision_agent.evaluation.page import results_page
from vision_agent.evaluation.run import run_trials
from vision_agent.evaluation.suite import read_suites
from vision_agent.evaluation.trials import plan
from vision_agent.server_process import ServerProcess

SCRIPT = """
engine: false
hears: [is there anything left, i take one thank you]
answers:
  - {when: {words: left}, say: Two loaves of rye.}
  - {when: {words: take one}, say: It is yours.}
"""
SUITE = """
scenario: script.yaml
judge: {url: "URL"}
timeout_s: 20
cases:
  - name: buys bread
    show: bottle.mp4
    persona: {goal: to buy a loaf of bread}
  - name: is judged
    show: bottle.mp4
    turns: [type: is there anything left]
    expect: [judge: The agent names rye., judge: The agent sings., judge: The agent is bald.]
"""


def model(request: dict[str, Any]) -> list[Step]:
    """Plays the caller, and judges by what it finds in the record."""
    newest = request["messages"][-1]["content"]
    words = newest if isinstance(newest, str) else newest[0]["text"]
    if "You play a person" in request["messages"][0]["content"]:
        if "(The call begins" in words:
            return ["Is there anything left?"]
        return ["I take one, thank you."] if "rye" in words else ["[done]"]
    if "bald" in words or "that one word" in words:
        return ["Perhaps."]
    record, question = words.split("</record>")
    holds = "rye" in record and "sings" not in question
    return ["Yes. So it is." if holds == ("sentence true" in question) else "No. It is not so."]


async def test_a_run_asks_a_model_for_callers_and_verdicts(
    tmp_path: Path, slow_bottle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServerProcess, "_start_process", staticmethod(start_forked))
    (tmp_path / "script.yaml").write_text(SCRIPT)
    (tmp_path / "bottle.mp4").write_bytes(slow_bottle.read_bytes())
    async with chat_server() as server:
        server.answers = model
        (tmp_path / "suite.yaml").write_text(SUITE.replace("URL", server.url))
        trials = plan(read_suites([tmp_path / "suite.yaml"]))
        results = await run_trials(trials, RunOptions(tmp_path / "kept", record=True))
        asked = server.requests
    outcomes: dict[str, CaseOutcome] = {one.case: one for one in results.outcomes}
    buys, judged = (outcomes[trial.case.name] for trial in trials)

    assert buys.status == "passed", buys.verdicts
    assert buys.caller == "The caller says that the goal is reached."
    assert buys.verdicts[-1].expectation == "the caller reaches the goal: to buy a loaf of bread"
    assert buys.report is not None
    assert len(buys.report.utterances) == 2
    assert "Two loaves of rye." in buys.report.said()

    assert judged.status == "failed"
    assert [(one.expectation, one.passed, one.came) for one in judged.verdicts[-3:]] == [
        ("judge: The agent names rye.", True, "So it is."),
        ("judge: The agent sings.", False, "It is not so."),
        ("judge: The agent is bald.", None, "The judge said neither yes nor no: “Perhaps.”"),
    ]
    shown = [one for one in asked if isinstance(one["messages"][-1]["content"], list)]
    assert shown, "the judge saw what the agent's model saw"

    page = results_page(results)
    assert page.count("<audio") >= 1
    assert page.count("What the model saw at") >= 3
