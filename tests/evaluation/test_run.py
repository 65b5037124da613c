"""Runs of suites: the command, the server that cases share, and the files that it writes."""

import asyncio
import json
import re
import signal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from tests.support.forked import start_forked
from vision_agent import load_suite
from vision_agent.cli.eval.view import EvalView
from vision_agent.cli.main import app
from vision_agent.evaluation.case_runner import RunOptions
from vision_agent.evaluation.outcome import CaseOutcome
from vision_agent.evaluation.run import run_trials
from vision_agent.evaluation.suite import read_suites
from vision_agent.evaluation.trials import Choice, Trial, plan
from vision_agent.recordings.lines import EndedLine
from vision_agent.recordings.recorded_call import RecordedCall
from vision_agent.server_process import ServerProcess

HERE = Path(__file__).parent
SUITE = HERE / "suite.yaml"

UNTRIED = """
timeout_s: 5
cases:
  - {name: no agent, agents: ["not_a_module:agent"], turns: [type: hi], expect: [said: hi]}
  - {name: no server, agents: ["http://127.0.0.1:9"], turns: [type: hi], expect: [said: hi]}
  - {name: no media, agents: ["http://127.0.0.1:9"], show: untried.yaml}
"""


@pytest.fixture(autouse=True)
def _forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServerProcess, "_start_process", staticmethod(start_forked))


def test_a_run_says_what_came_of_every_case(tmp_path):
    (tmp_path / "untried.yaml").write_text(UNTRIED)
    suites = [str(SUITE), str(tmp_path / "untried.yaml")]
    files = {"--json": "r.json", "--junit": "r.xml", "--keep": "kept"}
    options = [word for name, file in files.items() for word in (name, str(tmp_path / file))]
    others = tmp_path / "kept" / "server-1" / "server.log"  # another run's log in the same folder
    others.parent.mkdir(parents=True)
    others.write_text("theirs")
    ran = CliRunner().invoke(app, ["eval", *suites, *options])
    assert ran.exit_code == 1, ran.output  # a case failed; three others could not be tried
    assert "3 of 7 cases passed" in ran.output
    assert "miscounts [2]" in ran.output

    results = json.loads((tmp_path / "r.json").read_text())
    cases = {case["case"]: case for case in results["cases"]}
    verdicts = [one for call in cases["counts"]["calls"] for one in call["verdicts"]]
    assert len(verdicts) == 6  # every case also expects an answer
    assert all(one["passed"] for one in verdicts), verdicts
    assert cases["is quiet when asked"]["status"] == "passed", cases
    missed = cases["miscounts"]["calls"][1]["verdicts"]
    assert [one["passed"] for one in missed] == [True, False, False, True]
    assert missed[1]["came"] == "The agent said: I see three bottles."
    assert cases["miscounts"]["repeats_passed"] == 0
    (call,) = cases["counts"]["calls"]
    recorded = RecordedCall.open(call["recorded"])
    assert recorded.header.call_id == call["report"]["call_id"]
    assert recorded.media.stat().st_size > 10_000
    # The recording is complete, and has the virtual clock's times.
    assert isinstance(recorded.lines[-1], EndedLine)
    assert recorded.lines[-1].at_ms == pytest.approx(call["report"]["voice_ms"][-1][1], abs=3000)
    errors = {name: case["calls"][0]["error"] for name, case in cases.items()}
    assert "not_a_module" in errors["no agent"]
    assert "can't be reached" in errors["no server"].lower() or "refused" in errors["no server"]
    assert "untried.yaml" in errors["no media"]
    # The log of this run's one server, which finds no agent; that of the local Live API; the calls
    # in virtual time; and a folder for what a caller would have received from the absent server.
    kept = {path.name for path in (tmp_path / "kept").iterdir()}
    assert kept == {"server-1", "server-2", "local-live-api.log", "virtual", "received"}
    assert others.read_text() == "theirs"

    root = ET.parse(tmp_path / "r.xml").getroot()
    assert (root.tag, root.get("tests"), root.get("errors")) == ("testsuites", "8", "3")
    failed = [one.get("name") for one in root.iter("testcase") if one.find("failure") is not None]
    assert failed == ["miscounts [1]", "miscounts [2]"]


