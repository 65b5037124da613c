"""The counts and files of outcomes, whatever agents have said in them."""

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from tests.evaluation.reports import report_of
from vision_agent.evaluation.junit import junit
from vision_agent.evaluation.outcome import CaseOutcome, CaseVerdict
from vision_agent.evaluation.results import SuiteResults

EVIL = "a\x00\x1b[31m\ud800\ufffe ]]> <b>&amp;\u202e" + "x" * 100_000


def outcome(case: str, passed: bool | None, repeat: int = 1, **more: str) -> CaseOutcome:
    verdict = CaseVerdict(f"it says {EVIL}", passed, EVIL)
    report = report_of(("agent", 1, EVIL))
    return CaseOutcome("s", case, "agent", "local", repeat, report, [verdict], took_s=1.5, **more)


def results_of(*outcomes: CaseOutcome, passes: float = 1.0) -> SuiteResults:
    rates = {(one.suite, one.case): passes for one in outcomes}
    return SuiteResults(datetime.now(UTC), len(outcomes), list(outcomes), rates)


@pytest.mark.parametrize(
    ("passed", "passes", "code"),
    [
        ([True, True], 1.0, 0),
        ([True, False], 1.0, 1),
        ([True, True, True, True, False], 0.8, 0),
        ([True, True, True, False, False], 0.8, 1),
        ([True, None], 1.0, 3),
        ([True, None], 0.5, 0),
        ([False, None], 1.0, 1),
    ],
)
def test_the_exit_code_tells_failures_from_what_could_not_be_tried(passed, passes, code):
    repeats = [outcome("a", one, number) for number, one in enumerate(passed, start=1)]
    assert results_of(*repeats, passes=passes).exit_code == code


def test_a_repeat_that_need_not_pass_is_skipped_and_says_what_was_enough():
    results = results_of(outcome("a", True), outcome("a", False, 2), passes=0.5)
    missed = ET.fromstring(junit(results)).findall(".//skipped")
    assert [
        one.get("message", "").startswith("1 of 2 passed, 0.5 is enough") for one in missed
    ] == [True]


def test_a_run_that_was_cut_short_has_not_passed():
    results = results_of(outcome("a", True))
    results.planned = 2
    assert results.exit_code == 3


def test_everything_can_be_written_whatever_was_said():
    results = results_of(outcome("a", True), outcome("b", False), outcome("c", None, error=EVIL))
    written = json.loads(results.to_json())
    assert [case["status"] for case in written["cases"]] == ["passed", "failed", "error"]
    assert written["cases"][0]["calls"][0]["report"]["transcript"][0]["text"] == EVIL

    root = ET.fromstring(junit(results))
    (suite,) = root
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "time")}
    assert counts == {"tests": "3", "failures": "1", "errors": "1", "time": "4.500"}
    assert suite.get("name") == "s agent local"
    children = [[child.tag for child in case] for case in suite]
    assert children == [["system-out"], ["failure", "system-out"], ["error", "system-out"]]
    assert len(junit(results)) < 400_000
