"""By which names callers are known, and that nobody can be somebody else by guessing."""

import hashlib
import secrets
import uuid

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import serving
from tests.support.dialling import Dialled
from tests.support.messages import said
from tests.support.offers import offer
from tests.support.scenarios import SILENT
from vision_agent import CallClient
from vision_agent.agents.caller_key import BadName, GuessableName, claimed_caller, vouched_caller


@pytest.fixture
def http_offer():
    """Posts an offer of a real peer; the status, and what was answered."""

    async def post(url: str, data: dict | None, headers: dict | None = None) -> tuple[int, dict]:
        peer, body = await offer()
        async with httpx.AsyncClient(base_url=url, headers=headers) as http:
            response = await http.post("/api/offer", json=body | {"requestData": data})
            answer = response.json()
            if response.status_code == 200:
                await http.delete(f"/api/offer/{answer['pc_id']}")
        await peer.close()
        return response.status_code, answer

    return post


@pytest.mark.parametrize(
    "name",
    [
        "ann",
        "ann@example.com",
        "a" * 32,
        "0" * 31 + "1",
        "Jürgen",
        "x" * 40,
        "a b",
        "12345678-1234",
        "٣",
    ],
)
def test_a_name_that_can_be_guessed_is_refused_unless_the_client_is_vouched_for(name):
    with pytest.raises(GuessableName, match="can be guessed"):
        claimed_caller(name, vouched=False)
    assert claimed_caller(name, vouched=True)


@given(st.binary(min_size=16, max_size=16))
def test_random_ids_are_taken(seed):
    name = hashlib.sha256(seed).hexdigest()[:32]
    assert claimed_caller(name, vouched=False)
    assert claimed_caller(str(uuid.UUID(name)), vouched=False)


@pytest.mark.parametrize("name", [5, ["a"], {"a": 1}, "a" * 101, "x\n", "\x00" * 40, True])
@pytest.mark.parametrize("vouched", [True, False])
def test_what_is_no_name_is_refused(name, vouched):
    with pytest.raises(BadName, match="at most 100 printable characters"):
        claimed_caller(name, vouched=vouched)


def test_who_says_nothing_is_unknown():
    assert claimed_caller(None, vouched=False) == claimed_caller("", vouched=True) == ""


def test_a_key_shows_nothing_of_the_name_and_a_proxys_names_are_others_than_claimed_ones():
    secret = secrets.token_hex(16)
    keys = {claimed_caller(secret, vouched=False), vouched_caller(secret)}
    assert len(keys) == 2
    assert secret not in "".join(keys)
    assert claimed_caller(secret, vouched=True) in keys


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
    """One call in which something is kept: what was kept before, and the conversation's token."""
    caller = Dialled(url, data=data)
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
        # A conversation that is continued is still the same caller's.
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


async def test_the_servers_token_vouches_for_names(monkeypatch, http_offer):
    monkeypatch.setenv("VISION_AGENT_TOKEN", "secret")
    async with serving("--scenario", str(SILENT)) as server:
        bearer = {"Authorization": "Bearer secret"}
        status, answer = await http_offer(server.url, {"user": "alice"}, bearer)
        assert status == 200
        # The token of the conversation says whose it is.
        assert answer["resume"].endswith("." + claimed_caller("alice", vouched=True))


async def test_a_login_proxy_names_the_caller_and_nobody_else_can(monkeypatch, http_offer):
    monkeypatch.setenv("VISION_AGENT_USER_HEADER", "X-Remote-User")
    async with serving("--scenario", str(SILENT)) as server:
        named = await http_offer(server.url, None, {"X-Remote-User": "alice"})
        assert named[0] == 200
        assert named[1]["resume"].endswith("." + vouched_caller("alice"))
        claimed = await http_offer(server.url, {"user": "alice"})
        assert "." not in claimed[1]["resume"]
        nonsense = await http_offer(server.url, None, {"X-Remote-User": "a" * 200})
        assert nonsense[0] == 400
    monkeypatch.setenv("VISION_AGENT_TRUSTED_PROXIES", "10.0.0.1")
    async with serving("--scenario", str(SILENT)) as server:
        # Who is no proxy is not listened to: the header counts for nothing.
        ignored = await http_offer(server.url, None, {"X-Remote-User": "a" * 200})
        assert ignored[0] == 200
        assert "." not in ignored[1]["resume"]


async def test_nameless_callers_share_nothing_that_they_teach_and_a_page_keeps_its_own(
    recordings, few_frames
):
    bottle = recordings / "bottle.mp4"

    async def ask(url: str, user: str | None, *lines: str) -> str:
        asked = {"user": user} if user else None
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
