"""Suite files: their contents, and the words about mistakes in them."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from vision_agent.evaluation.mistakes import SuiteError
from vision_agent.evaluation.suite import read_suites
from vision_agent.evaluation.trials import Choice, plan

DOCS = Path(__file__).parents[2] / "docs" / "testing.md"

GOOD = """
agents: [agent, {url: "http://127.0.0.1:1/", token: "${EVAL_TOKEN}"}]
scenario: script.yaml
repeats: 3
passes: 0.8
cases:
  - name: says no
    show: agent/agent.py
    from: 01:20
    to: 1:40.5
    turns:
      - say: Is it on?
        expect: [said: no, {reply_ms: 900}]
      - {switch: camera, on: false}
      - {show: agent/agent.py, as: screen}
      - say: hello.wav
      - {type: 007, cut_in_s: 0.5, expect: [silence: 2]}
    expect:
      - said: {any: [3.10, 0041], turn: 3}
  - name: recorded
    replay: recorded
    expect: [{order: [said: on, tool: look]}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("agent/agent.py", "script.yaml", "hello.wav", "recorded/call.mkv", "still.PNG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("engine: false\n")
    return tmp_path


def mistakes(folder: Path, text: str | bytes) -> list[str]:
    path = folder / "suite.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SuiteError) as caught:
        read_suites([path])
    return [
        line.removeprefix(f"{path}").removeprefix(":") for line in str(caught.value).split("\n")
    ]


def test_a_suite_is_read_as_it_is_written(folder, monkeypatch):
    monkeypatch.setenv("EVAL_TOKEN", "secret")
    (folder / "suite.yaml").write_text(GOOD)
    (found,) = read_suites([folder])  # script.yaml is no suite
    suite = found.suite
    assert (found.name, suite.repeats, suite.passes) == ("suite", 3, 0.8)
    ours, theirs = suite.agents
    assert (ours.agent, ours.name) == (str(folder / "agent"), "agent")
    assert (theirs.name, theirs.token) == ("http://127.0.0.1:1/", "secret")
    assert "secret" not in repr(theirs)
    case, recorded = suite.cases
    assert (case.from_, case.to) == (80.0, 100.5)
    assert case.turns[0].say == "Is it on?"
    assert case.turns[1].on is False
    assert case.turns[3].say == folder / "hello.wav"
    assert (case.turns[4].type, case.turns[4].cut_in_s) == ("007", 0.5)
    said, reply, silence, numbers = case.expectations
    assert (said.said.words, said.turn, reply.turn, silence.turn) == (("no",), 1, 1, 3)
    assert numbers.said.any == ("3.10", "0041")
    assert recorded.replay == folder / "recorded" / "call.mkv"


LAUGHS = "cases: [x]\na: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefghi")
)
CUT_IN = "cases:\n  - name: a\n    turns: [{type: x, cut_in_s: 1}]\n"
PLAYED = "cases:\n  - name: a\n    persona: {goal: x, show: "
SWITCH = "cases:\n  - name: a\n    turns: [type: x, {switch: "
CASE = "cases:\n  - name: a\n    turns: [type: hi]\n"


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("", "1:1", "the file is empty"),
        ("cases: [", "2:1", "not YAML"),
        ("cases: []", "1:1", "at least 1 item"),
        ("a: 1", "1:1", "it has no 'cases'"),
        ("cases: {a: b}", "1:1", "'cases' has to be a list"),
        (f"{CASE}    name: b\n", "4:5", "'name' is given twice"),
        (f"{CASE}    shwo: x.mp4\n", "4:5", "did you mean 'show'?"),
        (f"{CASE}    show: x.mp4\n", "4:5", "there is no file"),
        (f"{CASE}    persona: {{goal: x}}\n", "2:5", "turns and persona can't stand together"),
        (f"{CASE}    expect:\n      - said: '?!'\n", "5:9", "words to look for"),
        (f"{CASE}    expect:\n      - said: {{words: a, turn: 2}}\n", "5:9", "no turn 2"),
        (f"{CASE}    expect: [sad: x]\n", "4:14", "did you mean 'said'?"),
        (f"{CASE}    expect: [{{said: x, heard: y}}]\n", "4:14", "an item for each"),
        (f"{CASE}    expect: [no_errors: yes]\n", "4:14", "'no_errors' has to be true or false"),
        (f"{CASE}    expect: [pointed: {{box: [9, 9, 1, 1]}}]\n", "4:24", "no area"),
        (f"{CASE}    expect: [pointed: {{box: [0.1, 0, 0.5, 1]}}]\n", "4:24", "of 1000, not of 1"),
        (f"{CASE}    expect: [pointed: {{label: a, overlap: 1}}]\n", "4:34", "needs 'box'"),
        (f"{CASE}    expect: [tool: {{name: a, exact: true}}]\n", "4:30", "needs 'arguments'"),
        (f"{CASE}    expect: [interrupted: {{happens: false, within_ms: 9}}]\n", "4:44", "happens"),
        ("cases:\n  - name: a\n    turns: [{type: x, as: screen}]\n", "3:23", "needs 'show'"),
        (f"{CASE}    expect: [judge: It is kind.]\n", "2:5", "needs a model that is asked"),
        (f"{CASE}expect: [judge: It is kind.]\n", "4:1", "needs a model that is asked"),
        ("cases:\n  - name: a\n    persona: {goal: x}\n", "2:5", "'judge' in the suite"),
        (f"{PLAYED}[still.PNG, recorded/../still.PNG]}}\n", "3:42", "'still.PNG' is taken"),
        (f"{CASE}    expect: [reply_ms: fast]\n", "4:14", "'reply_ms' has to be a whole number"),
        (f"{CASE}    expect: [cost: .inf]\n", "4:14", "a number, not '.inf'"),
        (f"{CASE}  - name: a\n    turns: [type: x]\n", "4:5", "the name 'a' is taken"),
        (f"{CASE}passes: 0\n", "4:1", "greater than 0, not 0"),
        (f"{CASE}repeats: 0\n", "4:1", "greater than or equal to 1, not 0"),
        (f"{CASE}options: {{voise: Kore}}\n", "4:11", "no option 'voise'; did you mean 'voice'?"),
        (f"{CASE}agents: [nowhere]\n", "4:10", "there is no agent folder"),
        (f"{CASE}agents: [{{url: 'ftp://x'}}]\n", "4:11", "has to begin with http"),
        (f"{CASE}agents: [recorded]\n", "4:10", "holds no agent.py"),
        (f"{CASE}agents: ['http://']\n", "4:10", "the url names no server"),
        (f"{CASE}agents: [{{url: 'https://a:b'}}]\n", "4:11", "the url names no server"),
        (f"{CASE}judge: {{url: '${{NOT_SET_ANYWHERE}}'}}\n", "4:9", "no variable NOT_SET_ANYWHERE"),
        ("cases:\n  - name: a\n    turns: [say: x.wav]\n", "3:13", "there is no sound file"),
        ("cases:\n  - name: a\n    turns: [switch: camera]\n", "3:13", "needs 'on'"),
        (CUT_IN, "3:23", "no answer yet to cut in on"),
        (f"{SWITCH}screen, on: true}}]\n", "3:23", "the case has no 'screen'"),
        (f"{SWITCH}camera, on: false}}]\n", "3:23", "the case has no 'show'"),
        ("cases:\n  - name: a\n    show: still.PNG\n", "3:5", "an image asks nothing"),
        ("cases:\n  - name: a\n", "2:5", "needs something that happens"),
        (f"cases:\n  - name: a\n    show: {'x' * 5000}.png\n", "3:5", "there is no file"),
        (f"cases:\n  - name: a\n    turns: [say: {'x' * 5000}.wav]\n", "3:13", "no sound file"),
        (f"agents: [{'x' * 5000}]\n{CASE}", "1:10", "no agent folder"),
        ("cases:\n  - name: a\n    replay: b\n", "3:5", "there is no recorded call"),
        ("cases: " + "[" * 100_000, "1:", "nesting"),
        ("cases: " + "[" * 60 + "]" * 60, "1:", "nested too deeply"),
        ("cases: &a [*a]", "1:", "too deeply"),
        ("cases: !!python/object:os.system [x]", "1:", "has to be a mapping"),
        (LAUGHS, "", "too many values"),
        (b"cases: \xff", "", "is not text in UTF-8"),
        ("cases: \x00", "", "not YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(folder, text, where, words):
    line = mistakes(folder, text)[0]
    assert line.startswith(where)
    assert words in line
    assert line.endswith(".")


def test_every_mistake_is_told_at_once(folder):
    wrong = "  - {name: x, turns: [sya: hi]}\n"
    many = mistakes(folder, f"models: local\n{CASE}{wrong * 30}")
    assert len(many) == 21
    assert "further mistakes" in many[-1]


def test_a_folder_without_suites_and_a_missing_file_are_mistakes(tmp_path):
    with pytest.raises(SuiteError, match="no file in this folder is a suite"):
        read_suites([tmp_path])
    with pytest.raises(SuiteError, match="can't be read: No such file"):
        read_suites([tmp_path / "none.yaml"])


def test_the_documented_suite_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", "secret")
    text, judges = re.findall("```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    files = ("agent.py", "script.yaml", "bottle.mp4", "slides.png", "label.png", "kettle.png")
    for name in (*files, "recordings/2026-11-24T09-30-00Z-1a2b3c4d/call.mkv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "suite.yaml").write_text(text.replace("../agents/basic", str(tmp_path)))
    (found,) = read_suites([tmp_path / "suite.yaml"])
    assert len(found.suite.cases) == 3
    for judge in judges.splitlines():
        (tmp_path / "judged.yaml").write_text(
            f"{judge}\ncases: [{{name: a, turns: [type: hi], expect: [judge: It is kind.]}}]\n"
        )
        (found,) = read_suites([tmp_path / "judged.yaml"])
        assert found.suite.judge is not None


def test_ten_thousand_cases_are_read_and_planned(tmp_path):
    case = "  - name: c{}\n    turns:\n      - type: hello\n    expect:\n      - said: hello\n"
    path = tmp_path / "many.yaml"
    path.write_text("cases:\n" + "".join(case.format(number) for number in range(10_000)))
    trials = plan(read_suites([path]), Choice(models=["local", "gemini-x"]))
    assert len(trials) == 20_000
    assert [trial.model for trial in trials[9_999:10_001]] == ["local", "gemini-x"]


def test_a_file_is_read_once_and_suites_of_one_name_are_told_apart(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "suite.yaml").write_text(CASE)
    (tmp_path / "a" / "suite.yml").write_text(CASE)
    paths = [tmp_path / "a", tmp_path / "b", tmp_path / "a" / "suite.yaml"]
    names = [file.name for file in read_suites(paths)]
    files = ("a/suite.yaml", "a/suite.yml", "b/suite.yaml")
    assert names == [str(tmp_path / file) for file in files]
