"""A recorded call becomes a case of a suite, which is read as one."""

from __future__ import annotations

import resource
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from tests.support.recorded_call import recorded_call, switched, typed
from tests.support.signals import silence, tone
from vision_agent.caller.cut import Cut
from vision_agent.caller.recording import SOUND_RATE_HZ
from vision_agent.cli.main import app
from vision_agent.evaluation.suite import Case, read_suites
from vision_agent.recordings.lines import (
    EndedLine,
    ErrorLine,
    InterruptedLine,
    SentLine,
    SpokenLine,
    ToolCallLine,
    TurnLine,
)
from vision_agent.replay.caller_source import open_source
from vision_agent.replay.script import FixedScript, Speak

POINT = {"kind": "point", "label": "the bottle", "box_2d": [10, 20, 300, 400]}
SAID = 'It says "Milk": 3.50 €.\x1b[2J'


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return recorded_call(
        tmp_path / "calls" / "one",
        typed(300, "hello"),
        SpokenLine(at_ms=300, who="user", text="hello", typed=True),
        switched(700, "microphone", False),
        ToolCallLine(at_ms=1500, id="1", name="look: # up", arguments={"what": "a\n- b: 'c'"}),
        SentLine(at_ms=1600, message={"type": "server-message", "data": POINT}),
        SpokenLine(at_ms=1900, who="agent", text=SAID, author="basic"),
        TurnLine(at_ms=2000, reply_ms=640),
        SpokenLine(at_ms=2600, who="user", text="what is this"),
        SpokenLine(at_ms=2700, who="agent", text="…"),
        InterruptedLine(at_ms=2800),
        ErrorLine(at_ms=3500, text="The model is slow."),
        SpokenLine(at_ms=3900, who="agent", text="A bottle. " + "It is blue. " * 40),
        EndedLine(at_ms=3900, reason="the caller hung up"),
        caller=np.concatenate([tone(500), silence(1000), tone(500, hz=500), silence(2000)]),
        camera={0: (200, 0, 0), 1500: (0, 200, 0)},
        length_ms=4000,
    )


def case(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["case", *map(str, arguments)])


def cases(path: Path) -> dict[str, Case]:
    (suite,) = read_suites([path])
    return {each.name: each for each in suite.suite.cases}


def test_a_call_becomes_a_case_that_expects_what_happened(recorded: Path, tmp_path: Path) -> None:
    path = tmp_path / "suites" / "mine.yaml"
    path.parent.mkdir()
    done = case(recorded / "call.mkv", "--name", 'Reads: the "Label"', "--suite", path)
    assert done.exit_code == 0, done.output
    (made,) = cases(path).values()
    assert made.name == 'Reads: the "Label"'
    assert made.replay is not None
    assert made.replay.resolve() == recorded / "call.mkv"
    said = [each.said.any for each in made.expect if each.said]
    assert said == [('It says "Milk": 3.50 €.�[2J',), ("A bottle.",)]
    (tool,) = [each.tool for each in made.expect if each.tool]
    assert (tool.name, tool.arguments) == ("look: # up", {"what": "a\n- b: 'c'"})
    (pointed,) = [each.pointed for each in made.expect if each.pointed]
    assert pointed.label == "the bottle"
    (reply,) = [each.reply_ms for each in made.expect if each.reply_ms]
    assert reply.max == 1500
    assert any(each.interrupted for each in made.expect)
    # The call had an error, so the case does not demand that there is none; its author may.
    assert not any(each.no_errors for each in made.expect)
    text = path.read_text()
    assert '# typed: "hello"' in text
    assert '# - heard: "what is this"' in text
    assert "# there was one: The model is slow." in text


