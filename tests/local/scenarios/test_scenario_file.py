"""Scenario files: what they may contain, and how a mistake is reported."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vision_agent.local import ScenarioError, load_scenario
from vision_agent.local.contract import Say, ToolRequest, Transcript
from vision_agent.local.scenarios.scenario import (
    At,
    Drop,
    ExpiredHandle,
    Fault,
    Garbage,
    GoAway,
    NotResumable,
    Oversized,
    Pause,
    Refuse,
    Scenario,
    SlowReads,
    Stall,
    When,
)
from vision_agent.local.scenarios.scenario_file import read_scenario

SAMPLES = sorted((Path(__file__).parents[3] / "samples" / "scenarios").glob("*.yaml"))


def test_a_scenario_that_says_nothing_else_changes_nothing() -> None:
    assert read_scenario("seed: 0") == Scenario()


def test_habits_have_the_kinds_of_values_of_the_table() -> None:
    scenario = read_scenario("""
        habits:
          silence_ms: 600
          pace: 2.5
          cancels_calls: true
          captions: ahead
          chunk_bytes: [2, 4800]
          lead: [nothing, content]
          lost_handle: [1007, Invalid session handle]
    """)
    assert scenario.habits == {
        "silence_ms": 600,
        "pace": 2.5,
        "cancels_calls": True,
        "captions": "ahead",
        "chunk_bytes": (2, 4800),
        "lead": ("nothing", "content"),
        "lost_handle": (1007, "Invalid session handle"),
    }


@pytest.mark.parametrize(
    ("habits", "words"),
    [
        ("{silence: 600}", "'silence' is not known here; did you mean 'silence_ms'"),
        ("{silence_ms: soon}", "'silence_ms' has to be a whole number"),
        ("{captions: late}", "'captions' has to be 'with sound' or 'ahead' or 'before'"),
        ("{pace: 0}", "'pace' has to be a number from 0.01"),
        ("{end: [1008]}", "'end' has to be a list of 2"),
        ("{chunk_bytes: []}", "'chunk_bytes' has to be a list"),
        ("{chunk_bytes: [0]}", "'chunk_bytes' has to be a whole number from 1"),
        ("{chunk_cycle: 0}", "'chunk_cycle' has to be a whole number from 1"),
    ],
)
def test_a_habit_that_the_model_cannot_have_is_refused(habits: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(words)):
        read_scenario(f"habits: {habits}")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_the_samples_are_read(sample: Path) -> None:
    assert load_scenario(sample) != Scenario()


def test_without_the_engine_everything_is_scripted() -> None:
    scenario = read_scenario("engine: false")
    assert (scenario.voice, scenario.hears_then, scenario.otherwise) == ("tone", "nothing", ())


def test_what_the_documentation_shows_is_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text()
    answers, faults, quota, _ = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(read_scenario(answers).answers) == 4
    assert len(read_scenario(faults).faults) == 1
    assert len(read_scenario(quota).faults) == 1


def test_hearing_and_answers() -> None:
    scenario = read_scenario("""
        voice: tone
        hears: [one, {text: hm, understood: false}, ""]
        answers:
          - when: {turn: 2, utterance: 3, words: [what is, who], spoken: true, frames: 0}
            think_s: forever
            say: [a, {pause_s: 0.5}, b]
            call: {name: look, args: {where: left, far: [1, {x: true}]}}
            times: 2
          - when: {tool: look}
            say: []
        otherwise: nothing
    """)
    assert scenario.hears == (
        Transcript("one", True),
        Transcript("hm", False),
        Transcript("", False),
    )
    first, second = scenario.answers
    assert first.when == When(2, 3, ("what is", "who"), True, None, 0)
    assert first.steps == (
        Pause(float("inf")),
        Say("a"),
        Pause(0.5),
        Say("b"),
        ToolRequest("look", {"where": "left", "far": [1, {"x": True}]}),
    )
    assert first.times == 2
    assert (second.when.tool, second.steps, second.times) == ("look", (), None)
    assert scenario.otherwise == ()


def test_every_kind_of_fault() -> None:
    scenario = read_scenario("""
        faults:
          - {drop: 1011, reason: No., at: {turn: 2, audio_chunks: 3, after_s: 0.5}, times: always}
          - {go_away_s: 5, code: 1001, reason: Bye.}
          - {resumable: false, for_s: forever}
          - {handle: expired, at: {connection: 2}}
          - {refuse: 503, times: 3}
          - {refuse: reset}
          - {slow_reads_s: 0.1, for_s: 2}
          - {stall_s: forever, at: {setup: true}}
          - {setup_complete_s: never, at: {connection: 2}}
          - {oversized_bytes: 2000000}
          - {garbage: noise}
    """)
    forever = float("inf")
    assert scenario.faults == (
        Fault(Drop(1011, "No."), At(turn=2, audio_chunks=3, after_s=0.5), None),
        Fault(GoAway(5.0, 1001, "Bye.")),
        Fault(NotResumable(forever)),
        Fault(ExpiredHandle(), At(connection=2)),
        Fault(Refuse(503), times=3),
        Fault(Refuse(None)),
        Fault(SlowReads(0.1, 2.0)),
        Fault(Stall(forever), At(setup=True)),
        Fault(Stall(forever), At(connection=2, setup=True)),
        Fault(Oversized(2_000_000)),
        Fault(Garbage("noise")),
    )


MISTAKES = {
    "": "line 1: the file is empty",
    "a: [": "line 1: not YAML",
    "\n\x00": "line 2: not YAML",
    "- 1": "line 1: '' has to be a mapping",
    "engine: 1": "line 1: 'engine' has to be true or false, not 1.",
    "\n\nanwsers: []": "line 3: 'anwsers' is not known here; did you mean 'answers'?",
    "seed: 1\nseed: 2": "line 2: 'seed' is given twice",
    "1: 2": "line 1: a key has to be a word",
    "a: &a [*a]": "line 1: ",
    "voice: loud": "line 1: 'voice' has to be 'speech' or 'tone', not 'loud'",
    "engine: false\nvoice: speech": "line 2: 'voice' needs the engine, but 'engine' is false",
    "engine: false\notherwise: engine": "line 2: 'otherwise' needs the engine",
    "hears: hello": "line 1: 'hears' has to be a list",
    "hears:\n  - ok\n  - 2": "line 3: 'hears' has to be text",
    "hears_then: again": "line 1: 'hears' has to name at least one",
    "answers:\n  - when: {turn: 1}": "line 2: an answer needs 'say', 'call' or 'think_s'",
    "answers:\n  - say: hi\n    when:\n      turn: 0": (
        "line 4: 'turn' has to be a whole number from 1 to 1000000, not 0"
    ),
    "answers: [{say: hi, when: {words: '!'}}]": "'words' has to be words to find",
    "answers: [{say: [{pauze_s: 1}]}]": "'pauze_s' is not known here; did you mean 'pause_s'?",
    "answers: [{call: {args: {}}}]": "'call' needs the tool's 'name'",
    "answers: [{call: {name: x, args: []}}]": "'args' has to be a mapping, not a list",
    "answers: [{think_s: -1}]": "'think_s' has to be a number from 0 to 86400 or 'forever', not -1",
    "answers: [{think_s: .nan}]": "'think_s' has to be a number",
    "faults: [{}]": "a fault has exactly one of drop, go_away_s",
    "faults: [{drop: 1006, stall_s: 1}]": "here: 'drop' and 'stall_s'",
    "faults: [{drop: 1005}]": "1005 can't be sent as a close code",
    "faults: [{drop: 99}]": "'drop' has to be a whole number from 1000",
    f"faults: [{{drop: 1011, reason: {'x' * 124}}}]": "'reason' has 123 bytes at most",
    "faults: [{stall_s: 1, reason: no}]": "'reason' means nothing for 'stall_s'",
    "faults: [{resumable: true}]": "'resumable: true' is not a fault",
    "faults: [{handle: old}]": "'handle' has to be 'expired'",
    "faults: [{refuse: 499}]": "499 is not an HTTP status",
    "faults: [{refuse: rst}]": "an HTTP status from 400 to 599 or 'reset'",
    "faults: [{refuse: reset, at: {turn: 1}}]": "'at' takes only 'connection'",
    "faults: [{drop: 1006, at: {setup: true, turn: 1}}]": "at the setup there is no turn",
    "faults: [{drop: 1006, at: {silent_s: 1, turn: 1}}]": "'silent_s' is between turns",
    "faults: [{drop: 1006, at: {silent_s: 1, setup: true}}]": "at the setup there is no turn",
    "faults: [{handle: expired, at: {silent_s: 1}}]": "'at' takes only 'connection'",
    "faults: [{setup_complete_s: 1, at: {after_s: 1}}]": "is the delay itself",
    "faults: [{drop: 1006, times: 0}]": "'times' has to be a whole number from 1",
    "faults: [{drop: 1006, times: two}]": "'times' has to be a whole number or 'always'",
    "faults: [{garbage: html}]": "'garbage' has to be 'not-json' or 'unknown' or 'noise'",
    "faults: [{oversized_bytes: 1e12}]": "'oversized_bytes' has to be a whole number",
    "random: true": "'random' needs 'every_s'",
    "every_s: 5": "'every_s' needs a list of 'faults'",
    "every_s: 5\nfaults: [{drop: 1006, at: {turn: 2}}]": "can't wait for a connection or a turn",
    "every_s: 5\nfaults: [{drop: 1006, times: always}]": "can't strike always",
}


@pytest.mark.parametrize(("text", "words"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_mistake_is_one_sentence_with_its_line(text: str, words: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        read_scenario(text, "bad.yaml")
    said = str(refused.value)
    assert words in said
    assert said.startswith("bad.yaml")
    assert "\n" not in said


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing.yaml", tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ScenarioError, match=r"missing\.yaml can't be read: No such file"):
        load_scenario(missing)
    with pytest.raises(ScenarioError, match=r"binary\.yaml is not text in UTF-8"):
        load_scenario(binary)
    with pytest.raises(ScenarioError, match="can't be read: Is a directory"):
        load_scenario(tmp_path)
