"""What plain ADK and google-genai do not do for a call, each shown against the local Live API.

Everything here is worked around in `vision_agent.live`. A failure says that a new version has
closed a gap, and what can be removed.
"""

import asyncio
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import pytest
from google.adk.agents import Agent
from google.adk.agents.live_request_queue import LiveRequestQueue
from google.adk.agents.run_config import RunConfig
from google.adk.models.gemini_llm_connection import GeminiLlmConnection
from google.adk.models.google_llm import Gemini
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.utils.variant_utils import GoogleLLMVariant
from google.genai import errors, live, types
from websockets.exceptions import InvalidStatus

from tests.local.live_clients import MODEL_2, http_options, trusting
from tests.local.scripted_engine import ScriptedEngine
from tests.support.local_connections import tear_off
from tests.support.waiting import until
from vision_agent.local.contract import Say, ToolRequest, Transcript
from vision_agent.local.scenarios.scenario import Scenario
from vision_agent.local.scenarios.scenario_file import read_scenario
from vision_agent.local.server import serve

ENDS = {"tool_call_ends_turn": True}
"""Plain ADK never runs a tool of 2.5 whose turn stays open, as it does on AI Studio."""

STORY = "This is a story that takes a good while to be told to its end. " * 3


@contextmanager
def needed(part: str):
    """Turns a failed expectation into its meaning: the workaround can be removed."""
    try:
        yield
    except (AssertionError, TimeoutError, pytest.fail.Exception) as surprise:
        raise AssertionError(f"ADK no longer needs this workaround: remove {part}") from surprise


class PlainCall:
    """A live run of bare ADK."""

    def __init__(self, server, engine, agent=None, *, options=None, tools=()) -> None:
        self.server, self.engine = server, engine
        self.queue, self.events = LiveRequestQueue(), []
        self.sessions = InMemorySessionService()
        agent = agent or Agent(
            name="plain", model=plain_model(server, options), instruction="Help.", tools=[*tools]
        )
        self._runner = Runner(agent=agent, app_name="gaps", session_service=self.sessions)
        self.run: asyncio.Task = None

    async def start(self) -> None:
        await self.sessions.create_session(app_name="gaps", user_id="u", session_id="s")

        async def listen() -> None:
            async for event in self._runner.run_live(
                user_id="u",
                session_id="s",
                live_request_queue=self.queue,
                run_config=RunConfig(
                    response_modalities=["AUDIO"],
                    session_resumption=types.SessionResumptionConfig(),
                ),
            ):
                self.events.append(event)

        self.run = asyncio.create_task(listen())

    async def end(self) -> None:
        self.queue.close()
        self.run.cancel()
        await asyncio.gather(self.run, return_exceptions=True)

    def type(self, text: str) -> None:
        self.queue.send_content(types.Content(role="user", parts=[types.Part(text=text)]))

    def speak(self) -> None:
        for _ in range(10):
            self.queue.send_realtime(
                types.Blob(data=b"\x00\x10" * 320, mime_type="audio/pcm;rate=16000")
            )

    async def until_event(self, wanted) -> None:
        await until(lambda: any(wanted(event) for event in self.events))

    async def failure(self) -> BaseException | None:
        """What the run ended with."""
        async with asyncio.timeout(15):
            await asyncio.wait([self.run])
        return self.run.exception()

    async def one_turn(self) -> None:
        """A question and its answer, and then there is a handle."""
        self.type("one")
        await self.until_event(has_handle)

    @property
    def connections(self) -> int:
        return len(self.engine.ears_asked)


def plain_model(server, options=None) -> Gemini:
    return Gemini(
        model=MODEL_2,
        base_url=f"https://127.0.0.1:{server.port}",
        client_kwargs={"api_key": "any", "http_options": options or http_options(server)},
    )


def has_handle(event) -> bool:
    update = event.live_session_resumption_update
    return bool(update and update.new_handle)


def is_sound(event) -> bool:
    return any(p.inline_data for p in (event.content.parts if event.content else None) or [])


@asynccontextmanager
async def plain_call(faults: str = "", engine=None, habits=None, **options):
    engine = engine or ScriptedEngine()
    scenario = replace(read_scenario(f"faults: [{faults}]"), habits=habits or {})
    server = await serve("127.0.0.1", 0, engine, scenario=scenario)
    call = PlainCall(server, engine, **options)
    await call.start()
    try:
        yield call
    finally:
        await call.end()
        await server.close()


