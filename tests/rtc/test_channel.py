import asyncio
import json
import re

import pytest

from tests.rtc.calling import Call
from tests.rtc.channel_client import Client
from tests.support.waiting import until
from vision_agent.rtc.channel import MESSAGE_BURST, TEXT_BURST
from vision_agent.rtc.outbox import MAX_EARLY_MESSAGES


@pytest.fixture
async def client(call: Call) -> Client:
    client = Client(call)
    await client.connect()
    return client


async def test_client_ready_is_answered_with_bot_ready_of_the_same_id(client: Client):
    await client.ready()
    assert client.received == [
        {
            "label": "rtvi-ai",
            "type": "bot-ready",
            "id": "first",
            "data": {"version": "2.1.0", "about": {"name": "test"}},
        }
    ]
    assert client.heard.events == [("ready",)]


async def test_what_was_said_before_the_client_is_ready_comes_after_bot_ready_in_order(call: Call):
    client = Client(call)
    client.channel.bot_text("one")
    client.channel.bot_text("two")
    await client.connect()
    client.channel.bot_text("three")
    await asyncio.sleep(0.2)
    assert client.received == []
    await client.ready()
    await until(lambda: len(client.received) == 4)
    assert [message["data"].get("text") for message in client.received] == [
        None, "one", "two", "three",
    ]  # fmt: skip


async def test_early_messages_are_bounded_and_the_oldest_go_first(call: Call):
    client = Client(call)
    for n in range(MAX_EARLY_MESSAGES + 30):
        client.channel.bot_text(str(n))
    assert client.channel.dropped_messages == 30
    await client.connect()
    await client.ready()
    await until(lambda: len(client.received) == MAX_EARLY_MESSAGES + 1)
    assert client.received[1]["data"]["text"] == "30"


async def test_what_the_client_says_reaches_the_listener(client: Client):
    client.data.send("ping: 17")
    client.send("send-text", {"content": "hello", "options": {"run_immediately": True}})
    status = {"type": "trackStatus", "receiver_index": 1, "enabled": False}
    client.data.send(json.dumps({"type": "signalling", "message": status}))
    client.send("disconnect-bot", {})
    await until(lambda: len(client.heard.events) == 3)
    assert client.heard.events == [("text", "hello"), ("track", 1, False), ("goodbye",)]
    assert client.received == []


async def test_a_client_message_is_answered_with_the_same_id(client: Client):
    client.heard.answer = {"seen": 3}
    client.send("client-message", {"t": "count", "d": {"of": "x"}}, "abc")
    await until(lambda: client.received)
    assert client.received[0]["type"] == "server-response"
    assert client.received[0]["id"] == "abc"
    assert client.received[0]["data"] == {"t": "count", "d": {"seen": 3}}
    assert client.heard.events == [("message", "count", {"of": "x"})]


async def test_malformed_messages_are_answered_with_an_error_and_end_nothing(client: Client):
    client.data.send("{")
    client.data.send(b"\0\1\2")
    client.send("no-such-thing", message_id="9")
    client.data.send('{"type":"signalling","message":{"type":"trackStatus"}}')
    await until(lambda: len(client.received) == 4)
    for message in client.received:
        assert message["data"]["fatal"] is False
        assert message["data"]["error"] == message["data"]["message"]
    assert client.types() == ["error", "error", "error-response", "error"]
    assert client.received[2]["id"] == "9"
    assert client.channel.refused_messages == 4
    client.send("send-text", {"content": "still there"})
    await until(lambda: client.heard.events)


async def test_a_flood_of_malformed_messages_is_counted_and_answered_seldom(client: Client):
    for _ in range(300):
        client.data.send("{")
    await until(lambda: client.channel.refused_messages == 300)
    client.data.send("ping: 1")
    await until(lambda: client.received)
    assert len(client.received) < 20


