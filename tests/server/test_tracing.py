"""Traces as a receiver of OTLP gets them, and calls whose receiver is away."""

import os
import time
from collections import Counter

import pytest

from tests.conftest import serving
from tests.local.recordings import SPEECH
from tests.support.dialling import Dialled
from tests.support.forked import run_forked
from tests.support.forked_product import ForkedServer
from tests.support.messages import said
from tests.support.otlp_receiver import Received, grpc_receiver, http_receiver
from tests.support.waiting import until
from vision_agent.caller.recording import SOUND_RATE_HZ, read_sound
from vision_agent.caller.tracks import MicrophoneTrack
from vision_agent.caller.utterances import utterances
from vision_agent.server.tracing import TracingError, wanted

AGENT = """
from google.adk.agents import Agent

def name_fish(place: str) -> dict:
    return {"fish": "pelican eel"}

def break_down(what: str) -> dict:
    raise ValueError(what)

root_agent = Agent(name="angler", instruction="Be brief.", tools=[name_fish, break_down])
"""
SCENARIO = """
engine: false
voice: tone
hears: [the walrus sings]
answers:
  - when: {tool: name_fish}
    say: "It is a {fish}."
  - when: {tool: break_down}
    say: That failed.
  - when: {words: walrus}
    call: {name: name_fish, args: {place: narwhal bay}}
  - when: {words: badger}
    call: {name: break_down, args: {what: badger hole}}
faults:
  - drop: 1011
    at: {turn: 2}
"""
SAID = ("walrus", "narwhal", "pelican", "badger")


async def converse(url: str) -> None:
    """A spoken question, and a typed one after the model's connection was lost."""
    caller = Dialled(url, microphone=MicrophoneTrack())
    await caller.connect()
    try:
        sound = read_sound(SPEECH / "stop.wav")
        caller.microphone.speak(sound, utterances(sound, SOUND_RATE_HZ))
        await caller.wait_for(lambda m: said(m) == "It is a pelican eel.")
        # An answer that follows while the agent still speaks does not start its speech again.
        await caller.wait_for(lambda m: m["type"] == "bot-stopped-speaking")
        before = len(caller.messages)
        caller.send("send-text", {"content": "and the badger?"})
        await caller.wait_for(lambda m: said(m) == "That failed.")
        await until(lambda: "bot-started-speaking" in [m["type"] for m in caller.messages[before:]])
    finally:
        await caller.hang_up()


@pytest.fixture
def arguments(tmp_path) -> list[str]:
    (tmp_path / "angler").mkdir()
    (tmp_path / "angler" / "agent.py").write_text(AGENT)
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    agent, scenario = tmp_path / "angler", tmp_path / "scenario.yaml"
    return ["--agent", str(agent), "--model", "local", "--scenario", str(scenario)]


def check_one_trace(received: Received) -> None:
    assert received.services == {"vision-agent"}
    traces = {
        (span.trace_id.hex(), span.name, span.parent_span_id.hex()) for span in received.spans
    }
    assert len({trace for trace, _, _ in traces}) == 1, "\n".join(map(str, sorted(traces)))
    (call,) = received.named("call")
    assert not call.parent_span_id
    about = received.attributes(call)
    assert about["gen_ai.agent.name"] == "angler"
    assert about["vision_agent.end.reason"] == "the caller hung up"
    ours = Counter(span.name for span in received.spans if span.parent_span_id == call.span_id)
    assert ours["offer"] == ours["connect"] == ours["connect model"] == 1
    assert ours["reconnect model"] == 1
    assert ours["invoke_agent angler"] == 1, "ADK's spans are part of it"
    assert len(received.named("execute_tool name_fish")) == 1
    assert len(received.named("execute_tool break_down")) == 1
    for span in received.spans:
        assert call.start_time_unix_nano <= span.start_time_unix_nano, span.name
        assert span.end_time_unix_nano <= call.end_time_unix_nano, span.name
    # Speech that continues after the lost connection may be a turn of its own, asked by nobody.
    turns = [received.attributes(turn) for turn in received.named("turn")]
    asked = [turn for turn in turns if turn["vision_agent.turn.asked"] != "by itself"]
    assert [turn["vision_agent.turn.asked"] for turn in asked] == ["spoken", "typed"]
    for turn in asked:
        assert 0 < turn["vision_agent.turn.first_sound_s"] < 10
        assert 0 <= turn["vision_agent.turn.frame_age_s"] < 10
        assert turn["vision_agent.turn.interrupted"] is False


