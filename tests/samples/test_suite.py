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


@pytest.mark.timeout(400)
def test_every_case_of_the_samples_suite_passes(tmp_path, monkeypatch):
    monkeypatch.setattr(ServerProcess, "_start_process", staticmethod(start_forked))
    trials = plan(read_suites([SAMPLES.parent / "suite"]))
    assert len(trials) == 25
    assert {trial.agent for trial in trials} == set(SAMPLE_NAMES)
    results = asyncio.run(run_trials(trials, RunOptions(tmp_path)))
    unmet = {one.case: in_words(one) for one in results.outcomes if one.status != "passed"}
    assert unmet == {}
    assert results.exit_code == 0
