import asyncio

import pytest
from google.genai import errors
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from vision_agent.live.failure import explain


def closed(code: int, reason: str) -> ConnectionClosedError:
    return ConnectionClosedError(Close(code, reason), None)


def api_error(code: int, message: str | None) -> errors.APIError:
    return errors.APIError(code, {"error": {"message": message}} if message else {})


@pytest.mark.parametrize(
    "error",
    [
        closed(1011, ""),
        closed(1011, "Internal error."),
        closed(1008, "Model not found."),
        closed(1011, "You exceeded your current quota."),
        api_error(1011, None),
        api_error(1011, "None"),
        api_error(429, "Quota exceeded."),
        api_error(404, None),
        api_error(403, "API key not valid."),
        ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 9)"),
        OSError("Multiple exceptions: [Errno 111] Connect call failed"),
        TimeoutError(),
        KeyError("x"),
    ],
)
def test_every_failure_is_told_in_sentences_without_gaps(error):
    text = explain(error, model="gemini-3.8-live")
    assert text.endswith(".")
    assert ".." not in text
    assert ". ." not in text
    assert "None" not in text
    assert ": ." not in text


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("password=hunter2"),
        ValueError("the key hunter2 was not found"),
        KeyError("hunter2 quota"),
        FileNotFoundError(2, "No such file or directory", "/srv/hunter2"),
        ConnectionError("postgres://user:hunter2@db refused"),
    ],
)
def test_the_words_of_an_agents_own_exceptions_are_not_told(error):
    assert "hunter2" not in explain(error, model="local")


async def test_an_agent_that_fails_is_named_by_the_kind_of_its_failure():
    async def callback() -> None:
        raise LookupError("password=hunter2")

    with pytest.raises(LookupError) as failed:
        await asyncio.create_task(callback())
    told = explain(failed.value, model="local")
    assert told == "The agent failed (LookupError). The server's log says why."
