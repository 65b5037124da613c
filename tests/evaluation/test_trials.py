"""Which calls a run makes."""

from pathlib import Path

import pytest

from vision_agent.evaluation.mistakes import SuiteError
from vision_agent.evaluation.suite import read_suites
from vision_agent.evaluation.trials import Choice, Trial, plan

SUITE = """
agents: [a/agent, "http://127.0.0.1:1"]
models: [local, gemini-x]
repeats: 2
options: {voice: Kore, language: de}
scenario: script.yaml
cases:
  - {name: one, turns: [type: hi], options: {voice: Puck}}
  - {name: two, turns: [type: hi], agents: [b/agent], models: [local], repeats: 1, passes: 0.5}
"""


@pytest.fixture
def suites(tmp_path: Path):
    for name in ("a/agent", "b/agent"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "agent.py").touch()
    (tmp_path / "script.yaml").write_text("engine: false")
    (tmp_path / "suite.yaml").write_text(SUITE)
    return read_suites([tmp_path])


def named(trials: list[Trial], folder: Path) -> list[tuple[str, str, str, int]]:
    return [
        (one.case.name, one.agent.removeprefix(f"{folder}/"), one.model, one.repeat)
        for one in trials
    ]


def test_each_case_is_called_with_each_agent_and_model_as_often_as_it_says(suites, tmp_path):
    trials = plan(suites)
    assert named(trials, tmp_path) == [
        ("one", "a/agent", "local", 1),
        ("one", "a/agent", "local", 2),
        ("one", "a/agent", "gemini-x", 1),
        ("one", "a/agent", "gemini-x", 2),
        ("one", "http://127.0.0.1:1", "", 1),
        ("one", "http://127.0.0.1:1", "", 2),
        ("two", "b/agent", "local", 1),
    ]
    ours, remote, other = trials[0], trials[4], trials[6]
    assert ours.asked == {"voice": "Puck", "language": "de"}
    assert (ours.server.scenario, remote.server) == (tmp_path / "script.yaml", None)
    assert trials[2].server.scenario is None  # a scenario is for the local model only
    assert (ours.passes, other.passes) == (1.0, 0.5)


def test_what_a_person_chooses_comes_before_what_the_files_say(suites, tmp_path):
    choice = Choice(models=["other"], cases=["t*"], repeats=3)
    assert named(plan(suites, choice), tmp_path) == [
        ("two", "b/agent", "other", repeat) for repeat in (1, 2, 3)
    ]
    with pytest.raises(SuiteError, match="No case is called three"):
        plan(suites, Choice(cases=["three"]))


def test_a_mistake_in_a_scenario_is_told_before_anything_is_called(suites, tmp_path):
    (tmp_path / "script.yaml").write_text("engine: no way")
    with pytest.raises(SuiteError, match=r"script\.yaml, line 1"):
        plan(suites)


def test_too_many_calls_are_refused_before_they_are_planned(suites, monkeypatch):
    monkeypatch.setattr("vision_agent.evaluation.trials._MAX_TRIALS", 1000)
    models = [f"model-{n}" for n in range(100_000)]
    with pytest.raises(SuiteError, match="more than 1000 calls"):
        plan(suites, Choice(models=models, repeats=10_000))
