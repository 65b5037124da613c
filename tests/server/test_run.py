"""`vision-agent serve` as a person runs it."""

import asyncio
import os
import re
import signal
import socket
import time

import pytest

from tests.support.dialling import Dialled, request
from tests.support.scenarios import TONES
from tests.support.serving import run, started
from tests.support.waiting import until


def children(pid: int) -> list[int]:
    """All descendants of a process, as the kernel lists them."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            for child in map(int, file.read().split()):
                found += [child, *children(child)]
    return found


async def test_it_says_where_and_who_and_stops_within_two_seconds_of_ctrl_c_during_a_call():
    # Started as a person does, not forked: its children are the subject.
    start = asyncio.create_subprocess_exec
    process, lines = await started("--scenario", str(TONES), start=start)
    caller = None
    try:
        url = re.search(r"http://127\.0\.0\.1:\d+", lines[0]).group()
        assert "Brain: local Live API: no key set." in lines[1]
        caller = Dialled(url)
        await caller.connect()
        below = children(process.pid)
        assert below, "the local Live API is a process of its own"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        code = await asyncio.wait_for(process.wait(), 10)
        assert time.monotonic() - began < 2
        assert code == 0
        assert (await process.stderr.read()).decode() == ""
        await until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in below))
    finally:
        if caller:
            await caller.peer.close()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_port_that_is_taken_is_said_in_words():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, text = await run("serve", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "Can't listen" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "gemini-3.8-live"), "There is no key for 'gemini-3.8-live'"),
        (("--voice", "Kora"), "Nearest: Kore"),
        (("--agent", "no/such/folder"), "No agent at 'no/such/folder'"),
        (("--frame-rate", "0"), "--frame-rate: "),
        (("--host", "300.1.1.1"), "with --host"),
        (("--host", "192.0.2.1"), "with --host"),
        (("--port", "70000"), "port"),
        (("--session-db", "nonsense"), "no URL of a database"),
        (("--session-db", "sqlite:////proc/x/y.db"), "session database /proc/x/y.db can't be used"),
    ],
)
async def test_what_cannot_work_is_said_before_anything_starts(arguments, words):
    code, text = await run("serve", *arguments)
    assert code == 2
    assert words in text
    assert "Traceback" not in text


async def test_connections_that_ask_for_nothing_or_leave_halfway_keep_nobody_out_and_fill_no_log(
    monkeypatch,
):
    monkeypatch.setenv("VISION_AGENT_MAX_CONNECTIONS", "10")
    process, lines = await started()
    try:
        url = re.search(r"http://\S+", lines[0]).group()
        port = int(url.rpartition(":")[2])
        half = (
            b"POST /api/offer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 60000\r\n\r\n{"
        )
        held = []
        for number in range(60):
            held.append(socket.create_connection(("127.0.0.1", port)))
            if number % 2:
                held[-1].sendall(half)
            assert (await asyncio.to_thread(request, "GET", f"{url}/healthz"))["status"] == "ok"
        for each in held:
            each.close()
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 10) == 0
        assert (await process.stderr.read()).decode() == ""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(("token", "warned"), [("", True), ("s3cret", False)])
async def test_who_opens_it_to_the_network_without_a_token_is_warned(monkeypatch, token, warned):
    monkeypatch.setenv("VISION_AGENT_TOKEN", token)
    process, lines = await started("--host", "0.0.0.0")
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert ("anybody on the network may call" in " ".join(lines)) == warned


async def test_requests_that_are_no_http_are_a_line_in_the_log_not_one_each():
    process, lines = await started()
    try:
        port = int(re.search(r"http://\S+:(\d+)", lines[0]).group(1))
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
                assert b" 400 " in await asyncio.to_thread(client.recv, 4096)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 20) == 0
        log = (await process.stderr.read()).decode().splitlines()
        assert [("Invalid HTTP request" in line) for line in log] == [True]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
