"""Every option of how the agent answers is a flag of the commands that answer or make a call."""

import pytest
import typer
from typer.testing import CliRunner

from vision_agent.answer_settings import AnswerSettings
from vision_agent.cli.answer_flags import answer_flags
from vision_agent.cli.main import app

COMMANDS = ("serve", "replay", "talk")


def flags_of(name: str) -> dict[str, typer.core.TyperOption]:
    command = typer.main.get_command(app).commands[name]
    return {each.name: each for each in command.params if isinstance(each, typer.core.TyperOption)}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_option_is_a_flag_with_the_words_of_its_setting(command):
    flags = flags_of(command)
    for name, field in AnswerSettings.model_fields.items():
        assert f"--{name.replace('_', '-')}" in flags[name].opts
        assert flags[name].help == field.description
        assert flags[name].default is None
    assert "--modality" in flags["modalities"].opts


def given_by(*arguments: str) -> dict[str, object]:
    """The options that a command with the flags gets from these arguments."""
    taken: dict[str, object] = {}
    one = typer.Typer()

    @one.command()
    @answer_flags
    def run(*, answers: dict[str, object], name: str | None = None) -> None:
        taken.update(answers, name=name)

    done = CliRunner().invoke(one, list(arguments))
    assert done.exit_code == 0, done.output
    return taken


def test_a_command_gets_what_was_given_and_nothing_else():
    assert given_by("--name", "x") == {"name": "x"}
    assert given_by(
        *("--thinking-budget", "0", "--no-proactive-audio", "--affective-dialog"),
        *("--vocabulary", "a,b", "--silence-ms", "900"),
    ) == {
        "name": None,
        "thinking_budget": 0,
        "proactive_audio": False,
        "affective_dialog": True,
        "vocabulary": "a,b",
        "silence_ms": 900,
    }


@pytest.mark.parametrize("command", [("replay", "none.mp4"), ("talk", "--text")])
def test_what_no_model_can_be_is_refused_before_a_server_is_started(command):
    done = CliRunner().invoke(app, [*command, "--thinking-level", "lots"])
    assert done.exit_code == 2
    assert "thinking_level: 'lots' is not one of minimal, low, medium, high, xhigh." in done.output


def test_what_a_model_can_not_be_is_refused_before_the_server_starts(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    model = ("--model", "gemini-3.8-live", "--session-db", "memory", "--port", "0")
    done = CliRunner().invoke(app, ["serve", *model, "--thinking-budget", "5"])
    assert done.exit_code == 2
    assert "takes no thinking_budget" in done.output
