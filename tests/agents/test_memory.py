import asyncio
import secrets
import sqlite3
import threading
from pathlib import Path

import pytest
from google.adk.events.event import Event
from google.adk.memory.base_memory_service import BaseMemoryService
from google.adk.sessions.session import Session
from google.genai import types

from tests.conftest import serving
from tests.support.dialling import TEXT, Dialled
from tests.support.messages import said
from tests.support.waiting import until
from vision_agent import call_scope
from vision_agent.agents.line_search import MAX_FOUND, best_lines
from vision_agent.agents.memory import MemoryAway, MemoryFileError, SqliteMemoryService, words_of
from vision_agent.agents.memory_file import MAX_LINES
from vision_agent.agents.memory_recorder import MemoryRecorder
from vision_agent.live.events import (
    AgentInterrupted,
    AgentTranscript,
    AgentTurnComplete,
    AgentTurnPaused,
    UserTranscript,
)
from vision_agent.live.sessions.caller_identity import CallerIdentity

WHO = {"app_name": "app", "user_id": "caller"}


def line(author: str, text: str) -> Event:
    role = "user" if author == "user" else "model"
    return Event(
        id=Event.new_id(),
        author=author,
        content=types.Content(role=role, parts=[types.Part(text=text)]),
    )


def transcript(text: str, *, user: bool, finished: bool = True) -> Event:
    words = types.Transcription(text=text, finished=finished)
    return Event(
        id=Event.new_id(),
        author="user" if user else "agent",
        partial=not finished,
        **{"input_transcription" if user else "output_transcription": words},
    )


async def found(memories: SqliteMemoryService, query: str, **who: str) -> list[str]:
    response = await memories.search_memory(**{**WHO, **who}, query=query)
    return [entry.content.parts[0].text for entry in response.memories]


async def test_what_was_said_by_voice_is_found_by_its_words():
    memories = SqliteMemoryService()
    events = [
        transcript("my cat", user=True, finished=False),
        transcript("My cat is called Tiger.", user=True),
        transcript("What a fine name for a cat.", user=False),
        transcript("The weather was good.", user=True),
    ]
    session = Session(id="s", **WHO, events=events)
    await memories.add_session_to_memory(session)
    await memories.add_session_to_memory(session)  # a second time, as ADK allows
    assert await found(memories, "What is my cat's name?") == [
        "My cat is called Tiger.",
        "What a fine name for a cat.",
        "The weather was good.",
    ]
    assert await found(memories, "weather") == ["The weather was good."]
    assert await found(memories, "bicycles") == []


async def test_asked_for_nothing_in_particular_the_newest_lines_are_told():
    memories = SqliteMemoryService()
    await memories.add_events_to_memory(
        **WHO, events=[line("user", f"Line {n}.") for n in range(30)], session_id="s"
    )
    newest = await found(memories, "What did we talk about?")
    assert newest[-1] == "Line 29."
    assert len(newest) <= MAX_FOUND


async def test_nobody_is_told_what_somebody_else_said():
    memories = SqliteMemoryService()
    await memories.add_events_to_memory(**WHO, events=[line("user", "My secret.")], session_id="s")
    assert await found(memories, "secret", user_id="other") == []
    assert await found(memories, "secret", app_name="other") == []
    call_scope.enter("s", None)  # the present call, whose own lines are no memory yet
    assert await found(memories, "secret") == []
    call_scope.enter("now", None)
    assert await found(memories, "secret") == ["My secret."]


async def test_a_file_remembers_over_a_restart(tmp_path):
    path = tmp_path / "deep" / "memory.db"
    first = SqliteMemoryService(path)
    await first.add_events_to_memory(**WHO, events=[line("user", "I like pears.")], session_id="s")
    first.close()
    assert await found(SqliteMemoryService(path), "pears") == ["I like pears."]


async def test_what_is_older_than_it_is_to_be_kept_is_forgotten_at_the_start(tmp_path):
    path = tmp_path / "memory.db"
    old, new = line("user", "I liked pears."), line("user", "I like apples.")
    old.timestamp -= 10_000
    first = SqliteMemoryService(path)
    await first.add_events_to_memory(**WHO, events=[old, new], session_id="s")
    first.close()
    assert await found(SqliteMemoryService(path, keep_s=5_000), "") == ["I like apples."]


async def test_the_oldest_lines_of_a_talkative_caller_are_forgotten(tmp_path):
    path = tmp_path / "memory.db"
    memories = SqliteMemoryService(path)
    events = [line("user", f"Line {n}.") for n in range(MAX_LINES + 50)]
    await memories.add_events_to_memory(**WHO, events=events, session_id="s")
    memories.close()
    lines = sqlite3.connect(path).execute("SELECT text FROM lines ORDER BY id").fetchall()
    assert len(lines) == MAX_LINES
    assert lines[-1] == (f"Line {MAX_LINES + 49}.",)


