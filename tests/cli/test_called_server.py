"""Options of a call that configure the server it starts, and options of the call itself."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest
import typer

from vision_agent.cli.called_server import CalledServer
from vision_agent.cli.options import out


def called(url: str | None, **given: Any) -> CalledServer:
    return CalledServer.of(url=url, **({"answers": {}, "brain": {}} | given))


def test_a_server_that_is_started_is_given_the_agent_and_the_model() -> None:
    brain = {"brain": "http://localhost:1/v1", "brain_timeout_s": 5.0}
    server = called(None, agent="desk", model="local", brain=brain, answers={"voice": "Kore"})
    assert server.serve_arguments == (
        *("--agent", "desk", "--model", "local"),
        *("--brain", "http://localhost:1/v1", "--brain-timeout", "5.0"),
    )
    assert server.asked == {"voice": "Kore"}


def test_a_running_server_is_asked_for_the_agent_by_name() -> None:
    server = called("http://127.0.0.1:9", agent="desk", header=["Cookie: a=b"], token="t")
    assert server.asked == {"agent": "desk"}
    assert (server.headers, server.token) == ({"Cookie": "a=b"}, "t")


def test_a_caller_agrees_to_be_recorded_or_declines() -> None:
    assert called("http://127.0.0.1:9", recording=True).asked == {
        "record": True,
        "record_consent": True,
    }
    assert called("http://127.0.0.1:9", recording=False).asked == {"record": False}


def test_what_a_running_server_can_not_be_given_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for flag, given in (("--model", {"model": "local"}), ("--brain", {"brain": {"brain": "x"}})):
        with pytest.raises(typer.Exit):
            called("http://127.0.0.1:9", **given)
        printed = " ".join(capsys.readouterr().err.split())
        assert printed.startswith(f"{flag} can't be chosen for a server that is running")


async def test_a_running_server_is_called_where_it_runs() -> None:
    async with AsyncExitStack() as stack:
        url = await called("http://127.0.0.1:9").address(stack, out)
    assert url == "http://127.0.0.1:9"
