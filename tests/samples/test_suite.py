"""The suite of the sample agents, as `vision-agent eval samples/suite` runs it."""

import asyncio

import pytest

from tests.support.forked import start_forked
from tests.support.samples import SAMPLE_NAMES, SAMPLES
from vision_agent.evaluation.case_runner import RunOptions
from vision_agent.evaluation.run import run_trials
from vision_agent.evaluation.suite import read_suites
from vision_agent.evaluation.suite_case import in_words
from vision_agent.evaluation.trials import plan
from vision_agent.server_process import ServerProcess


@pytest.fixture(scope="module")
def suite():
    return plan(read_suites([SAMPLES.parent / "suite"]))


def test_the_suite_has_cases_for_each_sample(suite):
    assert len(suite) == 25
    assert {trial.agent for trial in suite} == set(SAMPLE_NAMES)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("scripted", [False, True], ids=["engine", "scripted"])
def test_every_case_of_the_samples_suite_passes(suite, scripted, tmp_path, monkeypatch):
    monkeypatch.setattr(ServerProcess, "_start_process", staticmethod(start_forked))
    trials = [trial for trial in suite if trial.is_scripted == scripted]
    results = asyncio.run(run_trials(trials, RunOptions(tmp_path)))
    unmet = {one.case: in_words(one) for one in results.outcomes if one.status != "passed"}
    assert unmet == {}
    assert results.exit_code == 0
