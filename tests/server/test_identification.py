"""Whom a request comes from; what is kept of one user is told to no other."""

import asyncio
import secrets
import threading
import uuid
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tests.conftest import serving
from tests.support.dialling import TEXT, Dialled
from tests.support.messages import said
from tests.support.offers import offer
from tests.support.scenarios import SILENT
from vision_agent import CallClient, Settings, create_app

AGENT = """
from google.adk.agents import Agent
from google.adk.tools.tool_context import ToolContext


def keep(tool_context: ToolContext) -> dict:
    "Keep something of the caller."
    before = tool_context.state.get("user:calls", 0)
    tool_context.state["user:calls"] = before + 1
    return {"before": before}


root_agent = Agent(name="keeper", instruction="You keep.", tools=[keep])
"""

SCENARIO = """
engine: false
answers:
  - when: {words: keep}
    call: {name: keep}
  - when: {tool: keep}
    say: "{before} before."
otherwise: {say: Go on.}
"""


async def ask(url: str, data: dict | None = None, resume: str | None = None) -> tuple[str, str]:
    """Make a call in which the agent keeps something.

    Returns:
        The answer, which counts what was kept before, and the conversation's token.
    """
    caller = Dialled(url, data=TEXT | (data or {}))
    await caller.connect(resume=resume)
    caller.send("send-text", {"content": "Please keep it."})
    answer = said(await caller.wait_for(lambda m: bool(said(m))))
    await caller.hang_up()
    return answer, caller.answer["resume"]


async def test_what_an_agent_keeps_of_a_caller_is_told_to_nobody_else(tmp_path):
    (tmp_path / "keeper").mkdir()
    (tmp_path / "keeper" / "agent.py").write_text(AGENT)
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    agent = str(tmp_path / "keeper")
    async with serving("--agent", agent, "--scenario", str(scenario)) as server:
        ann = {"user": secrets.token_hex(16)}
        assert (await ask(server.url, ann))[0] == "0 before."
        assert (await ask(server.url, ann))[0] == "1 before."
        assert (await ask(server.url, {"user": secrets.token_hex(16)}))[0] == "0 before."
        answer, token = await ask(server.url)
        assert answer == "0 before."
        assert (await ask(server.url))[0] == "0 before."
        # A resumed conversation belongs to the same caller.
        assert (await ask(server.url, resume=token))[0] == "1 before."


async def test_nobody_is_known_by_a_name_that_can_be_guessed_and_the_client_is_told(tmp_path):
    (tmp_path / "keeper").mkdir()
    (tmp_path / "keeper" / "agent.py").write_text(AGENT)
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    agent = str(tmp_path / "keeper")
    async with serving("--agent", agent, "--scenario", str(scenario)) as server:
        for _ in range(2):
            assert (await ask(server.url, {"user": "alice"}))[0] == "0 before."
        caller = Dialled(server.url, data={"user": "alice"})
        await caller.connect()
        error = await caller.wait_for(lambda m: m["type"] == "error")
        assert "can be guessed" in error["data"]["error"]
        assert not error["data"]["fatal"]
        await caller.hang_up()


@asynccontextmanager
async def application(identify=None, **settings):
    """An application in this process, which `answered` and `user_of` call."""
    app = create_app(
        Settings(_env_file=None, scenario=SILENT, session_db="memory", **settings),
        identify=identify,
    )
    async with app.router.lifespan_context(app):
        yield app


async def answered(app, data: dict | None = None, address: str = "127.0.0.1", **headers):
    """The response to an offer that is never connected."""
    peer, body = await offer()
    transport = httpx.ASGITransport(app=app, client=(address, 5))
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        response = await http.post("/api/offer", json=body | {"requestData": data}, headers=headers)
        if response.status_code == 200:
            await http.delete(f"/api/offer/{response.json()['pc_id']}")
    await peer.close()
    return response