async def test_a_file_of_an_earlier_version_keeps_its_callers_under_their_keys(tmp_path):
    """That version stored the users' names unhashed."""
    path = tmp_path / "memory.db"
    name = "0123456789abcdef0123456789abcdef"
    first = SqliteMemoryService(path)
    await first.add_events_to_memory(
        app_name="app", user_id=name, events=[line("user", "I like pears.")], session_id="s"
    )
    first.close()
    with sqlite3.connect(path) as old:
        old.execute("PRAGMA user_version = 0")
    for _ in range(2):  # the second start finds nothing to convert
        again = SqliteMemoryService(path)
        assert await found(again, "pears", user_id=name) == []
        key = CallerIdentity.claimed(name).user_id
        assert await found(again, "pears", user_id=key) == ["I like pears."]
        again.close()


def test_what_is_no_memory_file_is_refused_in_words(tmp_path: Path):
    path = tmp_path / "memory.db"
    path.write_text("Dear diary, this is no database at all, and longer than a header is.\n" * 9)
    with pytest.raises(MemoryFileError, match=r"memory\.db"):
        SqliteMemoryService(path)


def test_of_lines_that_fit_alike_the_newer_count():
    lines = [f"The key is in drawer {n}." for n in range(40)]
    assert 39 in best_lines(lines, "where is the key")
    assert 0 not in best_lines(lines, "where is the key")


async def test_only_final_words_are_remembered_and_those_that_were_cut_short():
    memories = SqliteMemoryService()
    recorder = MemoryRecorder(memories, app_name="app", user="caller", conversation="s")
    recorder.typed("Where is it?")
    for event in (
        UserTranscript("It is", final=False),
        UserTranscript("It is a pear.", final=True),
        AgentTranscript("Yes, a ", final=False, author="agent"),
        AgentTranscript("Yes, a pear.", final=True, author="agent"),
        AgentTurnComplete(),
        AgentTranscript("And pears are ", final=False, author="agent"),
        AgentInterrupted(),
        AgentTurnComplete(),
        AgentTranscript("Let me think.", final=True, author="agent"),
        AgentTurnPaused(),
        AgentTranscript("It is ", final=False, author="agent"),
        AgentTranscript("It is an apple.", final=True, author="agent"),
        AgentTurnComplete(),
        AgentTranscript("Apples are red.", final=True, author="agent"),
        AgentInterrupted(played="Apples …"),
        AgentTurnComplete(),
        AgentTranscript("Nobody heard this.", final=True, author="agent"),
        AgentInterrupted(played=""),
        AgentTurnComplete(),
        AgentTranscript("An answer that a typed line ", final=False, author="agent"),
    ):
        recorder.take(event)
    recorder.typed("Stop.")
    recorder.take(AgentInterrupted(played="An answer …"))
    await recorder.flush()
    assert await found(memories, "") == [
        "Where is it?",
        "It is a pear.",
        "Yes, a pear.",
        "And pears are",
        "Let me think. It is an apple.",
        "Apples …",
        "An answer …",
        "Stop.",
    ]


async def test_of_somebody_unknown_nothing_is_kept():
    memories = SqliteMemoryService()
    recorder = MemoryRecorder(memories, app_name="app", user="", conversation="s")
    recorder.typed("Where is it?")
    await recorder.flush()
    assert await found(memories, "", user_id="") == []


async def test_what_is_being_kept_when_a_call_ends_is_kept_before_it_is_over():
    kept = []
    may_keep = asyncio.Event()

    class Slow:
        async def add_events_to_memory(self, *, events, **_):
            await may_keep.wait()
            kept.extend(words_of(event) for event in events)

    recorder = MemoryRecorder(Slow(), app_name="app", user="ann", conversation="c")
    running = asyncio.create_task(recorder.run())
    recorder.typed("one")
    recorder.take(AgentTurnComplete())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    recorder.typed("two")
    running.cancel()
    ending = asyncio.create_task(recorder.flush())
    await asyncio.sleep(0)
    assert not ending.done()
    may_keep.set()
    await ending
    assert kept == ["one", "two"]


