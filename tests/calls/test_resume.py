"""A caller who comes back continues the same conversation, whatever has happened."""

import asyncio
import os
import signal
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import pytest

from tests.conftest import serving
from tests.support.dialling import TEXT, Dialled, killable
from tests.support.footprint import footprint, settled
from tests.support.messages import said, state
from tests.support.metrics import until_metric
from tests.support.scenarios import SILENT, TONES
from tests.support.serving_here import serving_here
from tests.support.waiting import until
from vision_agent import Settings, create_app


@asynccontextmanager
async def calling(url: str, data: dict | None = None, **options):
    caller = Dialled(url, data=data)
    await caller.connect(**options)
    try:
        yield caller
    finally:
        await caller.peer.close()


async def asks(caller: Dialled, text: str) -> str:
    """Type a question and wait for its whole answer."""
    before = len(caller.messages)

    def is_new(message: dict) -> bool:
        return any(message is m for m in caller.messages[before:])

    caller.send("send-text", {"content": text})
    answer = await caller.wait_for(lambda m: is_new(m) and bool(said(m)))
    await caller.wait_for(lambda m: is_new(m) and kind(m) == "turn_complete")
    return said(answer)


def kind(message: dict) -> str | None:
    return (message.get("data") or {}).get("kind")


async def told_earlier(caller: Dialled) -> list[dict]:
    return (await caller.wait_for(lambda m: kind(m) == "resumed"))["data"]["earlier"]


# The local Live API knows the number of a turn only from the replayed history.
COUNTING = """
engine: false
answers:
  - {when: {turn: 1}, say: One.}
  - {when: {turn: 2}, say: Two.}
"""


WAITING, WRITTEN = (f'session_events{{state="{state}"}}' for state in ("waiting", "written"))


@pytest.fixture
def database(tmp_path):
    return ("--session-db", f"sqlite:///{tmp_path}/sessions.db")


@pytest.fixture
def counting(tmp_path, database):
    """Arguments for a server whose agent says which turn of the conversation it is."""
    scenario = tmp_path / "counting.yaml"
    scenario.write_text(COUNTING)
    return (*database, "--scenario", str(scenario))


async def test_a_conversation_goes_on_after_the_server_was_killed(counting):
    async with serving(*counting) as server, calling(server.url) as caller:
        assert caller.answer["resumed"] is False
        assert await asks(caller, "the first") == "One."
        await until_metric(server.url, WAITING, lambda events: events == 0)
        os.kill(server.pid, signal.SIGKILL)
    async with (
        serving(*counting) as server,
        calling(server.url, resume=caller.answer["resume"]) as again,
    ):
        assert again.answer["resumed"] is True
        earlier = await told_earlier(again)
        assert [line["who"] for line in earlier] == ["user", "agent"]
        assert [line["text"] for line in earlier] == ["the first", "One."]
        await again.wait_for(lambda m: state(m) == "listening")
        # The first question is not answered again: the next answer is the second one's.
        assert await asks(again, "the second") == "Two."
        assert not any(kind(m) == "interrupted" for m in again.messages)


async def test_a_question_that_a_kill_left_open_is_answered_when_the_caller_is_back(
    database, tmp_path
):
    scenario = tmp_path / "slow.yaml"
    scenario.write_text(
        "engine: false\n"
        "answers:\n"
        "  - when: {words: first}\n    think_s: 60\n    say: Too late.\n    times: 1\n"
        "otherwise: {say: Here is your answer.}\n"
    )
    async with (
        serving(*database, "--scenario", str(scenario)) as server,
        calling(server.url) as caller,
    ):
        caller.send("send-text", {"content": "my first question"})
        await caller.wait_for(lambda m: state(m) == "thinking")
        await until_metric(server.url, WRITTEN, lambda events: events > 0)
        os.kill(server.pid, signal.SIGKILL)
    scenario.write_text("engine: false\notherwise: {say: Here is your answer.}\n")
    async with (
        serving(*database, "--scenario", str(scenario)) as server,
        calling(server.url, resume=caller.answer["resume"]) as again,
    ):
        await again.wait_for(lambda m: said(m) == "Here is your answer.")


async def test_a_caller_who_was_gone_goes_on_with_the_models_own_session(counting):
    """On the handle, if the session still exists: the history is not told again."""
    async with serving(*counting) as server:
        async with calling(server.url) as caller:
            assert await asks(caller, "the first") == "One."
            await caller.hang_up()
        async with calling(server.url, resume=caller.answer["resume"]) as again:
            assert len(await told_earlier(again)) == 2
            assert await asks(again, "the second") == "Two."


async def test_the_newer_of_two_callers_takes_over_and_the_older_is_told_why(counting):
    async with serving(*counting, "--max-calls", "1") as server, calling(server.url) as older:
        assert await asks(older, "the first") == "One."
        async with calling(server.url, resume=older.answer["resume"]) as newer:
            ended = await older.wait_for(lambda m: state(m) == "ended")
            assert "another connection" in ended["data"]["reason"]
            assert not ended["data"]["come_back"]
            assert await asks(newer, "the second") == "Two."
            assert (await asyncio.to_thread(footprint, server)).calls == 1