async def user_of(app, data: dict | None = None, address: str = "127.0.0.1", **headers) -> str:
    """ADK's user of a call, as the token of its conversation says; empty for an unknown caller."""
    response = await answered(app, data, address, **headers)
    assert response.status_code == 200, response.text
    return response.json()["resume"].partition(".")[2]


@pytest.mark.parametrize("as_coroutine", [False, True])
async def test_an_application_says_who_calls_and_its_word_is_adks_user(as_coroutine, caplog):
    user_id = uuid.uuid4()
    users = {
        "ann": "ann@example.com",
        "7": 7,
        "u": user_id,
        "?": None,
        "no": 1.5,
        "long": "x" * 101,
    }

    def identify(request):
        if (name := request.headers.get("x-session", "?")) == "out":
            raise HTTPException(403, "Sign in first.")
        return users[name]

    async def identify_later(request):
        return identify(request)

    async with application(identify_later if as_coroutine else identify) as app:
        for name, user in (("ann", "ann@example.com"), ("7", "7"), ("u", str(user_id)), ("?", "")):
            claim = {"user": secrets.token_hex(16)}
            assert await user_of(app, claim, x_session=name) == user
        assert caplog.text.count("requestData.user, which does not count here") == 1
        out = await answered(app, x_session="out")
        assert (out.status_code, out.json()) == (403, {"error": "Sign in first."})
        for name in ("no", "long", "unheard of"):
            failed = await answered(app, x_session=name)
            assert (failed.status_code, "who calls" in failed.json()["error"]) == (500, True)
        assert "KeyError: 'unheard of'" in caplog.text


@pytest.mark.parametrize("raised", [SystemExit(3), asyncio.CancelledError()])
@pytest.mark.parametrize("as_coroutine", [False, True])
async def test_an_application_that_would_end_the_server_has_failed(as_coroutine, raised):
    def identify(request):
        raise raised

    async def identify_later(request):
        raise raised

    async with application(identify_later if as_coroutine else identify) as app:
        failed = await answered(app)
        assert (failed.status_code, "who calls" in failed.json()["error"]) == (500, True)


async def test_an_application_may_read_the_request_to_find_out_who_calls():
    async def identify(request):
        return (await request.json())["requestData"]["account"]

    async with application(identify) as app:
        assert await user_of(app, {"account": "ann"}) == "ann"


async def test_an_application_that_is_slow_to_say_who_calls_holds_up_nobody_else(monkeypatch):
    asked, answer = threading.Event(), threading.Event()

    def blocks(request):
        if request.headers.get("x-session") == "quick":
            answer.set()
            return "ann"
        asked.set()
        return "bob" if answer.wait(20) else "nobody"

    async def never(request):
        await asyncio.Event().wait()

    async with application(blocks) as app, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(user_of(app))
        assert await asyncio.to_thread(asked.wait, 60)
        assert await user_of(app, x_session="quick") == "ann"
        assert await slow == "bob"
    monkeypatch.setattr("vision_agent.server.identification.IDENTIFY_WITHIN_S", 0.1)
    async with application(never) as app:
        late = await answered(app)
        assert (late.status_code, "in time" in late.json()["error"]) == (503, True)


async def test_an_application_that_knows_nothing_of_an_address_says_it_in_its_own_words():
    def identify(request):
        raise HTTPException(404, "There is no such shop.")

    async with application(identify) as app:
        assert (await answered(app)).json() == {"error": "There is no such shop."}


async def test_where_there_is_an_access_token_no_clients_word_counts():
    async with application(token="secret") as app:
        bearer = {"authorization": "Bearer secret"}
        assert await user_of(app, {"user": secrets.token_hex(16)}, **bearer) == ""
        assert await user_of(app, {"user": "alice"}, **bearer) == ""


async def test_a_client_with_the_access_token_speaks_for_its_users_by_tokens(monkeypatch):
    monkeypatch.setenv("VISION_AGENT_TOKEN", "secret")
    async with serving("--scenario", str(SILENT)) as server:
        for user in ("ann@example.com", None):
            asked = {"user": user} if user else None
            async with CallClient(server.url, token="secret", asked=asked) as call:
                resume = call._dialled._connection._resume
                assert resume.partition(".")[2] == (user or "")


