"""Mistakes on the command line: one sentence each and exit code 2, before anything is started."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import click
import pytest
import pytest_asyncio
import typer
from typer.testing import CliRunner

from tests.conftest import serving
from tests.support.forked import run_forked
from tests.support.forked_product import ForkedServer
from tests.support.scenarios import SILENT
from vision_agent.cli.main import app
from vision_agent.cli.options import _USER_ERRORS

ROOT = Path(__file__).parents[2]
BOTTLE = str(ROOT / "samples" / "recordings" / "bottle.mp4")
SOUND = str(Path(BOTTLE).parent / "speech" / "hello.wav")
MISTAKES = {
    "a scenario that is missing": (("serve", "--scenario", "none.yaml"), "none.yaml can't be read"),
    "a scenario that is no YAML": (("serve", "--scenario", "bad.yaml"), "bad.yaml, line 2"),
    "a model of another kind": (("serve", "--model", "gpt-4o"), "'gpt-4o' is not a live model"),
    "nothing to type": (("replay", BOTTLE, "--type", " "), "--type is empty"),
    "nothing to speak": (("replay", BOTTLE, "--ask", ""), "--ask is empty"),
    "two questions": (("replay", BOTTLE, "--type", "a", "--ask", "b"), "--ask and --type are 2"),
    "a recording that is none": (("replay", __file__, "--type", "a"), "is not a recording"),
    "a recording that is missing": (("replay", "none.mp4"), "There is no file none.mp4"),
    "a screen that is missing": (("replay", BOTTLE, "--screen", "none.png"), "no file none.png"),
    "a screen without a picture": (
        ("replay", BOTTLE, "--screen", SOUND),
        "has no picture in it: it can't be the screen",
    ),
    "an agent that is missing": (("serve", "--agent", "none"), "No agent at 'none'"),
    "a voice that is none": (("serve", "--voice", "Korre"), "There is no voice named 'Korre'"),
    "no folder for the report": (("replay", BOTTLE, "--json", "none/x.json"), "No such file"),
    "a folder as the page": (("replay", BOTTLE, "--html", "."), "Is a directory"),
    "no folder for the voice": (("replay", BOTTLE, "--wav", "none/x.wav"), "No such file"),
    "no folder to record in": (("talk", "--text", "--record", "none/x.wav"), "No such file"),
    "a folder for recordings without a name": (
        ("serve", "--record", ""),
        "--record is empty: name a folder, or leave it out.",
    ),
    "no time to wait": (("replay", BOTTLE, "--timeout", "0"), "--timeout: A timeout of 0 s"),
    "a time that is no number": (("talk", "--text", "--timeout", "nan"), "--timeout: A timeout of"),
    "a time before now": (("talk", "--demo", "--timeout", "-1"), "--timeout: A timeout of -1 s"),
    "a time beyond all timers": (("replay", BOTTLE, "--timeout", "inf"), "--timeout: A timeout of"),
    "a model of a server that runs": (
        ("talk", "--text", "--url", "http://127.0.0.1:9", "--model", "local"),
        "--model can't be chosen for a server that is running",
    ),
    "the same in a replay": (
        ("replay", BOTTLE, "--type", "a", "--url", "http://127.0.0.1:9", "--model", "local"),
        "--model can't be chosen for a server that is running",
    ),
    "a host that is none": (
        ("live-server", "--host", "300.1.1.1"),
        "Can't listen on 300.1.1.1:9443: this machine knows no host of that name. Choose an "
        "address of this machine with --host",
    ),
    "no port of a Ray cluster": (
        ("cluster", "--address", "head", "--session-db", "memory"),
        "--address: Write it as ray://HOST:10001, as HOST:6379, or as auto",
    ),
    "more workers than UDP ports": (
        ("cluster", "--workers", "2", "--udp-ports", "50000-50000"),
        "--udp-ports 50000-50000 has too few ports for 2 workers",
    ),
    "a Ray cluster that is none": (
        ("cluster", "--address", "127.0.0.1:1", "--session-db", "memory", "--port", "0"),
        "No Ray cluster can be reached at 127.0.0.1:1: [Errno 111] Connection refused",
    ),
    "a header that is none": (("replay", BOTTLE, "--header", "Cookie"), "Name: value"),
    "a header of two lines": (("talk", "--header", "A: b\r\nC: d"), "Name: value"),
}


@pytest.mark.parametrize(("arguments", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("answers: [\n")
    done = run_forked("vision_agent", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


def test_a_recording_in_which_nobody_speaks_is_said_to_be_one_before_the_call() -> None:
    done = run_forked("vision_agent", "replay", BOTTLE, "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "there is nothing to answer" in done.stdout
    assert "http://127.0.0.1:9 can't be reached" in done.stderr


def test_a_sound_that_is_too_long_is_refused_before_a_server_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vision_agent.caller.recording.MAX_SOUND_S", 1)
    done = CliRunner().invoke(app, ["replay", str(Path(BOTTLE).with_name("jfk.flac"))])
    assert done.exit_code == 2
    assert "cut out the part to be replayed" in " ".join(done.stderr.split())
    assert "Agent:" not in done.stdout


def test_an_option_that_does_not_exist_in_the_environment_is_told() -> None:
    done = run_forked(
        "vision_agent", "models", env={"VISION_AGENT_TOKEM": "x", "VISION_AGENT_VOICE": "Kore"}
    )
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert "VISION_AGENT_TOKEM (environment) is not an option. Nearest: VISION_AGENT_TOKEN." in line


def test_an_option_that_does_not_exist_in_the_file_is_told_with_the_files_name(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env").write_text("VISION_AGENT_TOKEM=x\n")
    done = run_forked("vision_agent", "models", cwd=tmp_path, env={})
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert "VISION_AGENT_TOKEM (.env) is not an option. Nearest: VISION_AGENT_TOKEN." in line


def test_a_variable_that_is_wrong_is_named_as_the_variable() -> None:
    done = run_forked("vision_agent", "models", env={"VISION_AGENT_FRAME_RATE_HZ": "0"})
    assert done.returncode == 2
    assert done.stderr.startswith("VISION_AGENT_FRAME_RATE_HZ: ")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[ForkedServer]:
    async with serving("--scenario", str(SILENT)) as server:
        yield server


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--agent", "nobody"), "There is no agent 'nobody' here, only vision_agent."),
        (("--voice", "Korre"), "There is no voice named 'Korre'"),
    ],
)
@pytest.mark.parametrize("command", [("replay", BOTTLE, "--type", "a"), ("talk", "--text")])
async def test_what_a_call_asks_of_a_running_server_is_sent_to_it(
    server: ForkedServer, command: tuple[str, ...], options: tuple[str, ...], words: str
) -> None:
    done = await asyncio.to_thread(
        run_forked, "vision_agent", *command, "--url", server.url, *options
    )
    assert done.returncode == 1
    assert words in done.stderr


@pytest.mark.asyncio(loop_scope="module")
async def test_an_address_without_a_server_of_ours_is_said_to_be_one(server: ForkedServer) -> None:
    elsewhere = ("--url", f"{server.url}/nothere")
    done = await asyncio.to_thread(
        run_forked, "vision_agent", "replay", BOTTLE, "--type", "a", *elsewhere
    )
    assert done.returncode == 1
    assert f"There is no vision_agent at {server.url}/nothere (HTTP 40" in done.stderr


def commands() -> dict[str, click.Command]:
    group = typer.main.get_command(app)
    return dict(group.commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", commands())
def test_help_says_all_of_what_is_written(name: str) -> None:
    done = run_forked("vision_agent", name, "--help")
    assert done.returncode == 0
    shown = re.sub(r"\s+", " ", done.stdout)
    for option in commands()[name].params:
        text = getattr(option, "help", None)
        if text and not getattr(option, "hidden", False):
            assert re.sub(r"\s+", " ", text) in shown


def test_what_is_known_as_a_mistake_is_looked_for_where_it_is_defined() -> None:
    # A module that only re-exports the class may not have been imported when the error is raised.
    for module, name in _USER_ERRORS.items():
        source = ROOT / f"{module.replace('.', '/')}.py"
        assert f"\nclass {name}(" in source.read_text(), (module, name)