async def test_a_call_is_one_trace_with_adks_spans_and_nothing_of_what_was_said(
    arguments, monkeypatch
):
    with http_receiver() as received:
        for name, value in received.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        async with serving(*arguments) as server:
            await converse(server.url)
            await until(lambda: received.named("call"))
    check_one_trace(received)
    for word in SAID:
        assert word.encode() not in received.raw


async def test_over_grpc_and_with_what_was_said_where_the_variable_asks_for_it(
    arguments, monkeypatch
):
    with grpc_receiver() as received:
        for name, value in received.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        async with serving(*arguments) as server:
            await converse(server.url)
            await until(lambda: received.named("call"))
    check_one_trace(received)
    assert b"narwhal bay" in received.raw


async def test_a_receiver_that_is_away_costs_no_call_and_is_told_once(
    arguments, monkeypatch, tmp_path
):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    log = tmp_path / "log"
    async with ForkedServer(*arguments, stderr_to=log) as server:
        await converse(server.url)
        await until(lambda: "were not taken" in log.read_text())
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 5, "its end waits for the receiver"
    lines = log.read_text().splitlines()
    assert len([line for line in lines if "pans were not taken by otlp_proto_http" in line]) == 1
    assert not [line for line in lines if "opentelemetry" in line and "told_once" not in line]


def test_the_variables_of_the_specification_choose_the_exporter():
    there = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318"}
    traces = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x:4318/v1/traces"}
    assert wanted({}) == []
    assert wanted({"OTEL_SERVICE_NAME": "mine", "OTEL_EXPORTER_OTLP_ENDPOINT": ""}) == []
    assert wanted({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://x:4318"}) == []
    assert wanted(there) == wanted(traces) == ["otlp_proto_http"]
    assert wanted({"OTEL_TRACES_EXPORTER": "otlp"}) == ["otlp_proto_http"]
    assert wanted(there | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}) == ["otlp_proto_grpc"]
    both = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
    }
    assert wanted(there | both) == ["otlp_proto_http"]
    assert wanted(there | {"OTEL_TRACES_EXPORTER": "none"}) == []
    assert wanted(there | {"OTEL_SDK_DISABLED": "TRUE"}) == []
    assert wanted({"OTEL_TRACES_EXPORTER": "console, otlp"}) == ["console", "otlp_proto_http"]
    with pytest.raises(TracingError, match="'carrier pigeon'; there are http/protobuf and grpc"):
        wanted(there | {"OTEL_EXPORTER_OTLP_PROTOCOL": "carrier pigeon"})


HOST = """
import asyncio, sys, time
from vision_agent import VideoAgent
from vision_agent.calls.call_trace import CallTrace
from vision_agent.calls.metrics import Metrics
from vision_agent.server.tracing import exported_traces

async def call():
    async with exported_traces():
        CallTrace(Metrics(), time.monotonic(), {}).end("over")
"""
WITHOUT = """
asyncio.run(call())
print(sorted(name for name in sys.modules if name.startswith("opentelemetry.") and
    ("sdk" in name or "exporter" in name)))
"""
ALONE = """
asyncio.run(call())
"""
WITH_ITS_OWN = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
asyncio.run(call())
print(sorted(span.name for span in exporter.get_finished_spans()))
"""


def test_without_the_variables_nothing_is_loaded_and_an_applications_own_provider_is_used(tmp_path):
    """The process ends right after the call, and its spans are exported nevertheless."""

    def run(program: str, **environment: str) -> str:
        (tmp_path / "host.py").write_text(HOST + program)
        done = run_forked("host", cwd=tmp_path, env={**os.environ, **environment})
        return done.stdout.strip() or done.stderr

    assert run(WITHOUT) == "[]"
    with http_receiver() as received:
        assert run(ALONE, **received.environment) == ""
    assert {span.name for span in received.spans} == {"call", "offer"}
    with http_receiver() as received:
        assert run(WITH_ITS_OWN, **received.environment) == "['call', 'offer']"
    assert not received.spans