async def test_a_login_proxy_names_the_caller_and_nobody_else_can(caplog):
    async with application(user_header="X-Remote-User") as app:
        assert await user_of(app, x_remote_user="alice") == "alice"
        assert await user_of(app, {"user": secrets.token_hex(16)}) == ""
        assert (await answered(app, x_remote_user="a" * 200)).status_code == 400
        # The header counts only from a trusted proxy.
        assert await user_of(app, address="192.0.2.1", x_remote_user="alice") == ""
        # An address that the ASGI server took from a caller's header makes it no proxy.
        app_behind = ProxyHeadersMiddleware(app, trusted_hosts="*")
        for said in ("127.0.0.1", "127.0.0.1:5", "[::1]:5"):
            spoofed = {"x_forwarded_for": said, "x_remote_user": "alice"}
            assert await user_of(app_behind, address="192.0.2.1", **spoofed) == ""
        assert "--no-proxy-headers" in caplog.text
    proxies = "10.0.0.0/8, ::1"
    async with application(user_header="X-Remote-User", trusted_proxies=proxies) as app:
        for address in ("10.1.2.3", "::ffff:10.1.2.3", "::1"):
            assert await user_of(app, address=address, x_remote_user="alice") == "alice"
        for address in ("127.0.0.1", "11.0.0.1", "testclient", ""):
            assert await user_of(app, address=address, x_remote_user="alice") == ""


async def test_the_token_of_a_conversation_and_the_id_of_a_call_are_of_no_use_to_another_user():
    def identify(request):
        return request.headers.get("x-session")

    async with application(identify) as app:
        peer, body = await offer()
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:

            async def post(user: str | None, **fields):
                headers = {"x-session": user} if user else {}
                return await http.post("/api/offer", json=body | fields, headers=headers)

            ann = (await post("ann")).json()
            for user in ("bob", None):
                taken = await post(user, requestData={"resume": ann["resume"]})
                assert not taken.json()["resumed"]
                assert taken.json()["resume"].partition(".")[2] == (user or "")
                assert (await post(user, pc_id=ann["pc_id"], restart_pc=True)).status_code == 404
                headers = {"x-session": user} if user else {}
                trickled = {"pc_id": ann["pc_id"], "candidates": []}
                for ask in (
                    http.patch("/api/offer", json=trickled, headers=headers),
                    http.delete(f"/api/offer/{ann['pc_id']}", headers=headers),
                ):
                    assert (await ask).status_code == 404
                assert app.state.registry.find(ann["pc_id"]), "its call goes on"
            assert (await post("ann", pc_id=ann["pc_id"], restart_pc=True)).status_code == 200
            own = {"x-session": "ann"}
            assert (await http.patch("/api/offer", json=trickled, headers=own)).is_success
            assert (await http.delete(f"/api/offer/{ann['pc_id']}", headers=own)).is_success
        await peer.close()


async def test_nameless_callers_share_nothing_that_they_teach_and_a_page_keeps_its_own(recordings):
    bottle = recordings / "bottle.mp4"

    async def ask(url: str, user: str | None, *lines: str) -> str:
        asked = {"modalities": "TEXT"} | ({"user": user} if user else {})
        async with CallClient(url, show=bottle, asked=asked) as call:
            answers = [(await call.type(line)).text for line in lines]
        return answers[-1]

    async with serving() as server:
        taught = await ask(server.url, None, "This is my bottle", "What do you know?")
        assert "bottle" in taught
        assert "bottle" not in await ask(server.url, None, "What do you know?")
        page = secrets.token_hex(16)
        await ask(server.url, page, "This is my bottle")
        await ask(server.url, None, "Forget everything")
        assert "bottle" in await ask(server.url, page, "What do you know?")
        assert "bottle" not in await ask(server.url, secrets.token_hex(16), "What do you know?")
