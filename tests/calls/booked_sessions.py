"""Written sessions in which a tool books a slot."""

import asyncio

from tests.support.recorded_agent import RecordedTool
from tests.support.recorded_sessions import CUT, RecordedSession
from tests.support.written_sessions import (
    asks,
    calls,
    declares,
    responds,
    written,
)


def booking(*lines: dict) -> RecordedSession:
    tools = declares("book_slot")
    asked = asks("Book me the 3pm slot tomorrow, please.")
    return written("books", "gemini-3.8-live", asked, *lines, tools=tools)


FIRST = calls(("fc_1", "book_slot", {"slot": "tomorrow 3pm"}))
AGAIN = calls(("fc_2", "book_slot", {"slot": "tomorrow at 3pm"}))
BOOKED = {"status": "booked", "number": "BK-1001"}
FIRST_BOOKED = responds("fc_1", "book_slot", BOOKED)
AGAIN_BOOKED = responds("fc_2", "book_slot", BOOKED)
MADE = "The booking was already made."


class Slow(RecordedTool):
    """A tool that returns only when the test allows it."""

    def __init__(self, session: RecordedSession) -> None:
        super().__init__(session.setup["tools"][0]["functionDeclarations"][0], session)
        self.may_return = asyncio.Event()

    async def run_async(self, *, args, tool_context):
        self.runs.append(args)
        await self.may_return.wait()
        return BOOKED


WEATHER = calls(("f1", "get_weather", {"city": "London"}))
FOGGY = responds("f1", "get_weather", {"output": "It is foggy."})
SPEECH = {"realtime_input": {"audio": {"data": CUT, "mimeType": "audio/pcm;rate=16000"}}}