async def test_go_away_cuts_the_answer_off_at_once():
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say(STORY)]
    async with plain_call("{go_away_s: 60, at: {audio_chunks: 3}}", engine) as call:
        with needed("`_leave_if_due` in live/connection/resilient.py"):
            call.type("a story")
            await until(lambda: call.connections == 2)
            finals = [e.output_transcription for e in call.events if e.output_transcription]
            assert not any(f.finished and f.text.strip() == STORY.strip() for f in finals)


async def test_a_server_that_accepts_and_drops_is_stormed():
    async with plain_call("{drop: 1011, at: {connection: 2}, times: always}") as call:
        await call.one_turn()
        tear_off(call.server)
        with needed("live/connection/backoff.py"):
            # With a backoff of any length this would take minutes.
            await until(lambda: call.connections >= 20)


async def test_a_refused_connection_is_not_tried_again():
    async with plain_call("{refuse: 503, at: {connection: 2}}") as call:
        await call.one_turn()
        tear_off(call.server)
        with needed("InvalidStatus in live/connection/close_policy.py"):
            assert isinstance(await call.failure(), InvalidStatus)


@pytest.mark.parametrize("code", [1001, 1008, 1012, 1013])
async def test_a_service_that_restarts_ends_the_call(code):
    async with plain_call(f"{{drop: {code}, at: {{turn: 2}}}}") as call:
        await call.one_turn()
        call.type("two")
        with needed(f"close code {code} in live/connection/close_policy.py"):
            assert await call.failure() is not None


async def test_resumable_false_wipes_the_handle_that_was_good():
    engine = ScriptedEngine()
    engine.answers = lambda turn: [Say(STORY if turn.text == "two" else "Yes.")]
    faults = "{resumable: false, at: {turn: 2}}, {drop: 1011, at: {turn: 2, audio_chunks: 3}}"
    async with plain_call(faults, engine) as call:
        await call.one_turn()
        call.type("two")
        with needed("the last good handle in live/connection/ledger.py"):
            failure = await call.failure()
            assert isinstance(failure, errors.APIError)
            assert failure.code == 1011


async def test_an_expired_handle_ends_the_call():
    async with plain_call("{handle: expired}") as call:
        await call.one_turn()
        tear_off(call.server)
        with needed("`Verdict.RESTART` in live/connection/close_policy.py"):
            failure = await call.failure()
            assert isinstance(failure, errors.APIError)
            assert failure.code == 1008


async def test_a_setup_that_is_never_answered_hangs():
    async with plain_call("{setup_complete_s: never}") as call:
        with needed("`setup_s` in live/connection/resilient.py"):
            done, _ = await asyncio.wait([call.run], timeout=2)
            assert not done
            assert call.connections == 1


async def test_a_model_that_stalls_is_waited_for_in_silence():
    async with plain_call("{stall_s: forever, at: {turn: 1}}") as call:
        call.type("one")
        with needed("`stall_s` in live/connection/resilient.py"):
            done, _ = await asyncio.wait([call.run], timeout=2)
            assert not done
            assert call.connections == 1


async def test_a_message_that_nobody_knows_ends_the_call():
    async with plain_call("{garbage: not-json}") as call:
        with needed("`MAX_UNREADABLE` in live/connection/resilient.py"):
            assert await call.failure() is not None


async def test_a_message_of_two_megabytes_breaks_the_connection_unless_it_is_told_not_to():
    engine = ScriptedEngine()
    server = await serve(
        "127.0.0.1", 0, engine, scenario=read_scenario("faults: [{oversized_bytes: 2000000}]")
    )
    options = types.HttpOptions(async_client_args={"ssl": trusting(server)})
    call = PlainCall(server, engine, options=options)
    await call.start()
    with needed("`max_size` in live/connection/gemini.py"):
        assert await call.failure() is not None
    await call.end()
    await server.close()


async def test_the_late_result_of_a_cancelled_tool_is_sent(monkeypatch):
    sent = []
    send = live.AsyncSession.send_tool_response

    async def spy(self, *, function_responses):
        sent.extend(function_responses)
        await send(self, function_responses=function_responses)

    monkeypatch.setattr(live.AsyncSession, "send_tool_response", spy)
    may_end = asyncio.Event()
    engine = ScriptedEngine()
    engine.answers = lambda turn: [ToolRequest("wait") if turn.text == "wait" else Say("Yes.")]

    async def wait() -> dict[str, str]:
        """Wait."""
        await may_end.wait()
        return {"status": "late"}

    async with plain_call(engine=engine, habits=ENDS, tools=[wait]) as call:
        call.type("wait")
        await call.until_event(lambda event: event.get_function_calls())
        call.type("never mind")
        await until(lambda: len(engine.turns) == 2)
        may_end.set()
        with needed("the cancelled calls in live/connection/ledger.py"):
            await until(lambda: sent)
            assert sent[0].response == {"status": "late"}


