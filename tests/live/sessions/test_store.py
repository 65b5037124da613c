"""Conversations that outlive their call, and their process; in SQLite and in a real PostgreSQL."""

import asyncio
import sqlite3

import pytest
from google.adk.events.event import Event
from google.genai import types

from tests.live.sessions.stores import (
    APP,
    answered,
    happens,
    key,
    key_of,
    opened,
    said,
    turn_end,
    typed,
)
from tests.support.waiting import until
from vision_agent.data_folder import DatabaseError
from vision_agent.live.sessions.history import ConversationLine
from vision_agent.live.sessions.store import make_store


async def test_a_conversation_goes_on_in_another_process(url):
    async with opened(url) as first:
        begun = await first.begin(None)
        assert not begun.resumed
        await happens(first, begun, typed("my name is Ada", name="Ada"), answered("Hello Ada."))
        begun.keep("handle-1")
        first.end(begun)
    async with opened(url) as second:
        again = await second.begin(begun.token)
        assert again.resumed
        assert again.session_id == begun.session_id
        assert again.earlier == [
            ConversationLine("user", "my name is Ada"),
            ConversationLine("agent", "Hello Ada."),
        ]
        assert again.take() == "handle-1"
        assert again.take() is None
        session = await second.get_session(**key(again))
        assert session.state == {"name": "Ada"}
        await happens(second, again, typed("and now?"))
        second.end(again)
    async with opened(url) as third:
        assert len((await third.begin(begun.token)).earlier) == 3


async def test_servers_that_start_at_once_on_a_new_database_all_start(url):
    stores = [make_store(APP, url=url, resume_within_s=600, keep_s=86_400) for _ in range(6)]
    try:
        await asyncio.gather(*(store.start(lambda _session_id: None) for store in stores))
        begun = await stores[0].begin(None)
        stores[0].end(begun)
    finally:
        for store in stores:
            await store.close()


async def test_what_was_shown_is_not_kept_and_what_was_said_about_it_is(url):
    image = types.Blob(data=b"\xff\xd8\xff" * 10_000, mime_type="image/jpeg")
    question = types.Content(
        role="user", parts=[types.Part(inline_data=image), types.Part(text="What is this?")]
    )
    call = types.FunctionCall(id="1", name="look")
    beside = types.FunctionResponsePart.from_bytes(data=image.data, mime_type="image/jpeg")
    result = types.FunctionResponse(id="1", name="look", response={"seen": 1}, parts=[beside])
    asked = types.Content(role="model", parts=[types.Part(function_call=call)])
    given = types.Content(role="user", parts=[types.Part(function_response=result)])
    async with opened(url) as first:
        begun = await first.begin(None)
        events = [
            Event(author="user", content=question),
            Event(author="agent", content=asked),
            Event(author="agent", content=given),
        ]
        await happens(first, begun, *events)
        assert question.parts[0].inline_data is image, "what is sent has its picture"
        in_memory = await first.get_session(**key(begun))
        assert len(in_memory.model_dump_json()) < 10_000
        first.end(begun)
    async with opened(url) as second:
        again = await second.begin(begun.token)
        session = await second.get_session(**key(again))
        assert len(session.model_dump_json()) < 10_000
        assert again.earlier == [ConversationLine("user", "What is this?")]
        (kept,) = [r for event in session.events for r in event.get_function_responses()]
        assert (kept.response, kept.parts) == ({"seen": 1}, None)


async def test_a_conversation_is_there_after_its_process_was_killed(url):
    """What waits is written at once, not at the end."""
    killed = make_store(APP, url=url, resume_within_s=600, keep_s=86_400)
    await killed.start()
    try:
        begun = await killed.begin(None)
        await happens(killed, begun, said("hello"), answered("Hi."))
        begun.keep("handle-2")
        assert await killed.write_behind.flush(10)
        async with opened(url) as next_one:
            again = await next_one.begin(begun.token)
            assert [line.text for line in again.earlier] == ["hello", "Hi."]
            assert again.take() == "handle-2"
    finally:
        await killed.close()