async def test_of_two_that_come_back_at_once_one_gets_the_conversation(counting):
    async with serving(*counting) as server:
        async with calling(server.url) as caller:
            await asks(caller, "hello")
            token = caller.answer["resume"]
            await caller.hang_up()
        both = Dialled(server.url), Dialled(server.url)
        answers = await asyncio.gather(*(one.offer(resume=token) for one in both))
        assert all(answer["resumed"] for answer in answers)
        assert (await asyncio.to_thread(footprint, server)).calls == 1


async def test_only_the_token_continues_a_conversation(counting):
    async with serving(*counting) as server:
        async with calling(server.url) as caller:
            await asks(caller, "hello")
            token, pc_id = caller.answer["resume"], caller.pc_id
            assert len(token) >= 43
            assert token != pc_id
            await caller.hang_up()
        for wrong in (pc_id, token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B")):
            async with calling(server.url, resume=wrong) as stranger:
                assert stranger.answer["resumed"] is False
                assert stranger.answer["resume"] not in (wrong, token)
                await stranger.hang_up()
        for nonsense in (7, "", "x" * 1000):
            with pytest.raises(urllib.error.HTTPError) as refused:
                await Dialled(server.url).offer(resume=nonsense)
            assert refused.value.code == 400
        async with calling(server.url, resume=token) as owner:
            assert owner.answer["resumed"] is True


async def test_an_answer_goes_on_where_it_was_on_a_new_peer_connection(tmp_path):
    words = "A tone for every letter of this. " * 3
    scenario = tmp_path / "tones.yaml"
    scenario.write_text(f'engine: false\nvoice: tone\notherwise: {{say: "{words}"}}\n')
    async with serving("--scenario", str(scenario)) as server, calling(server.url) as caller:
        caller.send("send-text", {"content": "hello"})
        await caller.wait_for(lambda m: m["type"] == "bot-started-speaking")
        async with calling(server.url, restart=caller.pc_id) as again:
            assert again.pc_id == caller.pc_id
            await again.wait_for(lambda m: m["type"] == "bot-stopped-speaking")
            whole_s = 0.06 * len(words.strip())
            # A second of sound was waiting to be played; only packets on the way are lost.
            assert 0.02 * (sum(caller.voiced) + sum(again.voiced)) > whole_s - 0.4


async def test_a_caller_that_vanishes_is_noticed_and_its_model_session_closed():
    """At the default setting: nothing here waits but for the server."""
    async with serving("--scenario", str(SILENT)) as server:
        process = await killable(server.url)
        process.kill()
        await process.wait()
        began = asyncio.get_running_loop().time()
        now = await settled(server)
        print(f"noticed after {asyncio.get_running_loop().time() - began:.1f} s")
        assert (now.calls, now.model_sessions) == (0, 0)


IN_TONES = ("--scenario", str(TONES))


async def cut_short(url: str) -> Dialled:
    """A caller who has begun to hear a long answer."""
    caller = Dialled(url)
    await caller.connect()
    caller.send("send-text", {"content": "what can you do?"})
    await caller.wait_for(lambda m: state(m) == "speaking")
    await until(lambda: sum(caller.voiced) >= 40)
    return caller


async def test_who_hangs_up_on_an_answer_is_not_told_it_again(database):
    async with serving(*database, *IN_TONES) as server:
        caller = await cut_short(server.url)
        await caller.hang_up()
        async with calling(server.url, resume=caller.answer["resume"]) as again:
            earlier = await told_earlier(again)
            assert [line["who"] for line in earlier] == ["user", "agent"]
            await again.wait_for(lambda m: state(m) == "listening")
            # The agent says nothing before the answer to the next question.
            answer = await asks(again, "hello")
            assert "Hello" in answer
            assert [said(m) for m in again.messages if said(m)] == [answer]


async def test_who_lost_the_line_in_an_answer_is_given_it_when_they_are_back(database):
    async with serving(*database, *IN_TONES) as server:
        caller = await cut_short(server.url)
        await until_metric(server.url, WAITING, lambda events: events == 0)
        os.kill(server.pid, signal.SIGKILL)
    async with (
        serving(*database, *IN_TONES) as server,
        calling(server.url, TEXT, resume=caller.answer["resume"]) as again,
    ):
        await again.wait_for(lambda m: "offline" in (said(m) or ""))


async def test_who_is_asked_to_come_back_in_an_answer_is_given_it_again(tmp_path):
    settings = Settings(
        _env_file=None, scenario=TONES, session_db=f"sqlite:///{tmp_path}/sessions.db"
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app), serving_here(app) as url:
        caller = await cut_short(url)
        await app.state.registry.close("the server is restarting", come_back=True)
        await caller.peer.close()
        async with calling(url, TEXT, resume=caller.answer["resume"]) as again:
            assert [line["who"] for line in await told_earlier(again)] == ["user"]
            await again.wait_for(lambda m: "offline" in (said(m) or ""))