async def test_a_blocking_tool_holds_back_that_the_caller_cut_in():
    may_end = asyncio.Event()
    engine = ScriptedEngine()
    engine.hears.append(Transcript("stop", True))
    engine.answers = lambda turn: (
        [Say("Yes.")]
        if turn.text == "stop"
        else [Say("A little story first."), ToolRequest("wait")]
    )

    async def wait() -> dict[str, str]:
        """Wait."""
        await may_end.wait()
        return {"status": "late"}

    async with plain_call(engine=engine, habits=ENDS, tools=[wait]) as call:
        call.type("wait")
        await call.until_event(lambda event: event.get_function_calls())
        call.speak()
        for _ in range(60):
            call.queue.send_realtime(types.Blob(data=bytes(640), mime_type="audio/pcm;rate=16000"))
        await until(lambda: len(engine.turns) == 2)
        with needed("tools that run beside the voice"):
            assert not any(event.interrupted for event in call.events)
        may_end.set()
        await call.until_event(lambda event: event.interrupted)


async def test_handles_and_usage_fill_the_history():
    async with plain_call() as call:
        await call.one_turn()
        session = await call.sessions.get_session(app_name="gaps", user_id="u", session_id="s")
        with needed("what keeps handles and usage out of the stored history"):
            assert any(event.live_session_resumption_update for event in session.events)
            assert any(event.usage_metadata for event in session.events)


async def test_what_is_typed_while_an_agent_hands_over_goes_to_the_old_one():
    engine = ScriptedEngine()
    engine.answers = lambda turn: (
        [ToolRequest("transfer_to_agent", {"agent_name": "other"})]
        if turn.text == "hand over" and turn.instruction.startswith("Help.")
        else [Say("Yes.")]
    )
    server = await serve("127.0.0.1", 0, engine, scenario=Scenario(habits=ENDS))
    other = Agent(name="other", model=plain_model(server), instruction="Be the other one.")
    guide = Agent(name="guide", model=plain_model(server), instruction="Help.", sub_agents=[other])
    call = PlainCall(server, engine, guide)
    await call.start()
    call.type("hand over")
    await call.until_event(lambda event: event.get_function_responses())
    call.type("who are you")
    with needed("`hands_over` in live/connection/content_rewrite.py"):
        await until(lambda: any(turn.text == "who are you" for turn in engine.turns))
        [turn] = [turn for turn in engine.turns if turn.text == "who are you"]
        assert turn.instruction.startswith("Help.")
    await call.end()
    await server.close()


async def test_a_tool_call_is_lost_when_the_connection_breaks_before_the_turn_has_ended():
    class Breaks:
        session_id = "s"

        async def receive(self):
            call = types.FunctionCall(id="c", name="measure", args={})
            yield types.LiveServerMessage(tool_call=types.LiveServerToolCall(function_calls=[call]))
            raise errors.APIError(1006, {"message": "lost"}, None)

    responses = GeminiLlmConnection(Breaks(), model_version=MODEL_2).receive()
    with needed("`_taken` in live/connection/ledger.py"), pytest.raises(errors.APIError):
        pytest.fail(f"passed on: {await anext(responses)}")


async def test_a_tool_call_of_a_2_5_model_waits_for_the_end_of_a_turn_that_waits_for_its_result():
    asked_for_more = asyncio.Event()

    class WaitsForTheResult:
        session_id = "s"

        async def receive(self):
            call = types.FunctionCall(id="c", name="measure", args={})
            yield types.LiveServerMessage(tool_call=types.LiveServerToolCall(function_calls=[call]))
            asked_for_more.set()
            await asyncio.Event().wait()

    connection = GeminiLlmConnection(
        WaitsForTheResult(), GoogleLLMVariant.GEMINI_API, model_version=MODEL_2
    )
    passed_on = asyncio.ensure_future(anext(connection.receive()))
    asked = asyncio.ensure_future(asked_for_more.wait())
    await asyncio.wait([passed_on, asked], return_when=asyncio.FIRST_COMPLETED)
    with needed("`calls_end_turn` in live/adk_hooks.py"):
        assert not passed_on.done()
    passed_on.cancel()
    asked.cancel()