async def test_messages_that_come_too_fast_are_not_read_and_the_client_is_told(client: Client):
    for n in range(MESSAGE_BURST + 500):
        client.send("client-message", {"t": "count", "d": n}, str(n))
    await until(lambda: client.channel.refused_messages)
    await until(lambda: "error" in client.types())
    told = next(m for m in client.received if m["type"] == "error")
    assert "too fast" in told["data"]["message"]
    assert MESSAGE_BURST <= len(client.heard.events) < MESSAGE_BURST + 200


async def test_texts_that_come_too_fast_are_refused_in_words_and_the_others_are_kept(
    client: Client,
):
    for n in range(TEXT_BURST + 5):
        client.send("send-text", {"content": f"text {n}"}, str(n))
    await until(lambda: client.channel.refused_messages == 5)
    assert client.heard.events == [("text", f"text {n}") for n in range(TEXT_BURST)]
    await until(lambda: len(client.received) == 5)
    assert all("send it again" in m["data"]["message"] for m in client.received)
    assert client.types() == ["error"] * 5
    assert [m["id"] for m in client.received] == [f"{TEXT_BURST + n}" for n in range(5)]


async def test_a_text_that_is_refused_takes_no_other_with_it(client: Client):
    client.send("send-text", {"content": "z" * 30_000}, "too long")
    client.send("send-text", {"content": "Hello"})
    await until(lambda: client.heard.events and client.received)
    assert client.heard.events == [("text", "Hello")]
    assert client.types() == ["error"]
    assert "at most 4000" in client.received[0]["data"]["message"]
    assert client.received[0]["id"] == "too long"


async def test_what_a_client_wants_only_shown_or_only_known_is_told_apart(client: Client):
    client.send("send-text", {"content": "a", "options": {"audio_response": False}})
    client.send("send-text", {"content": "b", "options": {"run_immediately": False}})
    client.send("append-to-context", {"role": "assistant", "content": "c"})
    client.send("append-to-context", {"role": "user", "content": "d", "run_immediately": True})
    await until(lambda: len(client.heard.events) == 4)
    assert client.heard.events == [
        ("text to be answered in words", "a"),
        ("context", "b", False),
        ("context", "c", True),
        ("text", "d"),
    ]


async def test_a_request_that_is_not_known_is_answered_as_refused_with_its_id(client: Client):
    kinds = ["dtmf", "ui-event", "ui-snapshot", "append-to-context"]
    for n, kind in enumerate(kinds):
        client.send(kind, {"buttons": ["no key"]}, str(n))
    for n in range(4, 40):
        client.send("client-message", {"t": "refuse"}, str(n))
    await until(lambda: len(client.received) == 40)
    assert client.types() == ["error-response"] * 40, "somebody waits for each"
    assert [m["id"] for m in client.received] == [str(n) for n in range(40)]
    assert client.received[4]["data"]["error"] == "There is no such message."


async def test_a_failing_listener_is_told_to_the_client_and_does_not_end_the_call(
    client: Client, caplog
):
    client.send("client-message", {"t": "fail", "d": "the caller's own words"}, "5")
    await until(lambda: client.received)
    assert (client.received[0]["type"], client.received[0]["id"]) == ("error-response", "5")
    client.send("send-text", {"content": "still there"})
    await until(lambda: client.heard.events)
    assert client.call.listener.closed == []
    assert "LookupError in" in caplog.text
    assert "channel_client.py" in caplog.text


async def test_no_word_of_the_callers_gets_into_the_log_and_failures_are_logged_seldom(
    client: Client, caplog
):
    caplog.set_level("DEBUG", "vision_agent")
    for n in range(100):
        client.send("client-message", {"t": "fail", "d": "the caller's own words"}, str(n))
    client.send("send-text", {"content": "own words" * 1_000})
    client.data.send("own words")
    await until(lambda: client.channel.refused_messages == 102)
    assert "own words" not in caplog.text
    assert 0 < len(caplog.records) <= 11


