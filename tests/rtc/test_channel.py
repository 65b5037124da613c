import asyncio
import json

import pytest

from tests.rtc.calling import Call, until
from vision_agent.rtc import Channel
from vision_agent.rtc.channel import MAX_EARLY_MESSAGES


class Heard:
    """A `ChannelListener` that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []
        self.answer: object = None

    def on_client_ready(self) -> None:
        self.events.append(("ready",))

    def on_text(self, text: str) -> None:
        self.events.append(("text", text))

    def on_track_status(self, receiver_index: int, enabled: bool) -> None:
        self.events.append(("track", receiver_index, enabled))

    def on_client_message(self, type: str, data: object) -> object | None:
        if type == "fail":
            raise LookupError("no such thing")
        self.events.append(("message", type, data))
        return self.answer

    def on_goodbye(self) -> None:
        self.events.append(("goodbye",))


class Client:
    """The client's end of a data channel, as the public SDKs use it."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.data = call.caller.createDataChannel("chat", ordered=True)
        self.received: list[dict] = []
        self.data.on("message", lambda text: self.received.append(json.loads(text)))
        self.heard = Heard()
        self.channel = Channel(self.heard, {"name": "test"})

    async def connect(self) -> None:
        await self.call.connect()
        await until(lambda: self.call.listener.channels)
        self.channel.attach(self.call.listener.channels[0])
        await until(lambda: self.data.readyState == "open")

    def send(self, kind: str, data: object = None, message_id: str = "1") -> None:
        self.data.send(
            json.dumps({"label": "rtvi-ai", "type": kind, "id": message_id, "data": data})
        )

    async def ready(self) -> None:
        self.send("client-ready", {"version": "2.1.0", "about": {"library": "x"}}, "first")
        await until(lambda: self.received)

    def types(self) -> list[str]:
        return [message["type"] for message in self.received]


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
        assert message["type"] == "error"
        assert message["data"]["fatal"] is False
        assert message["data"]["error"] == message["data"]["message"]
    assert client.received[2]["id"] == "9"
    assert client.channel.bad_messages == 4
    client.send("send-text", {"content": "still there"})
    await until(lambda: client.heard.events)


async def test_a_flood_of_malformed_messages_is_counted_and_answered_seldom(client: Client):
    for _ in range(300):
        client.data.send("{")
    await until(lambda: client.channel.bad_messages == 300)
    await asyncio.sleep(0.2)
    assert len(client.received) < 20


async def test_a_failing_listener_is_told_to_the_client_and_does_not_end_the_call(client: Client):
    client.send("client-message", {"t": "fail"}, "5")
    await until(lambda: client.received)
    assert (client.received[0]["type"], client.received[0]["id"]) == ("error", "5")
    client.send("send-text", {"content": "still there"})
    await until(lambda: client.heard.events)
    assert client.call.listener.closed == []


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
    channel.bot_transcript("Hi there")
    channel.tool_started("c1", "look", {"at": "cup"})
    channel.tool_stopped("c1", "look", {"seen": True})
    channel.tool_stopped("c2", "look", None, cancelled=True)
    channel.error("It broke.", fatal=True)
    channel.server_message({"kind": "state", "state": "listening", "reason": None})
    await until(lambda: len(client.received) == 17)
    assert client.types()[1:] == [
        "user-started-speaking",
        "user-stopped-speaking",
        "user-transcription",
        "bot-llm-started",
        "bot-llm-stopped",
        "bot-started-speaking",
        "bot-stopped-speaking",
        "bot-tts-text",
        "bot-transcription",
        "bot-output",
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
    assert data[9]["text"] == "Hi there"
    assert data[9]["spoken_status"] == "completed"
    assert data[10] == {"function_name": "look"}
    assert data[11]["arguments"] == {"at": "cup"}
    assert data[12] == {
        "tool_call_id": "c1", "function_name": "look", "cancelled": False, "result": {"seen": True},
    }  # fmt: skip
    assert data[13]["cancelled"] is True
    assert "result" not in data[13]
    assert data[14] == {"message": "It broke.", "error": "It broke.", "fatal": True}
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
    await again.close()


async def test_the_last_word_is_heard_although_the_peer_is_closed_right_after(client: Client):
    await client.ready()
    client.channel.error("The call is over.", fatal=True)
    client.channel.close()
    await client.call.peer.close()
    await until(lambda: len(client.received) == 3)
    assert client.types() == ["bot-ready", "error", "signalling"]