async def test_the_next_call_of_the_same_caller_knows_what_was_said_in_the_last(tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("""
        engine: false
        answers:
          - when: {words: my cat is called}
            say: A fine name.
          - when: {words: name of my cat}
            call: {name: load_memory, args: {query: cat}}
          - when: {tool: load_memory}
            say: "{status}"
    """)
    arguments = ("--scenario", str(scenario))

    async def ask(url: str, user: str | None, text: str, wanted: str) -> str:
        caller = Dialled(url, data=TEXT | ({"user": user} if user else {}))
        await caller.connect()
        caller.send("send-text", {"content": text})
        answer = await caller.wait_for(lambda m: bool(said(m)))
        assert wanted in said(answer)
        await caller.hang_up()
        return said(answer)

    async with serving(*arguments) as server:
        ann = secrets.token_hex(16)
        await ask(server.url, ann, "My cat is called Tiger.", "fine name")
        again = "What is the name of my cat?"
        assert "Tiger" in await ask(server.url, ann, again, "")
        assert "Tiger" not in await ask(server.url, secrets.token_hex(16), again, "")
        assert "Tiger" not in await ask(server.url, None, again, "")


async def test_a_memory_service_that_fails_in_any_way_costs_no_call_and_is_logged_once(caplog):
    class Failing(BaseMemoryService):
        async def add_session_to_memory(self, session) -> None:
            raise NotImplementedError

        async def add_events_to_memory(self, **what) -> None:
            raise KeyError("I said: my code is 4711")

        async def search_memory(self, **what):
            raise NotImplementedError

    recorder = MemoryRecorder(Failing(), app_name="app", user="ann", conversation="c")
    for _ in range(3):
        recorder.typed("my code is 4711")
        await recorder.flush()
    assert recorder.failures == 3
    assert caplog.text.count("can't be remembered: KeyError") == 1
    assert "4711" not in caplog.text


async def say(memories: SqliteMemoryService, *texts: str, session_id: str = "s") -> None:
    events = [line("user", text) for text in texts]
    await memories.add_events_to_memory(**WHO, events=events, session_id=session_id)


async def test_a_file_that_is_locked_is_waited_for_by_nobody_and_gets_everything_later(tmp_path):
    path = tmp_path / "memory.db"
    memories = SqliteMemoryService(path)
    await say(memories, "I like figs.")
    await until(lambda: memories.counts()["written"] == 1)
    memories._written._db.execute("PRAGMA busy_timeout = 50")
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    for number in range(20):
        await say(memories, f"I like pear number {number}.")
    await until(lambda: memories.counts()["errors"] > 1)
    assert memories.counts()["waiting"] == 20
    # Waiting lines are found like written ones.
    assert "I like pear number 19." in await found(memories, "number 19")
    assert "I like figs." in await found(memories, "figs")
    blocker.execute("ROLLBACK")
    await until(lambda: not memories.counts()["waiting"])
    assert memories.counts()["written"] == 21
    assert memories.counts()["dropped"] == 0
    memories.close()
    assert len(await found(SqliteMemoryService(path), "pear number")) == MAX_FOUND


async def test_of_what_a_file_does_not_take_for_long_the_oldest_is_dropped_and_counted(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("vision_agent.agents.memory.MAX_WAITING", 10)
    path = tmp_path / "memory.db"
    memories = SqliteMemoryService(path)
    memories._written._db.execute("PRAGMA busy_timeout = 50")
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    await say(memories, *(f"Line {n}." for n in range(25)))
    await until(lambda: memories.counts()["errors"] > 0)
    assert memories.counts()["dropped"] == 15
    blocker.execute("ROLLBACK")
    await until(lambda: not memories.counts()["waiting"])
    assert (memories.counts()["written"], memories.counts()["dropped"]) == (10, 15)
    assert (await found(memories, ""))[0] == "Line 15."
    memories.close()


@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_a_file_that_is_deleted_while_it_is_open_is_noticed_and_a_new_one_begun(
    tmp_path, caplog, how
):
    path = tmp_path / "memory.db"
    memories = SqliteMemoryService(path)
    await say(memories, "I like pears.")
    await until(lambda: memories.counts()["written"] == 1)
    other = SqliteMemoryService(tmp_path / "other.db")
    await say(other, "I like figs.")
    await until(lambda: other.counts()["written"] == 1)
    other.close()
    for beside in tmp_path.glob("memory.db*"):
        beside.unlink()
    if how == "replaced":
        (tmp_path / "other.db").rename(path)
    await say(memories, "I like plums.")
    await until(lambda: memories.counts()["written"] == 2)
    assert memories.counts()["errors"] == 1
    kept = ["I like figs."] if how == "replaced" else []
    assert await found(memories, "") == [*kept, "I like plums."]
    memories.close()
    assert await found(SqliteMemoryService(path), "") == [*kept, "I like plums."]
    assert "was deleted or replaced" in caplog.text
    assert path.stat().st_mode & 0o077 == 0


async def test_a_search_in_a_file_that_does_not_answer_is_given_up_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr("vision_agent.agents.memory.SEARCH_WITHIN_S", 0.1)
    memories = SqliteMemoryService(tmp_path / "memory.db")
    may_read = threading.Event()
    newest = memories._read.newest
    monkeypatch.setattr(
        memories._read, "newest", lambda *a, **k: may_read.wait(30) and newest(*a, **k)
    )
    try:
        for _ in range(3):
            with pytest.raises(MemoryAway, match="can't be looked up"):
                await found(memories, "pears")
        assert memories.counts()["errors"] == 3
        # The searches do not occupy the program's thread pool.
        async with asyncio.timeout(5):
            await asyncio.to_thread(lambda: None)
    finally:
        may_read.set()
    await say(memories, "I like pears.")
    await until(lambda: memories._searching == 0)
    assert await found(memories, "pears") == ["I like pears."]
    memories.close()


def test_a_file_that_can_not_be_used_names_the_way_out(tmp_path: Path):
    (tmp_path / "memory.db").mkdir()
    with pytest.raises(MemoryFileError, match="VISION_AGENT_MEMORY"):
        SqliteMemoryService(tmp_path / "memory.db")
