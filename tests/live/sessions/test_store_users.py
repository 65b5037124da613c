"""The data of users that outlives their conversations."""

from tests.live.sessions.stores import APP, happens, key, opened, typed
from vision_agent.live.sessions.store import MAX_USERS, SessionLease, SessionStore


async def remember(store: SessionStore, conversation: SessionLease, **state: object) -> None:
    await happens(store, conversation, typed("hello", **{f"user:{k}": v for k, v in state.items()}))


async def state_of(store: SessionStore, conversation: SessionLease) -> dict:
    session = await store.get_session(**key(conversation))
    return {k: v for k, v in session.state.items() if k.startswith("user:")}


ANN, BOB = "a" * 31 + "1", "b" * 31 + "2"


async def test_what_an_agent_keeps_of_a_user_is_that_users_alone(url):
    async with opened(url) as store:
        ann, unknown = await store.begin(None, ANN), await store.begin(None)
        await remember(store, ann, name="Ann")
        await remember(store, unknown, name="Nobody")
        assert await state_of(store, await store.begin(None, ANN)) == {"user:name": "Ann"}
        assert await state_of(store, await store.begin(None, BOB)) == {}
        assert await state_of(store, await store.begin(None)) == {}
        store.end(ann)
        store.end(unknown)
        assert await store.write_behind.flush(10)
        again = await store.begin(unknown.token)
        assert (again.user_id, again.known) == (unknown.user_id, False)
        assert await state_of(store, again) == {"user:name": "Nobody"}
    async with opened(url) as restarted:
        assert await state_of(restarted, await restarted.begin(None, ANN)) == {"user:name": "Ann"}
        assert await state_of(restarted, await restarted.begin(None, BOB)) == {}


async def test_a_continued_conversation_stays_the_user_s_who_began_it(url):
    async with opened(url) as store:
        ann = await store.begin(None, ANN)
        await remember(store, ann, name="Ann")
        store.end(ann)
        assert await store.write_behind.flush(10)
        for caller in ("", BOB, ANN):
            again = await store.begin(ann.token, caller)
            assert (again.resumed, again.user_id) == (True, ANN)
            store.end(again)
            assert await store.write_behind.flush(10)


async def test_a_token_with_another_users_key_in_it_is_void(url):
    async with opened(url) as store:
        ann = await store.begin(None, ANN)
        await remember(store, ann, name="Ann")
        store.end(ann)
        assert await store.write_behind.flush(10)
        secret = (await store.begin(None)).token
        for forged in (f"{secret}.{ANN}", ann.token.replace(ANN, BOB), f".{ANN}", "." + ann.token):
            begun = await store.begin(forged, BOB)
            assert (begun.resumed, begun.user_id) == (False, BOB)


async def test_of_users_who_are_gone_no_more_is_kept_in_memory_than_is_allowed():
    async with opened(None) as store:
        for number in range(MAX_USERS + 20):
            for user in (f"{number:032x}", ""):
                conversation = await store.begin(None, user)
                await remember(store, conversation, number=number)
                store.end(conversation)
                store._drop(conversation.session_id, conversation.user_id)
        assert len(store.user_state[APP]) == MAX_USERS
        newest = await store.begin(None, f"{MAX_USERS + 19:032x}")
        assert await state_of(store, newest) == {"user:number": MAX_USERS + 19}