async def test_two_processes_on_one_conversation_the_older_is_told_and_nothing_is_mixed(url):
    taken = []
    async with opened(url, on_taken=taken.append) as older, opened(url) as newer:
        begun = await older.begin(None)
        await happens(older, begun, said("one"))
        assert await older.write_behind.flush(10)
        again = await newer.begin(begun.token)
        await happens(newer, again, said("two"))
        assert await newer.write_behind.flush(10)
        await happens(older, begun, said("lost"), said("lost too"))
        assert await older.write_behind.flush(10)
        assert taken == [begun.session_id]
        older.end(begun)
        newer.end(again)
    async with opened(url) as reader:
        assert [line.text for line in (await reader.begin(begun.token)).earlier] == ["one", "two"]


async def test_a_database_that_goes_away_never_holds_up_a_call_and_gets_everything_later(tmp_path):
    path = tmp_path / "sessions.db"
    async with opened(f"sqlite:///{path}") as store:
        begun = await store.begin(None)
        await happens(store, begun, said("before"))
        assert await store.write_behind.flush(10)
        store._database._engine.sync_engine.dispose()
        # Locked as by a backup or another process, for longer than SQLite waits.
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        began = asyncio.get_running_loop().time()
        await happens(store, begun, *(said(f"line {n}") for n in range(50)))
        assert asyncio.get_running_loop().time() - began < 5  # SQLite's own timeouts
        assert not await store.write_behind.flush(0.2)
        await until(lambda: store.counts()["errors"])
        blocker.execute("ROLLBACK")
        blocker.close()
        assert await store.write_behind.flush(30)
        assert store.counts()["dropped"] == 0
        store.end(begun)
    async with opened(f"sqlite:///{path}") as reader:
        assert len((await reader.begin(begun.token)).earlier) == 51


async def test_postgresql_may_be_restarted_in_mid_call(cluster):
    async with opened(cluster.url) as store:
        begun = await store.begin(None)
        await happens(store, begun, said("before"))
        assert await store.write_behind.flush(10)
        cluster.stop()
        try:
            await happens(store, begun, said("meanwhile"))
            await until(lambda: store.counts()["errors"])
        finally:
            cluster.start()
        assert await store.write_behind.flush(60)
        await happens(store, begun, said("after"))
        store.end(begun)
    async with opened(cluster.url) as reader:
        earlier = (await reader.begin(begun.token)).earlier
        assert [line.text for line in earlier] == ["before", "meanwhile", "after"]


async def test_a_database_that_cannot_be_read_begins_a_new_conversation(cluster):
    async with opened(cluster.url) as store:
        cluster.stop()
        try:
            begun = await store.begin("some token of another process")
            assert not begun.resumed
            assert store.counts()["errors"] == 1
        finally:
            cluster.start()


async def test_handles_counts_and_pieces_do_not_fill_the_history(url):
    async with opened(url) as store:
        begun = await store.begin(None)
        update = types.LiveServerSessionResumptionUpdate(new_handle="h", resumable=True)
        usage = types.GenerateContentResponseUsageMetadata(prompt_token_count=1)
        piece = types.Transcription(text="Hel", finished=False)
        noise = [
            Event(author="agent", live_session_resumption_update=update),
            Event(author="agent", usage_metadata=usage),
            Event(author="agent", output_transcription=piece, partial=True),
        ]
        await happens(store, begun, said("hi"), *noise, answered("Hello."), turn_end(), *noise)
        session = await store.get_session(**key(begun))
        assert len(session.events) == 3
        store.end(begun)
    async with opened(url) as reader:
        again = await reader.begin(begun.token)
        session = await reader.get_session(**key(again))
        assert len(session.events) == 3


async def test_a_conversation_of_which_nothing_was_said_leaves_nothing(url):
    async with opened(url) as store:
        begun = await store.begin(None)
        store.end(begun)
        assert not (await store.begin(begun.token)).resumed
        assert store.counts()["written"] == 0


