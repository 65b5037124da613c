"""The local Live API dies in the middle of a call. The call goes on, and the caller is told."""

import asyncio
import json
import urllib.error
import urllib.request

import psutil

from tests.support.called_processes import called_by
from tests.support.dialling import Dialled
from tests.support.forked_product import ForkedServer
from tests.support.messages import said
from tests.support.waiting import until


def local_live_api_of(server: ForkedServer) -> psutil.Process:
    [found] = called_by(server.pid)
    return found


async def health(server: ForkedServer) -> tuple[int, dict]:
    def ask() -> tuple[int, dict]:
        try:
            with urllib.request.urlopen(f"{server.url}/healthz", timeout=5) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return await asyncio.to_thread(ask)


async def until_health(server: ForkedServer, status: int) -> dict:
    async def answer() -> dict | None:
        got, body = await health(server)
        return body if got == status else None

    return await until(answer, what=f"health {status}")


async def test_a_question_that_was_open_is_answered_and_health_tells_the_truth_meanwhile(tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("""
        engine: false
        answers:
          - when: {words: slow}
            think_s: 4
            say: That was slow.
        otherwise: {say: Hello.}
    """)
    async with ForkedServer("--scenario", str(scenario)) as server:
        caller = Dialled(server.url)
        await caller.connect()
        caller.send("send-text", {"content": "Hello"})
        await caller.wait_for(lambda m: said(m) == "Hello.")
        caller.send("send-text", {"content": "Something slow, please"})
        await caller.wait_for(lambda m: m.get("data", {}).get("state") == "thinking")
        killed = local_live_api_of(server)
        killed.kill()
        problem = await until_health(server, 503)
        assert problem["status"] == "unavailable"
        assert "started again" in problem["reason"]
        await caller.wait_for(lambda m: said(m) == "That was slow.")
        assert (await until_health(server, 200))["status"] == "ok"
        assert local_live_api_of(server).pid != killed.pid
        await caller.hang_up()

        # And so does the next call.
        caller = Dialled(server.url)
        await caller.connect()
        caller.send("send-text", {"content": "Hello"})
        await caller.wait_for(lambda m: said(m) == "Hello.")
        await caller.hang_up()