def test_a_cut_is_copied_beside_the_suite_with_what_was_switched(
    recorded: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    options = ("--from", "1.2", "--to", "0:02.5", "--suite", path, "--copy")
    done = case(recorded, "--name", "The cut", *options)
    assert done.exit_code == 0, done.output
    made = cases(path)["The cut"]
    assert made.replay == tmp_path / "the-cut" / "call.mkv"
    assert [each.said.any for each in made.expect if each.said] == [
        ('It says "Milk": 3.50 €.�[2J',)
    ]
    end_s = made.to or 0.0
    source = open_source(made.replay, Cut(made.from_ or 0.0, end_s))
    whole = open_source(recorded, Cut(1.2, 2.5))
    assert source.off == whole.off == {"microphone"}
    assert isinstance(source.script, FixedScript)
    spoken = [step.action.pcm for step in source.script.steps if isinstance(step.action, Speak)]
    assert len(spoken[0]) == pytest.approx(2 * 1.3 * SOUND_RATE_HZ, rel=0.02)
    frames = [list(islice(each.shown["camera"].frames(), 4)) for each in (source, whole)]
    assert [round(each.at_s, 2) for each in frames[0]] == [
        round(each.at_s, 2) for each in frames[1]
    ]
    # The packets were copied, so the decoded frames are the same.
    assert bytes(frames[0][3].frame.planes[2]) == bytes(frames[1][3].frame.planes[2])
    again = case(recorded, "--name", "the cut!", *options)
    assert again.exit_code == 2
    assert "is there already: give the case another --name." in again.output


def test_a_case_is_added_to_a_suite_as_it_stands(recorded: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "# Our shop.\n"
        "cases:  # all of them\n"
        "- name: greets\n"
        f"  replay: {recorded}\n"
        "  expect:\n"
        "  - said: {any: [hello]}   # or hi\n"
        "    # and nothing else\n"
        "\n"
        "# Slow machines.\n"
        "timeout_s: 90\n"
    )
    before = path.read_text()
    assert case(recorded, "--name", "new", "--suite", path).exit_code == 0
    after = path.read_text()
    remaining = iter(after.splitlines())
    assert all(line in remaining for line in before.splitlines())
    assert list(cases(path)) == ["greets", "new"]
    assert after.index("and nothing else") < after.index('"new"') < after.index("# Slow")
    twice = case(recorded, "--name", "new", "--suite", path)
    assert (twice.exit_code, path.read_text()) == (2, after)
    assert "it already has a case 'new'" in twice.output
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(after) + 10, limits[1]))
    try:
        full = case(recorded, "--name", "another", "--suite", path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (full.exit_code, path.read_text()) == (2, after), full.output
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["mine.yaml"]


def test_what_a_case_does_not_expect_and_whom_it_calls_is_said(
    recorded: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    cut = case(recorded / "call.jsonl", "--name", "cut", "--to", "1.8", "--suite", path)
    printed, text = (" ".join(each.split()) for each in (cut.output, path.read_text()))
    for words in (
        "What the agent says next ends after this part: --to 0:02 would hold it.",
        "The case passes whatever the agent says.",
    ):
        assert words in printed
        assert words in text
    assert f"answered by basic, and `eval {path}` calls the default agent" in printed
    lines = (recorded / "call.jsonl").read_text()
    (recorded / "call.jsonl").write_text(lines.replace('"basic"', '"vision_agent"', 1))
    default = case(recorded, "--name", "answered by the default agent", "--suite", path)
    assert default.exit_code == 0
    assert "calls the default agent" not in default.output
    (recorded / "call.jsonl").write_text(lines)
    agent = tmp_path / "agents" / "basic"
    agent.mkdir(parents=True)
    (agent / "agent.py").touch()
    whole = case(recorded, "--name", "whole", "--suite", path, "--agent", agent)
    assert "whatever the agent says" not in whole.output
    assert "default agent" not in whole.output
    (target,) = cases(path)["whole"].agents or ()
    assert target.agent == str(agent)
    wrong = case(recorded, "--name", "wrong", "--suite", path, "--agent", tmp_path / "no")
    assert wrong.exit_code == 2
    assert "there is no agent folder" in " ".join(wrong.output.split())


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        ("cases: [{name: a, show: b.png}]\n", "its cases are not a list of lines"),
        ("cases: {a: b}\n", "its cases are not a list of lines"),
        ("- a\n", "it is not a suite"),
        ("{cases: []}\n", "it is not a suite"),
        ("a: [\n", "it is not YAML"),
        ("\udcff", "it is not UTF-8"),
    ],
)
def test_what_is_no_suite_is_refused_and_stays(
    recorded: Path, tmp_path: Path, suite: str, words: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(suite.encode(errors="surrogateescape"))
    done = case(recorded, "--name", "new", "--suite", path, "--copy")
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())
    assert path.read_bytes() == suite.encode(errors="surrogateescape")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "1:00"), ", before 1:00"),
        (("--from", "one"), "--from: 'one' is not a time"),
        (("--from", "3", "--to", "2"), "--to has to be later than --from"),
        (("--name", "!?"), "--name has no letter in it"),
        (("--suite", "."), ". is a folder: give the suite's file"),
        (("--suite", "none/suite.yaml"), "There is no folder none."),
    ],
)
def test_a_mistake_is_said_in_words(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = case(recorded, "--name", "x", *arguments)
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())
    assert not list(tmp_path.glob("*.yaml"))


def test_what_is_no_recorded_call_is_refused(bottle: Path, tmp_path: Path) -> None:
    done = case(bottle, "--name", "x", "--suite", tmp_path / "x.yaml")
    assert done.exit_code == 2
    assert "is not a recorded call" in " ".join(done.output.split())