async def test_who_is_late_begins_anew_and_what_is_old_is_deleted(tmp_path):
    url = f"sqlite:///{tmp_path}/sessions.db"
    now = 1_000_000_000.0
    options = {"resume_within_s": 600, "keep_s": 86_400}
    async with opened(url) as store:
        store._clock = store.write_behind._clock = lambda: now
        begun = await store.begin(None)
        event = said("hello")
        event.timestamp = now
        await happens(store, begun, event)
        store.end(begun)
        assert await store.write_behind.flush(10)
        now += 599
        again = await store.begin(begun.token)
        assert again.resumed
        store.end(again)
        assert await store.write_behind.flush(10)
        now += 601
        assert not (await store.begin(begun.token)).resumed
    async with opened(url, **options) as later:  # at the real time: years after
        left = await later._database.load(key_of(begun), newest=10)
    assert left is None


async def test_without_a_database_a_conversation_is_continued_in_the_same_process():
    async with opened(None) as store:
        begun = await store.begin(None)
        await happens(store, begun, said("hello"))
        store.end(begun)
        again = await store.begin(begun.token)
        assert again.resumed
        assert [line.text for line in again.earlier] == ["hello"]


async def test_the_id_of_a_session_does_not_open_it(tmp_path):
    async with opened(f"sqlite:///{tmp_path}/sessions.db") as store:
        begun = await store.begin(None)
        await happens(store, begun, said("hello"))
        store.end(begun)
        assert not (await store.begin(begun.session_id)).resumed
        assert (await store.begin(begun.token)).resumed
    assert begun.token.encode() not in (tmp_path / "sessions.db").read_bytes()


async def test_a_silent_call_is_marked_as_in_use_however_much_the_others_say(url, monkeypatch):
    monkeypatch.setattr("vision_agent.live.sessions.write_behind.TOUCH_EVERY_S", 0.1)
    async with opened(url) as store:
        silent, busy = await store.begin(None), await store.begin(None)
        await happens(store, silent, said("hello"))
        silent.keep("handle")
        assert await store.write_behind.flush(10)
        at = (await store._database.load(key_of(silent), newest=1)).touched_at
        async with asyncio.timeout(30):
            while (await store._database.load(key_of(silent), newest=1)).touched_at == at:
                # The writer always has records waiting.
                await happens(store, busy, *(said(f"line {n}") for n in range(20)))


@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_a_file_that_is_deleted_under_a_running_server_is_noticed(tmp_path, caplog, how):
    path = tmp_path / "sessions.db"
    async with opened(f"sqlite:///{tmp_path}/other.db"):
        pass
    async with opened(f"sqlite:///{path}") as store:
        begun = await store.begin(None)
        await happens(store, begun, said("before"))
        assert await store.write_behind.flush(10)
        for beside in tmp_path.glob("sessions.db*"):
            beside.unlink()
        if how == "replaced":
            (tmp_path / "other.db").rename(path)
        await happens(store, begun, said("after"), answered("Yes."))
        begun.keep("handle")
        assert await store.write_behind.flush(10)
        assert store.counts()["errors"] == 1
        store.end(begun)
    assert caplog.text.count("was deleted or replaced") == 1
    assert path.stat().st_mode & 0o077 == 0
    async with opened(f"sqlite:///{path}") as reader:
        again = await reader.begin(begun.token)
        assert [line.text for line in again.earlier] == ["after", "Yes."]
        assert again.take() == "handle"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "no URL of a database"),
        ("fancysql://u:secret@host/db", "fancysql"),
        ("sqlite:////proc/nowhere/sessions.db", "/proc/nowhere/sessions.db can't be used"),
        ("postgresql://u:secret@127.0.0.1:9/db", "127.0.0.1:9/db can't be used"),
    ],
)
async def test_a_database_that_cannot_be_used_is_said_in_words(url, words):
    with pytest.raises(DatabaseError) as caught:
        await make_store(APP, url=url, resume_within_s=600, keep_s=86_400).check()
    assert words in str(caught.value)
    assert "memory" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_file_that_is_no_database_is_said_in_words(tmp_path):
    broken = tmp_path / "sessions.db"
    broken.write_bytes(b"this is no database" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        await make_store(APP, url=f"sqlite:///{broken}", resume_within_s=600, keep_s=86_400).check()