class Small(Call):
    """A caller that takes messages of at most 16,384 bytes (RFC 8841)."""

    async def offer(self) -> str:
        sdp, announced = await super().offer(), "a=max-message-size:"
        return re.sub(f"{announced}.*", f"{announced}16384\r", sdp)


@pytest.fixture
async def small():
    client = Client(Small())
    await client.connect()
    yield client
    await client.call.close()


async def test_what_is_too_long_for_the_peer_is_cut_and_marked_and_its_ids_stay(small: Client):
    await small.ready()
    channel = small.channel
    long = "word " * 20_000
    channel.tool_stopped("call-1", "search", {"rows": [{"text": long}] * 50, "n": 3})
    channel.bot_transcript(long)
    channel.user_transcript("ü" * 15_000, True)
    channel.error(long, fatal=False)
    channel.server_message({"kind": "notice", "about": "idle", "text": long})
    await until(lambda: small.types()[-1] == "server-message")
    for message in small.received[1:]:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        assert len(text.encode()) <= 16_384
        assert message["data"]["shortened"] is True
        assert "…" in text
    stopped = small.received[1]["data"]
    assert (stopped["tool_call_id"], stopped["function_name"]) == ("call-1", "search")
    assert stopped["cancelled"] is False
    assert stopped["result"]["n"] == 3
    assert small.received[-1]["data"]["kind"] == "notice"
    assert channel.dropped_messages == 0


async def test_a_tool_result_that_is_no_json_still_tells_that_the_tool_has_stopped(client: Client):
    class Strange:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    itself: dict = {}
    itself["itself"] = itself
    await client.ready()
    for n, result in enumerate(
        [itself, {"x": float("nan")}, {"x": 10**5_000}, {"x": "\ud800"}, {(1, 2): Strange()}]
    ):
        client.channel.tool_stopped(str(n), "odd", result)
    await until(lambda: len(client.received) == 6)
    assert [m["data"]["tool_call_id"] for m in client.received[1:]] == ["0", "1", "2", "3", "4"]
    assert client.channel.dropped_messages == 0


async def test_nothing_is_raised_by_a_channel_whose_transport_fails(client: Client, caplog):
    await client.ready()

    def broken(*_: object) -> None:
        raise ConnectionError("gone")

    client.call.listener.channels[0].send = broken
    client.channel.bot_text("one")
    client.channel.bot_text("two")
    client.send("no-such-thing")
    await until(lambda: client.channel.dropped_messages == 3)
    assert caplog.text.count("could not be sent: ConnectionError('gone')") == 1


