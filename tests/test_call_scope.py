"""Code that runs for a call finds that call, and no other."""

import asyncio

from vision_agent import call_scope
from vision_agent.live.model_scope import ModelScope, model_scope


async def test_tasks_that_a_call_starts_find_their_own_call() -> None:
    async def seen() -> tuple[str, object, str]:
        scope = call_scope.current()
        return scope.call_id, scope.tool_context, model_scope().user_id

    async def call(name: str) -> tuple[str, object, str]:
        call_scope.enter(name, f"{name}'s tools")
        call_scope.enter_model_side(ModelScope(user_id=f"{name}'s user"))
        return await asyncio.create_task(seen())

    assert await asyncio.gather(call("one"), call("two")) == [
        ("one", "one's tools", "one's user"),
        ("two", "two's tools", "two's user"),
    ]
    assert await seen() == ("", None, "")


async def test_the_tools_end_whose_calls_the_model_cancels_and_the_observer_is_notified() -> None:
    cancelled = []

    class Both:
        def cancel(self, call_ids: list[str]) -> None:
            cancelled.append(("tools", call_ids))

        def cancelled(self, call_ids: list[str]) -> None:
            cancelled.append(("observer", call_ids))

        def unanswered(self, why: str) -> None: ...

    both = Both()
    ModelScope(observer=both, tools=both).connection_observer.cancelled(["a"])
    assert cancelled == [("tools", ["a"]), ("observer", ["a"])]
