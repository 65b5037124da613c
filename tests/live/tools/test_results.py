"""The results of tools as JSON: every model can read them, or the tool has failed in words."""

import asyncio
import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import uuid

import numpy as np
import pytest
from google.adk.events.event import Event
from google.adk.models.llm_request import LlmRequest
from google.adk.plugins.base_plugin import BasePlugin
from google.adk.tools.function_tool import FunctionTool
from google.genai import types
from pydantic import BaseModel

from tests.live.tools.talking import WAITING, talking
from tests.support.waiting import until
from vision_agent.live.tools.background import BackgroundTools, ToolLimits
from vision_agent.live.tools.results import MAX_RESULT_CHARS, NoResult, as_json
from vision_agent.live.tools.threads import ToolThreads


class Shelf(BaseModel):
    """What a tool of an application may return."""

    number: int = 3


@dataclasses.dataclass
class Price:
    """The same as a dataclass."""

    euros: decimal.Decimal


class Colour(enum.Enum):
    """An enumeration."""

    RED = "red"


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (None, None),
        (True, True),
        ({"found": [1, 2.5, "three", None]}, {"found": [1, 2.5, "three", None]}),
        (datetime.date(2026, 11, 27), "2026-11-27"),
        (decimal.Decimal("3.20"), "3.20"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.Path("a"), "a"),
        (Colour.RED, "red"),
        (Shelf(), {"number": 3}),
        ({"price": Price(decimal.Decimal(2))}, {"price": {"euros": "2"}}),
        ({1: "a", Colour.RED: "b"}, {"1": "a", "Colour.RED": "b"}),
        ({7}, [7]),
        ((1, (2,)), [1, [2]]),
        (float("nan"), "nan"),
        ({"far": float("inf")}, {"far": "inf"}),
        ("half \ud83d of a sign", "half ? of a sign"),
        (b"\xff\x00", "_wA="),
        (np.float32(0.5), 0.5),
        (np.arange(3), [0, 1, 2]),
        ({"n": np.int64(4)}, {"n": 4}),
    ],
)
def test_what_applications_return_becomes_json(returned, told) -> None:
    plain = as_json("search", returned)
    assert plain == told
    assert json.loads(json.dumps(plain, allow_nan=False)) == told


def test_files_stay_for_adk_to_send_beside_the_result() -> None:
    picture = types.Part.from_bytes(data=b"jpeg", mime_type="image/jpeg")
    assert as_json("look", {"picture": picture})["picture"] is picture
    answered = types.FunctionResponse(
        response={"at": datetime.date(2026, 1, 2)}, will_continue=True
    )
    changed = as_json("look", answered)
    assert (changed.response, changed.will_continue) == ({"at": "2026-01-02"}, True)


def inside_itself() -> dict:
    loop: dict = {}
    loop["again"] = loop
    return loop


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        (object(), "object is no JSON"),
        ({"rows": (row for row in "ab")}, "generator is no JSON"),
        (lambda: 1, "function is no JSON"),
        (inside_itself(), "inside itself"),
        pytest.param(10**5000, "too many digits", id="a number too long to write"),
    ],
)
def test_what_is_no_json_is_refused_with_the_reason_as_its_cause(returned, why) -> None:
    with pytest.raises(NoResult, match="search has returned what can't be told") as refused:
        as_json("search", returned)
    assert why in str(refused.value.__cause__)


def test_too_much_for_a_model_is_refused_with_how_much_it_was() -> None:
    as_json("search", "x" * (MAX_RESULT_CHARS - 2))
    with pytest.raises(NoResult, match=f"has returned {MAX_RESULT_CHARS + 1} characters"):
        as_json("search", "x" * (MAX_RESULT_CHARS - 1))


UNTELLABLE = {"error": "The tool search has returned what can't be told to a model."}


@pytest.mark.parametrize("asked_with", [(), ("slot",)])
async def test_each_result_of_a_streaming_tool_becomes_json_until_one_can_not(asked_with) -> None:
    closed = []

    async def search(*slots: str):
        """Finds something, again and again."""
        try:
            yield datetime.date(2026, 11, 27)
            yield Event(author="search")
            yield [*slots, object()]
            yield "nobody asks for this one"
        finally:
            closed.append(True)

    request = LlmRequest()
    request.append_tools([FunctionTool(search)])
    BackgroundTools(ToolLimits(), ToolThreads()).wrap_tools(request)
    stream = request.tools_dict["search"].func
    told = [result async for result in stream(*asked_with)]
    assert (told[0], told[2:]) == ("2026-11-27", [UNTELLABLE])
    assert isinstance(told[1], Event)
    assert closed == [True]