async def test_every_outgoing_message_has_the_form_of_rtvi(client: Client):
    await client.ready()
    channel = client.channel
    channel.user_speaking(True)
    channel.user_speaking(False)
    channel.user_transcript("hello", True)
    channel.bot_thinking(True)
    channel.bot_thinking(False)
    channel.bot_speaking(True)
    channel.bot_speaking(False)
    channel.bot_text("Hi")
    channel.bot_output_new(1, "Hi there", will_be_spoken=True)
    channel.bot_output_progress(1, "Hi there", "Hi")
    channel.bot_output_progress(1, "Hi there", "Hi there")
    channel.bot_transcript("Hi there")
    channel.tool_started("c1", "look", {"at": "cup"})
    channel.tool_stopped("c1", "look", {"seen": True})
    channel.tool_stopped("c2", "look", None, cancelled=True)
    channel.error("It broke.", fatal=True)
    channel.server_message({"kind": "state", "state": "listening", "reason": None})
    await until(lambda: len(client.received) == 19)
    assert client.types()[1:] == [
        "user-started-speaking",
        "user-stopped-speaking",
        "user-transcription",
        "bot-llm-started",
        "bot-llm-stopped",
        "bot-started-speaking",
        "bot-stopped-speaking",
        "bot-tts-text",
        "bot-output",
        "bot-output",
        "bot-output",
        "bot-transcription",
        "llm-function-call-started",
        "llm-function-call-in-progress",
        "llm-function-call-stopped",
        "llm-function-call-stopped",
        "error",
        "server-message",
    ]
    data = [message.get("data") for message in client.received[1:]]
    assert data[0] is None
    assert (data[2]["text"], data[2]["final"], data[2]["user_id"]) == ("hello", True, "user")
    assert data[2]["timestamp"].endswith("+00:00")
    output = {"text": "Hi there", "aggregated_by": "sentence", "segment_id": 1}
    output |= {"will_be_spoken": True}
    assert data[8] == output | {"spoken_status": "new", "spoken": False}
    progress = {"accumulated_text": "Hi", "remaining_text": " there"}
    assert data[9] == output | {"spoken_status": "in-progress", "spoken_progress": progress}
    progress = {"accumulated_text": "Hi there", "remaining_text": ""}
    completed = {"spoken_status": "completed", "spoken": True, "spoken_progress": progress}
    assert data[10] == output | completed
    assert data[11]["text"] == "Hi there"
    assert data[12] == {"function_name": "look"}
    assert data[13]["arguments"] == {"at": "cup"}
    assert data[14] == {
        "tool_call_id": "c1", "function_name": "look", "cancelled": False, "result": {"seen": True},
    }  # fmt: skip
    assert data[15]["cancelled"] is True
    assert "result" not in data[15]
    assert data[16] == {"message": "It broke.", "error": "It broke.", "fatal": True}
    assert all(message["label"] == "rtvi-ai" for message in client.received)
    ids = [message["id"] for message in client.received]
    assert len(set(ids)) == len(ids)


async def test_a_client_that_takes_nothing_costs_messages_not_memory(client: Client):
    await client.ready()
    for _ in range(400):
        client.channel.bot_text("x" * 10_000)
    assert client.channel.dropped_messages > 200
    assert client.call.listener.channels[0].bufferedAmount <= 1_100_000


async def test_a_closed_channel_says_peer_left_and_then_nothing(client: Client):
    await client.ready()
    client.channel.close()
    client.channel.close()
    client.channel.bot_text("too late")
    client.send("send-text", {"content": "too late"})
    await until(lambda: len(client.received) == 2)
    await asyncio.sleep(0.2)
    assert client.received[1:] == [{"type": "signalling", "message": {"type": "peerLeft"}}]
    assert client.heard.events == [("ready",)]


async def test_a_new_data_channel_of_the_same_call_goes_on_where_the_first_ended(client: Client):
    await client.ready()
    client.send("send-text", {"content": "once"}, "t1")
    await until(lambda: len(client.heard.events) == 2)
    again = Call()
    other = again.caller.createDataChannel("chat")
    received = []
    other.on("message", lambda text: received.append(json.loads(text)))
    await client.call.peer.close()
    client.channel.bot_text("in between")
    await again.connect()
    await until(lambda: again.listener.channels)
    client.channel.attach(again.listener.channels[0])
    client.channel.bot_text("afterwards")
    await until(lambda: len(received) == 2)
    assert [message["data"]["text"] for message in received] == ["in between", "afterwards"]
    # A client that can't know whether a text has arrived sends it again with the same id.
    for each, content in (("t1", "once"), ("t2", "new")):
        text = {"label": "rtvi-ai", "type": "send-text", "id": each, "data": {"content": content}}
        other.send(json.dumps(text))
    await until(lambda: len(client.heard.events) == 3)
    assert [event[1] for event in client.heard.events[1:]] == ["once", "new"]
    await again.close()


async def test_the_last_word_is_heard_although_the_peer_is_closed_right_after(client: Client):
    await client.ready()
    client.channel.error("The call is over.", fatal=True)
    client.channel.close()
    await client.call.peer.close()
    await until(lambda: len(client.received) == 3)
    assert client.types() == ["bot-ready", "error", "signalling"]
