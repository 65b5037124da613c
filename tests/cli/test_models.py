import json

import pytest
from typer.testing import CliRunner

from vision_agent.cli.main import app


def run(*arguments: str, **environment: str):
    return CliRunner(env=environment).invoke(app, ["models", *arguments])


def test_the_models_the_voices_and_todays_choice_are_listed():
    done = run()
    assert done.exit_code == 0, done.output
    assert "gemini-3.8-live" in done.output
    assert "Zubenelgenubi" in done.output
    [shut_down] = [line for line in done.output.splitlines() if "gemini-3.1-flash-live" in line]
    assert "reported to be shut down on 17 November 2026" in shut_down
    assert "only transcribes, so not for calls" in done.output
    assert "Now: local (local Live API: no key set)" in done.output


def test_with_a_key_the_newest_model_would_answer():
    now = json.loads(run("--json", "--voice", "kore", GOOGLE_API_KEY="x").stdout)["now"]
    assert (now["model"], now["brain"], now["voice"]) == ("gemini-3.8-live", "gemini", "Kore")


def test_json_says_what_each_model_can():
    report = json.loads(run("--json").stdout)
    rows = {row["name"]: row for row in report["models"]}
    assert rows["gemini-2.5-flash-native-audio-preview-12-2025"]["affective"] is True
    assert rows["gemini-3.8-live"]["proactive"] == "always"
    assert len(report["voices"]) == 30


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "gemini-2.0-flash"), "not a live model"),
        (("--model", "gemini-live-2.5-flash-native-audio"), "served by Vertex AI"),
    ],
)
def test_what_could_not_be_called_is_an_error_with_what_would_work(arguments, words):
    done = run(*arguments, GOOGLE_API_KEY="x")
    assert done.exit_code == 2
    assert words in done.output
    assert json.loads(run("--json", *arguments, GOOGLE_API_KEY="x").stdout)["now"]["error"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "gemini-4-omni"), "not in this version's list of live models"),
        (("--model", "gemini-3.8-lvie"), "Did you mean gemini-3.8-live?"),
        (("--voice", "Puk"), "Nearest: Puck"),
    ],
)
def test_a_name_that_is_not_in_the_list_is_tried_with_a_word_about_it(arguments, words):
    done = run(*arguments, GOOGLE_API_KEY="x")
    assert done.exit_code == 0
    assert words in done.output
    now = json.loads(run("--json", *arguments, GOOGLE_API_KEY="x").stdout)["now"]
    assert words in " ".join(now["notes"])


def test_a_voice_that_this_machine_lacks_is_a_mistake():
    done = run("--voice", "Puk")
    assert done.exit_code == 2
    assert "Nearest: Puck" in done.output