async def test_a_streaming_tool_with_a_result_that_is_no_json_leaves_the_model_able_to_hear():
    async def search():
        """Finds something, again and again."""
        yield object()

    async with talking(WAITING[0], search) as (talk, _):
        talk.live_queue.text("look it up")
        await talk.result()
        await until(lambda: talk.notices == [UNTELLABLE["error"]])
        talk.live_queue.text("hello")
        await talk.said("Good.")


async def test_what_a_streaming_tool_finds_becomes_notices_to_its_failure() -> None:
    async def search():
        """Finds something, again and again."""
        yield "a bottle"
        yield {"found": [Price(decimal.Decimal(2))], "where": "Köln"}
        raise LookupError("the words of the caller")

    async with talking(WAITING[0], search) as (talk, _):
        talk.live_queue.text("look it up")
        assert "pending" in (await talk.result())["status"]
        await until(lambda: len(talk.notices) == 3)
    assert talk.notices == [
        "search: a bottle",
        'search: {"found": [{"euros": "2"}], "where": "Köln"}',
        "The tool search failed. Nothing more is known here.",
    ]


@pytest.mark.parametrize("returned", [object(), inside_itself(), {"rows": iter("ab")}])
async def test_a_result_that_is_no_json_leaves_the_model_able_to_hear(returned) -> None:
    def search() -> object:
        """Finds something."""
        return returned

    async with talking(WAITING[0], search) as (talk, _):
        talk.live_queue.text("look it up")
        assert await talk.result() == UNTELLABLE
        await talk.said("can't be told")
        talk.live_queue.text("hello")
        await talk.said("Good.")


async def test_a_result_that_is_nearly_json_reaches_the_model() -> None:
    def search() -> dict:
        """Finds something."""
        return {1: datetime.date(2026, 11, 27), "price": decimal.Decimal("3.20")}

    async with talking(WAITING[0], search) as (talk, _):
        talk.live_queue.text("look it up")
        assert await talk.result() == {"1": "2026-11-27", "price": "3.20"}
        await talk.said("3.20")


async def test_what_a_callback_makes_of_a_result_becomes_json_too() -> None:
    seen = []

    def search() -> Shelf:
        """Finds something."""
        return Shelf()

    def after(tool, args, tool_context, tool_response) -> dict:
        seen.append(tool_response)
        return {"at": datetime.date(2026, 11, 27)}

    async with talking(WAITING[0], search, after_tool_callback=after) as (talk, _):
        talk.live_queue.text("look it up")
        assert await talk.result() == {"at": "2026-11-27"}
    assert seen == [Shelf()]


class Journal(BasePlugin):
    """Puts something else in the place of each result, or fails."""

    def __init__(self, makes) -> None:
        super().__init__("journal")
        self._makes = makes

    async def after_tool_callback(self, *, tool, tool_args, tool_context, result):
        return self._makes()


@pytest.mark.parametrize(
    ("makes", "told"),
    [
        (lambda: {1: datetime.date(2026, 11, 27)}, {"1": "2026-11-27"}),
        (object, UNTELLABLE),
        (lambda: 1 / 0, {"error": "The tool search failed. Nothing more is known here."}),
    ],
)
async def test_what_a_plugin_makes_of_a_result_leaves_the_model_no_less_one(makes, told) -> None:
    def search() -> dict:
        """Finds something."""
        return {"found": "a bottle"}

    async with talking(WAITING[0], search, plugins=[Journal(makes)]) as (talk, _):
        talk.live_queue.text("look it up")
        assert await talk.result() == told
        talk.live_queue.text("hello")
        await talk.said("Good.")


@pytest.mark.parametrize("raised", [SystemExit, asyncio.CancelledError, StopIteration])
@pytest.mark.parametrize("asynchronous", [True, False])
async def test_a_tool_that_ends_more_than_itself_has_failed(raised, asynchronous) -> None:
    async def search_async() -> str:
        """Ends the task."""
        raise raised

    def search_blocking() -> str:
        """Ends the thread."""
        raise raised

    tool = search_async if asynchronous else search_blocking
    async with talking(WAITING[0], tool) as (talk, _):
        talk.live_queue.text("look it up")
        failed = f"The tool {tool.__name__} failed. Nothing more is known here."
        assert await talk.result() == {"error": failed}
        talk.live_queue.text("hello")
        await talk.said("Good.")