def test_results_that_can_not_be_written_are_told_and_cost_no_others(tmp_path):
    suite = tmp_path / "suite.yaml"
    suite.write_text("agents: ['http://127.0.0.1:9']\ncases: [{name: a, show: suite.yaml}]\n")
    files = ["--json", "/dev/full", "--junit", str(tmp_path / "r.xml")]
    ran = CliRunner().invoke(app, ["eval", str(suite), *files])
    assert ran.exit_code == 3  # 2 would be a mistaken command, but calls were made
    assert "/dev/full can't be written: No space left on device." in ran.output
    assert ET.parse(tmp_path / "r.xml").getroot().get("errors") == "1"


def test_a_run_that_is_terminated_writes_what_was_done(tmp_path, monkeypatch):
    case = "  - {{name: c{}, show: suite.yaml}}\n"
    suite = tmp_path / "suite.yaml"
    cases = "".join(case.format(number) for number in range(200))
    suite.write_text(f"agents: ['http://127.0.0.1:9']\ncases:\n{cases}")
    monkeypatch.setattr(EvalView, "end", lambda *_: signal.raise_signal(signal.SIGTERM))
    ran = CliRunner().invoke(app, ["eval", str(suite), "--json", str(tmp_path / "r.json")])
    assert ran.exit_code == 130
    results = json.loads((tmp_path / "r.json").read_text())
    assert results["interrupted"]
    assert 1 <= results["errors"] < 200


def test_an_interrupted_run_has_the_outcomes_so_far(tmp_path):
    # asyncio handles SIGINT only if no server of an earlier test has left its own handler.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    trials = plan(read_suites([SUITE]), Choice(cases=["is quiet*"])) * 60
    ended: list[CaseOutcome] = []

    def interrupt_after_two(trial: Trial, outcome: CaseOutcome) -> None:
        ended.append(outcome)
        if len(ended) == 2:
            signal.raise_signal(signal.SIGINT)

    run = run_trials(trials, RunOptions(tmp_path, parallel=1), on_end=interrupt_after_two)
    results = asyncio.run(run)
    assert results.interrupted
    assert 2 <= len(results.outcomes) < 60
    assert results.outcomes == ended
    assert results.exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.yaml"], "none.yaml can't be read"),
        ([str(SUITE), "--case", "x*"], "No case is called x*."),
        ([str(SUITE), "--url", "http://x", "--model", "local"], "leave --agent and --model out"),
        ([str(SUITE), "--agent", "nowhere"], "no agent folder"),
        ([str(SUITE), "--json", "/nowhere/r.json"], "/nowhere/r.json"),
    ],
)
def test_a_mistaken_command_is_told_at_once(arguments, words):
    ran = CliRunner().invoke(app, ["eval", *arguments])
    assert ran.exit_code == 2
    assert words in re.sub(r"\s+", " ", ran.output)


@pytest.mark.parametrize("case", load_suite(SUITE, cases=["c*"]))
def test_pytest_takes_the_same_cases(video_case, case):
    (outcome,) = video_case(case)
    assert outcome.status == "passed"
    assert case.__name__.endswith("-default-local")


@pytest.mark.parametrize("case", load_suite(SUITE, cases=["c*"]))
async def test_an_async_test_is_told_that_a_case_waits(video_case, case):
    with pytest.raises(RuntimeError, match="video_case waits for the call to end: write the test"):
        video_case(case)


@pytest.mark.parametrize("case", [SUITE, None, load_suite(SUITE, cases="c*")])
def test_what_is_no_case_is_told_to_pytest_in_words(video_case, case):
    with pytest.raises(TypeError, match="takes one case of load_suite, not"):
        video_case(case)


@pytest.mark.parametrize(
    ("paths", "how", "words"),
    [
        ((), {}, "needs the path of a suite"),
        ((SUITE,), {"repeats": 0}, "repeats=0 has to be a whole number"),
        ((SUITE,), {"repeats": "2"}, "repeats='2' has to be a whole number"),
        ((SUITE,), {"cases": "nobody"}, "No case is called nobody"),
        ((SUITE,), {"agents": "none"}, "none: there is no agent folder"),
    ],
)
def test_what_would_leave_a_test_without_a_case_is_refused(paths, how, words):
    with pytest.raises(ValueError, match=words):
        load_suite(*paths, **how)


def test_pytest_fails_with_the_verdicts_in_words(video_case, tmp_path):
    (tmp_path / "one.yaml").write_text(
        f"scenario: {HERE / 'script.yaml'}\ncases:\n  - name: one\n    turns: [type: how many]\n"
        "    expect: [said: '4']\n"
    )
    (case,) = load_suite(tmp_path / "one.yaml")
    with pytest.raises(pytest.fail.Exception, match="FAILED: the agent says “4”: The agent said"):
        video_case(case)
